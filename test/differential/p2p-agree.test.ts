// Queues between peers in C and in JavaScript, fed with the same calls, among which the memory
// becomes something else: they return the same, and leave the same bytes.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type P2PDirection, P2PQueue, type P2PReader, type P2PWriter } from 'sabway/p2p'
import { abi } from '../js/support/abi.js'
import { root } from '../js/support/paths.js'

type Call = [name: string, a: number, b: number, c: number]

interface Form {
  slots: number
  slotBytes: 512 | 1024
  timestamps: boolean
  single: boolean
}

const WAYS: P2PDirection[] = ['incoming', 'outgoing']

function script(form: Form, seed: number, steps: number): Call[] {
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % below
  }
  const directions = form.single ? 1 : 2
  const words = (directions * (16 + form.slots * form.slotBytes)) / 4
  const poke = (): Call => {
    const value = [random(form.slots + 2), random(1100), 2 ** 32 - 1 - random(3), random(2 ** 24) * 256, 0][random(5)]!
    if (random(2) === 0) return ['poke', random(directions * 4), value, 0]
    const slot = directions * 4 + (random(directions * form.slots) * form.slotBytes) / 4
    return ['poke', Math.min(slot + random(13), words - 1), value, 0]
  }
  return Array.from({ length: steps }, (): Call => {
    const direction = random(directions)
    // some scripts leave the memory as it is
    if (seed % 3 !== 0 && random(12) === 0) return poke()
    switch (random(10)) {
      case 0:
        return ['mend', direction, 0, 0]
      case 1:
        return [['room', 'pending', 'counters', 'open'][random(4)]!, direction, 0, 0]
      case 2:
      case 3:
      case 4:
      case 5:
        return ['read', direction, 0, 0]
      default:
        return ['write', direction, random(1000), random(form.slotBytes)]
    }
  })
}

/** What each call returned, and the sum of the memory behind it. */
function inJavaScript(form: Form, calls: Call[]): string[] {
  const queue = new P2PQueue(form)
  const memory = new Int32Array(queue.buffer)
  const writers: P2PWriter[] = []
  const readers: P2PReader[] = []
  const open = (direction: number): number => {
    try {
      writers[direction] = queue.writer(WAYS[direction]!)
      readers[direction] = queue.reader(WAYS[direction]!)
      return 0
    } catch (error) {
      return abi.ERRORS[(error as { code: string }).code]!.number
    }
  }
  for (let i = 0; i < (form.single ? 1 : 2); i++) open(i)
  const act = ([name, a, b, c]: Call): number => {
    const writer = writers[a]!
    const reader = readers[a]!
    switch (name) {
      case 'write': {
        if (c > queue.maxDataBytes) return 0
        return Number(
          writer.write(
            'peer',
            b,
            Uint8Array.from({ length: c }, (_, i) => b + i),
            b,
          ),
        )
      }
      case 'read': {
        let result = -1
        reader.read(({ channel, timestamp, data }) => {
          let total = (channel + (timestamp % 2 ** 32)) | 0
          for (const byte of data) total = (Math.imul(total, 31) + byte) | 0
          result = total & 0x7fffffff
        }, 1)
        return result
      }
      case 'room':
        return writer.room
      case 'pending':
        return reader.pending
      case 'mend':
        return Number(writer.repair()) + 2 * Number(reader.repair())
      case 'counters': {
        const counters = [reader.repaired, reader.bad, reader.skipped, writer.repaired, writer.bad, writer.refused]
        return counters.reduce((total, each) => (Math.imul(total, 31) + each) | 0, 0) & 0x7fffffff
      }
      case 'open':
        return open(a)
      default:
        memory[a] = b
        return 0
    }
  }
  return calls.map((call) => {
    const result = act(call)
    let total = 0
    for (const word of memory) total = (Math.imul(total, 31) + word) | 0
    return `${result} ${total >>> 0}`
  })
}

describe('queues between peers in C and in JavaScript', () => {
  let folder = ''
  let program = ''

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sabway-p2p-'))
    program = join(folder, 'script')
    const sources = ['test/differential/p2p_script.c', 'native/core/p2p/slots.c']
    // The compiler is not under test: where this process runs with a sanitizer preloaded, it leaks.
    execFileSync('cc', ['-std=c11', '-O1', '-Inative', '-Inative/include', ...sources, '-o', program], {
      cwd: fileURLToPath(root),
      env: { PATH: process.env.PATH },
    })
  })

  after(() => rmSync(folder, { recursive: true }))

  for (const slots of [2, 3, 16]) {
    for (const slotBytes of [512, 1024] as const) {
      for (const timestamps of [false, true]) {
        for (const single of [false, true]) {
          const form: Form = { slots, slotBytes, timestamps, single }
          it(`agree: ${JSON.stringify(form)}`, () => {
            for (let seed = 1; seed <= 6; seed++) {
              const calls = script(form, seed, 500)
              const head = `${slots} ${slotBytes} ${timestamps ? 2 : 1} ${Number(single)}`
              const input = [head, ...calls.map((call) => call.join(' '))].join('\n')
              const printed = execFileSync(program, { input, encoding: 'utf8', env: {} }).trimEnd().split('\n')
              const ours = inJavaScript(form, calls)
              const at = ours.findIndex((line, i) => line !== printed[i])
              assert.equal(ours[at], printed[at], `seed ${seed}, call ${at}: ${calls[at]}`)
              assert.equal(printed.length, calls.length)
            }
          })
        }
      }
    }
  }
})
