// What of examples/godot does not run without Godot's own browser: the Godot 4 file against a
// grammar, and the JavaScript by which both reach a page's memory. test/c/godot runs the rest.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { runInNewContext } from 'node:vm'
import { P2PQueue } from 'sabway/p2p'
import { root } from '../support/paths.js'

const folder = new URL('examples/godot/', root)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.gd'))
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

interface Node {
  type: string
  text: string
  startPosition: { row: number }
  children: Node[]
  hasError: boolean
  isMissing: boolean
}

interface Parser {
  setLanguage(language: unknown): void
  parse(text: string): { rootNode: Node }
}

/** Their types do not fit each other. */
const require = createRequire(import.meta.url)

/** Where the text of a script does not follow the grammar. */
function mistakes(source: string): string[] {
  const Parser = require('tree-sitter') as new () => Parser
  const parser = new Parser()
  parser.setLanguage(require('tree-sitter-gdscript'))
  const found: string[] = []
  const visit = (node: Node) => {
    if (node.type === 'ERROR' || node.isMissing) found.push(`line ${node.startPosition.row + 1}: ${node.text}`)
    if (node.hasError) node.children.forEach(visit)
  }
  visit(parser.parse(source).rootNode)
  return found
}

interface PageMemory {
  load(at: number): number
  store(at: number, value: number): void
  add(at: number, value: number): void
  read(at: number, length: number): string
  write(at: number, text: string): void
  now(): string
}

function pageMemory(buffer: unknown): PageMemory {
  const source = text('page_memory.gd').split('"""')[1]!
  const scope = { Int32Array, Uint8Array, Atomics, atob, btoa, String, Date } as Record<string, unknown>
  runInNewContext(source, scope)
  return (scope.sabwayGodotMemory as (buffer: unknown) => PageMemory)(buffer)
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

describe("Godot's scripts", () => {
  it('are the four that the README names', () => {
    assert.deepEqual(scripts.sort(), ['p2p_godot3.gd', 'p2p_godot4.gd', 'p2p_queue.gd', 'page_memory.gd'])
    for (const name of scripts) assert.ok(text('README.md').includes(name), name)
  })

  for (const name of scripts) {
    it(`follow the grammar of GDScript: ${name}`, () => {
      assert.deepEqual(mistakes(text(name)), [])
    })
  }

  it('would be found not to', () => {
    assert.notDeepEqual(mistakes(text('p2p_godot4.gd').replace('func send(', 'func send((')), [])
  })

  it('differ between Godot 3 and 4 only in names', () => {
    const names: [RegExp, string][] = [
      [/JavaScriptBridge/g, 'JavaScript'],
      [/PackedByteArray/g, 'PoolByteArray'],
      [/"web"/g, '"JavaScript"'],
    ]
    const body = (name: string) => text(name).slice(text(name).indexOf('extends Node'))
    const four = names.reduce((body, [from, to]) => body.replace(from, to), body('p2p_godot4.gd'))
    assert.equal(four.replace(/#.*\n/g, ''), body('p2p_godot3.gd').replace(/#.*\n/g, ''))
  })

  for (const kind of ['shared', 'private'] as const) {
    it(`reach a page's memory by JavaScript: ${kind} memory`, () => {
      let queue = new P2PQueue()
      if (kind === 'private') queue = P2PQueue.attach(new ArrayBuffer(queue.byteLength))
      queue.clear()
      const memory = pageMemory(queue.buffer)
      queue.writer('incoming').write('alice', 0xfffffffe, Uint8Array.of(0, 255, 7))
      assert.deepEqual([0, 4, 8, 12, 32, 68].map(memory.load), [1, 0, 1, 1, 43, 0xfffffffe])
      assert.equal(memory.read(76, 3), base64(Uint8Array.of(0, 255, 7)))
      assert.equal(memory.read(76, 0), '')
      memory.store(32, 0)
      memory.store(4, 1)
      memory.add(8, -1)
      assert.deepEqual([0, 4, 8].map(memory.load), [1, 1, 0])
      const message = new Uint8Array(4 + 40 + 2)
      const view = new DataView(message.buffer)
      view.setUint32(0, 42, true)
      view.setUint32(40, 2, true)
      message.set([200, 100], 44)
      memory.write(32 + 256 * 1024, base64(message))
      memory.store(16, 1)
      memory.add(24, 1)
      assert.deepEqual(queue.reader('outgoing').take(), [
        { from: '', channel: 0, timestamp: 0, data: Uint8Array.of(200, 100) },
      ])
      assert.ok(Number(memory.now()) > 1.7e12)
    })
  }
})
