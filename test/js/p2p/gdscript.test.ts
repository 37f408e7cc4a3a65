// The seed's own reader and writer against Sabway's, in each form that the seed describes.
import assert from 'node:assert/strict'
import { P2PQueue, type P2PQueueOptions } from 'sabway/p2p'
import {
  FIRST_SECTION,
  incoming,
  outgoing,
  PackedByteArray,
  READER_OF_SEED,
  read_messages_from_queue,
  type Section,
  type Variant,
  WRITER_OF_SEED,
  write_to_outgoing_queue,
} from './gdscript.js'

const bytesOf = (queue: P2PQueue): Uint8Array => new Uint8Array(queue.buffer)
const payload = (n: number): Uint8Array => Uint8Array.from({ length: n % 300 }, (_, i) => n + i)

interface Form {
  name: string
  options: P2PQueueOptions
  variant: Variant
  /** Where what the engine reads and writes is. */
  incoming: Section
  outgoing: Section
  ways: { toEngine: 'incoming'; toNetwork: 'incoming' | 'outgoing' }
}

const both = { toEngine: 'incoming', toNetwork: 'outgoing' } as const
const one = { toEngine: 'incoming', toNetwork: 'incoming' } as const
const smallPlain = { ...WRITER_OF_SEED, MESSAGE_SIZE: 512 }
const largeTimed = { ...READER_OF_SEED, MESSAGE_SIZE: 1024 }

const FORMS: Form[] = [
  {
    name: "the reader's section: one direction, 512 bytes, a header of 48",
    options: { single: true, slotBytes: 512, timestamps: true },
    variant: READER_OF_SEED,
    incoming: FIRST_SECTION,
    outgoing: FIRST_SECTION,
    ways: one,
  },
  {
    name: "the writer's section: both directions, 1024 bytes, a header of 40",
    options: {},
    variant: WRITER_OF_SEED,
    incoming: incoming(),
    outgoing: outgoing(WRITER_OF_SEED),
    ways: both,
  },
  {
    name: 'both directions, 512 bytes, a header of 40',
    options: { slotBytes: 512 },
    variant: smallPlain,
    incoming: incoming(),
    outgoing: outgoing(smallPlain),
    ways: both,
  },
  {
    name: 'both directions, 1024 bytes, a header of 48',
    options: { timestamps: true },
    variant: largeTimed,
    incoming: incoming(),
    outgoing: outgoing(largeTimed),
    ways: both,
  },
]

describe("the seed's GDScript", () => {
  for (const { name, options, variant, incoming, outgoing, ways } of FORMS) {
    describe(name, () => {
      it('reads what Sabway writes', () => {
        const queue = new P2PQueue(options)
        const writer = queue.writer(ways.toEngine)
        const view = new PackedByteArray(bytesOf(queue))
        let written = 0
        for (let seen = 0; seen < 1000; ) {
          while (written < seen + 1 + (seen % 255)) {
            assert.ok(writer.write(`peer-${written}`, written, payload(written)))
            written++
          }
          const messages = read_messages_from_queue(view, 10, variant, incoming)
          assert.ok(messages.length > 0)
          for (const { from_user_id, channel, data } of messages) {
            assert.equal(from_user_id, `peer-${seen}`)
            assert.equal(channel, seen)
            assert.deepEqual(data.bytes(), payload(seen))
            seen++
          }
        }
        assert.deepEqual([writer.refused, writer.repaired, writer.bad], [0, 0, 0])
      })

      it('writes what Sabway reads, and fills every slot', () => {
        const queue = new P2PQueue(options)
        const reader = queue.reader(ways.toNetwork)
        let written = 0
        let seen = 0
        for (let round = 0; round < 5; round++) {
          const write = () =>
            write_to_outgoing_queue(
              bytesOf(queue),
              `user-${written}`,
              new PackedByteArray(payload(written)),
              written,
              variant,
              outgoing,
            )
          while (write()) written++
          assert.equal(written - seen, 256)
          assert.equal(reader.pending, 256)
          for (const message of reader.take()) {
            assert.deepEqual(message, { from: `user-${seen}`, channel: seen, timestamp: 0, data: payload(seen) })
            seen++
          }
          assert.equal(seen, written)
        }
        assert.deepEqual([reader.skipped, reader.repaired, reader.bad], [0, 0, 0])
      })

      it('is told of messages again that it does not see because it has written an old count back', () => {
        const queue = new P2PQueue(options)
        const writer = queue.writer(ways.toEngine)
        const view = new PackedByteArray(bytesOf(queue))
        for (let n = 0; n < 3; n++) writer.write('a', n, payload(n))
        view.encode_u32(incoming.header + 8, 0)
        assert.deepEqual(read_messages_from_queue(view, 10, variant, incoming), [])
        assert.deepEqual([writer.repair(), writer.repair()], [false, true])
        const channels = read_messages_from_queue(view, 10, variant, incoming).map(({ channel }) => channel)
        assert.deepEqual(channels, [0, 1, 2])
      })
    })
  }
})
