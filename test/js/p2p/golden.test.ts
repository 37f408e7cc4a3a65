// The bytes of queues between peers are those of the table by which the C core is checked, too.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type P2PDirection, P2PQueue, type P2PReader, type P2PWriter } from 'sabway/p2p'
import { root } from '../support/paths.js'

const WAYS: P2PDirection[] = ['incoming', 'outgoing']
const lines = readFileSync(new URL('test/golden/p2p.txt', root), 'utf8').split('\n')
const hex = (text: string): Uint8Array => Uint8Array.from(text === '-' ? [] : Buffer.from(text, 'hex'))

interface Case {
  name: string
  queue: P2PQueue
  expected: Uint8Array
}

/** Each case, with its calls made. */
function casesOf(kind: 'shared' | 'private'): Case[] {
  const cases: Case[] = []
  let writers: P2PWriter[] = []
  let readers: P2PReader[] = []
  for (const line of lines) {
    const [call, ...rest] = line.split(' ')
    const numbers = rest.map(Number)
    if (call === 'queue') {
      const [slots, slotBytes, version, single] = numbers as [number, 512 | 1024, number, number]
      const options = { slots, slotBytes, timestamps: version === 2, single: single === 1 }
      let queue = new P2PQueue(options)
      if (kind === 'private') {
        queue = P2PQueue.attach(new ArrayBuffer(queue.byteLength + 16), { ...options, byteOffset: 12 })
        queue.clear()
      }
      const ways = WAYS.slice(0, 2 - single)
      writers = ways.map((way) => queue.writer(way))
      readers = ways.map((way) => queue.reader(way))
      cases.push({ name: line, queue, expected: new Uint8Array(queue.byteLength) })
    } else if (call === 'write') {
      const [direction, id, channel, timestamp, data] = rest as [string, string, string, string, string]
      const from = id === '-' ? '' : id
      assert.ok(writers[Number(direction)]!.write(from, Number(channel), hex(data), Number(timestamp)))
    } else if (call === 'consume') {
      assert.equal(
        readers[numbers[0]!]!.read(() => {}, 1),
        1,
      )
    } else if (call === 'at') {
      cases.at(-1)!.expected.set(hex(rest[1]!), numbers[0]!)
    }
  }
  return cases
}

describe('the bytes of a queue between peers', () => {
  for (const kind of ['shared', 'private'] as const) {
    const cases = casesOf(kind)

    it(`are all in the table: ${kind} memory`, () => {
      assert.equal(cases.length, 8)
    })

    for (const { name, queue, expected } of cases) {
      it(`are those of the table: ${name}, ${kind} memory`, () => {
        const bytes = new Uint8Array(queue.buffer, queue.byteOffset, queue.byteLength)
        assert.equal(Buffer.from(bytes).toString('hex'), Buffer.from(expected).toString('hex'))
      })
    }
  }
})
