// Queues between peers from JavaScript: what is written is read; a full queue refuses; what cannot
// be right is passed over and counted.
import assert from 'node:assert/strict'
import { type P2PAttachOptions, P2PQueue, type P2PReader, type P2PWriter } from 'sabway/p2p'
import { throwsError } from '../support/errors.js'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const SLOTS = 5

interface Ends {
  queue: P2PQueue
  words: Int32Array
  writer: P2PWriter
  reader: P2PReader
}

const WRITE = 0
const READ = 1
const COUNT = 2
/** Where a slot of the incoming direction begins, as the index of a word. */
const slot = (index: number): number => (32 + index * 1024) / 4

function ends(queue = new P2PQueue({ slots: SLOTS })): Ends {
  const words = new Int32Array(queue.buffer, queue.byteOffset)
  return { queue, words, writer: queue.writer('incoming'), reader: queue.reader('incoming') }
}

const channels = (reader: P2PReader): number[] => reader.take().map(({ channel }) => channel)
const put = (writer: P2PWriter, channel: number): boolean => writer.write('a', channel, bytes(channel))

describe('a queue between peers', () => {
  it('has the size that its options say, and room for so much', () => {
    const usual = new P2PQueue()
    assert.deepEqual([usual.byteLength, usual.maxDataBytes], [2 * (16 + 256 * 1024), 980])
    assert.deepEqual([usual.slots, usual.slotBytes, usual.timestamps, usual.single], [256, 1024, false, false])
    assert.equal(usual.buffer.byteLength, usual.byteLength)
    assert.ok(usual.buffer instanceof SharedArrayBuffer)
    const small = new P2PQueue({ slots: 2, slotBytes: 512, timestamps: true, single: true })
    assert.deepEqual([small.byteLength, small.maxDataBytes], [16 + 2 * 512, 460])
  })

  it('gives each message whole, in order, to one reader', () => {
    const { writer, reader } = ends()
    let written = 0
    let seen = 0
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i <= round % (SLOTS - 1); i++, written++) {
        const data = Uint8Array.from({ length: (written * 13) % 981 }, (_, k) => written + k)
        assert.ok(writer.write(`peer ${written % 7}`, written, data))
      }
      assert.equal(reader.pending, written - seen)
      for (const { from, channel, timestamp, data } of reader.take()) {
        assert.deepEqual([from, channel, timestamp], [`peer ${seen % 7}`, seen, 0])
        assert.deepEqual(
          data,
          Uint8Array.from({ length: (seen * 13) % 981 }, (_, k) => seen + k),
        )
        seen++
      }
    }
    assert.equal(seen, written)
    assert.deepEqual([reader.skipped, reader.bad, reader.repaired], [0, 0, 0])
  })

  it('refuses when it is full, and overwrites nothing', () => {
    const { writer, reader, words } = ends()
    for (let n = 1; n < SLOTS; n++) {
      assert.equal(writer.room, SLOTS - n)
      assert.ok(put(writer, n))
    }
    assert.deepEqual([put(writer, 9), writer.refused, writer.room], [false, 1, 0])
    assert.equal(words[COUNT], SLOTS - 1)
    assert.deepEqual(channels(reader), [1, 2, 3, 4])
    assert.equal(writer.room, SLOTS - 1)
  })

  it('keeps its two directions apart', () => {
    const queue = new P2PQueue()
    queue.writer('outgoing').write('b', 1, bytes(1))
    queue.writer('incoming').write('a', 2, bytes(2))
    assert.deepEqual(channels(queue.reader('incoming')), [2])
    assert.deepEqual(channels(queue.reader('outgoing')), [1])
  })

  it('has the time of each message where it has timestamps', () => {
    const { writer, reader } = ends(new P2PQueue({ timestamps: true }))
    const before = Date.now()
    writer.write('a', 0, bytes(), Number.MAX_SAFE_INTEGER)
    writer.write('a', 0, bytes())
    const [given, present] = reader.take().map(({ timestamp }) => timestamp)
    assert.equal(given, Number.MAX_SAFE_INTEGER)
    assert.ok(present! >= before && present! <= Date.now())
  })

  it('has any id of up to 32 bytes', () => {
    const { writer, reader } = ends()
    const ids = ['', 'a', 'Jürgen', '\u{1f600}'.repeat(8), '0123456789abcdef0123456789abcdef', ' x\n', '\ufeffa']
    for (const id of ids) {
      writer.write(id, 0, bytes())
      assert.deepEqual(
        reader.take().map(({ from }) => from),
        [id],
      )
    }
    for (let n = 0; n < 3000; n++) {
      writer.write(`id ${n}`, 0, bytes())
      assert.equal(reader.take()[0]!.from, `id ${n}`)
    }
  })

  it('shows messages in place', () => {
    const { queue, writer, reader } = ends()
    writer.write('a', 7, bytes(1, 2, 3))
    writer.write('b', 8, bytes(4))
    const seen: unknown[] = []
    const count = reader.read((message) => {
      assert.equal(message.buffer, queue.buffer)
      assert.equal(message.data.buffer, queue.buffer)
      assert.equal(message.data.byteOffset, message.byteOffset)
      const copy = message.copy()
      assert.notEqual(copy.buffer, queue.buffer)
      assert.deepEqual(copy, Uint8Array.from(message.data))
      seen.push([message.from, message.channel, message.length, message.data[0]])
    })
    assert.equal(count, 2)
    assert.deepEqual(seen, [
      ['a', 7, 3, 1],
      ['b', 8, 1, 4],
    ])
  })

  it('gives as many as are asked for, or until the callback returns false', () => {
    const { writer, reader } = ends()
    for (let n = 1; n <= 4; n++) put(writer, n)
    assert.equal(
      reader.read(() => {}, 0),
      0,
    )
    assert.equal(
      reader.read(() => {}, 1),
      1,
    )
    assert.equal(
      reader.read(() => false),
      1,
    )
    assert.deepEqual(channels(reader), [3, 4])
  })

  it('has read a message whose callback throws', () => {
    const { writer, reader } = ends()
    put(writer, 1)
    put(writer, 2)
    const failure = new Error('no')
    assert.throws(
      () =>
        reader.read(() => {
          throw failure
        }),
      failure,
    )
    assert.deepEqual(channels(reader), [2])
  })

  it('gives each message once to callbacks that read, too', () => {
    const { writer, reader } = ends()
    for (let n = 1; n <= 4; n++) put(writer, n)
    const seen: number[] = []
    reader.read((message) => {
      seen.push(message.channel)
      if (message.channel === 2) throwsError(() => reader.take(), 'ERR_SABWAY_INVALID_STATE', /within its callback/)
    })
    assert.deepEqual(seen, [1, 2, 3, 4])
    assert.deepEqual(channels(reader), [])
  })

  it('takes what a callback writes at the next call at the latest', () => {
    const { writer, reader } = ends()
    put(writer, 0)
    let count = 0
    for (let i = 0; i < 3; i++) {
      count += reader.read((message) => void put(writer, message.channel + 1))
    }
    assert.equal(reader.pending, 1)
    assert.ok(count <= 3 * SLOTS)
  })

  it('is continued by new sides', () => {
    const { queue, writer, words } = ends()
    put(writer, 1)
    put(queue.writer('incoming'), 2)
    words[COUNT] = 77
    assert.deepEqual(channels(queue.reader('incoming')), [1, 2])
    assert.equal(words[COUNT], 0)
    put(queue.writer('incoming'), 3)
    assert.deepEqual(channels(queue.reader('incoming')), [3])
  })

  it('has timestamps where its memory says so', () => {
    const { queue, writer } = ends(new P2PQueue({ slots: SLOTS, timestamps: true }))
    writer.write('a', 1, bytes(2), 3)
    const attached = P2PQueue.attach(queue.buffer, { slots: SLOTS })
    assert.equal(attached.timestamps, true)
    assert.deepEqual(attached.reader('incoming').take(), [{ from: 'a', channel: 1, timestamp: 3, data: bytes(2) }])
    assert.equal(P2PQueue.attach(new P2PQueue({ slots: SLOTS }).buffer, { slots: SLOTS }).timestamps, false)
  })

  it('is empty after clear', () => {
    const { queue, writer } = ends()
    put(writer, 1)
    queue.clear()
    assert.equal(queue.reader('incoming').pending, 0)
    assert.equal(queue.writer('incoming').room, SLOTS - 1)
  })

  it('may lie anywhere in memory that is private or shared', () => {
    for (const Buffer of [ArrayBuffer, SharedArrayBuffer]) {
      const options = { slots: SLOTS, byteOffset: 20 }
      const buffer = new Buffer(20 + new P2PQueue({ slots: SLOTS }).byteLength)
      const { writer, queue } = ends(P2PQueue.attach(buffer, options))
      put(writer, 5)
      assert.equal(queue.byteOffset, 20)
      assert.equal(new Uint32Array(buffer)[5 + WRITE], 1)
      assert.deepEqual(channels(P2PQueue.attach(buffer, options).reader('incoming')), [5])
    }
  })

  it('says that memory which has moved is gone', () => {
    const queue = new P2PQueue({ slots: SLOTS })
    const memory = new WebAssembly.Memory({ initial: 1 })
    const { writer, reader } = ends(P2PQueue.attach(memory.buffer, { slots: SLOTS }))
    put(writer, 1)
    memory.grow(1)
    for (const act of [() => put(writer, 2), () => reader.take(), () => reader.pending, () => writer.room]) {
      throwsError(act, 'ERR_SABWAY_INVALID_STATE', /memory of the queue is gone/)
    }
    assert.deepEqual(channels(P2PQueue.attach(memory.buffer, { slots: SLOTS }).reader('incoming')), [1])
    assert.ok(queue)
  })
})

describe('a queue between peers whose other side is hostile', () => {
  it('skips and counts messages of wrong sizes', () => {
    let skipped = 0
    const { writer, reader, words } = ends()
    for (const size of [0, 1, 39, 1021, -1, 0x7fffffff]) {
      const at = words[WRITE]!
      put(writer, 1)
      put(writer, 2)
      words[slot(at)] = size
      assert.deepEqual(channels(reader), [2])
      assert.equal(reader.skipped, ++skipped)
    }
    const at = words[WRITE]!
    put(writer, 1)
    put(writer, 2)
    words[slot(at) + 10] = 2 // longer than the message
    assert.deepEqual(channels(reader), [2])
    assert.equal(reader.skipped, ++skipped)
  })

  it('passes over indices that cannot be right', () => {
    const { writer, reader, words } = ends()
    put(writer, 1)
    put(writer, 2)
    for (const wrong of [SLOTS, -1, 0x7fffffff]) {
      words[WRITE] = wrong
      assert.equal(reader.pending, 0)
      words[WRITE] = 2
      words[READ] = wrong
      assert.equal(writer.room, SLOTS - 3)
    }
    words[READ] = 3 // what was not written cannot have been read
    assert.equal(writer.room, SLOTS - 3)
    assert.ok(writer.bad > 0 && reader.bad > 0)
    assert.deepEqual(channels(reader), [1, 2])
  })

  it('overwrites nothing, and shows nothing old, whatever the count is', () => {
    const { writer, reader, words } = ends()
    for (let count = -3; count < 3 * SLOTS; count++) {
      for (let n = 1; n < SLOTS; n++) put(writer, n)
      words[COUNT] = count
      assert.deepEqual([put(writer, 9), put(writer, 9)], [false, false])
      assert.deepEqual(channels(reader), [1, 2, 3, 4])
      words[COUNT] = count
      assert.deepEqual(channels(reader), [])
      assert.deepEqual(channels(reader), [])
      assert.equal(words[COUNT], 0)
    }
  })

  it('never ends late, and never shows anything outside of a slot', () => {
    let seed = 1
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    const { writer, reader, words } = ends()
    for (let i = 0; i < 30000; i++) {
      const value = [random(SLOTS + 2), random(1100), -1, 0x7fffffff, random(2 ** 24)][random(5)]!
      words[random(2) === 0 ? random(4) : slot(random(SLOTS)) + random(12)] = value
      if (random(2) === 0) put(writer, i)
      reader.read(({ byteOffset, length }) => {
        const at = (byteOffset - 32) % 1024
        assert.ok(byteOffset < 32 + SLOTS * 1024 && at === 44 && at + length <= 1024)
      })
      reader.repair()
      writer.repair()
    }
  })
})

describe('arguments of queues between peers', () => {
  const odd = (value: unknown) => value as never

  it('are refused with what was expected', () => {
    const buffer = new SharedArrayBuffer(1000)
    const { queue, writer, reader } = ends()
    for (const slots of [1, 65537, 2.5]) {
      throwsError(() => new P2PQueue({ slots }), 'ERR_SABWAY_OUT_OF_RANGE', /slots must be an integer from 2 to 65536/)
    }
    throwsError(() => new P2PQueue({ slots: odd('5') }), 'ERR_SABWAY_INVALID_TYPE', /slots must be a number, got '5'/)
    throwsError(() => new P2PQueue({ slotBytes: odd(600) }), 'ERR_SABWAY_INVALID_ARGUMENT', /512 or 1024, got 600/)
    throwsError(() => new P2PQueue({ timestamps: odd(1) }), 'ERR_SABWAY_INVALID_TYPE', /timestamps must be true or/)
    throwsError(() => new P2PQueue({ single: odd(null) }), 'ERR_SABWAY_INVALID_TYPE', /single must be true or false/)
    throwsError(
      () => new P2PQueue(odd({ size: 5 })),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /^[^:]*: options: unknown option 'size'/,
    )
    throwsError(() => P2PQueue.attach(odd({})), 'ERR_SABWAY_INVALID_TYPE', /buffer must be a SharedArrayBuffer or/)
    throwsError(() => P2PQueue.attach(buffer), 'ERR_SABWAY_INVALID_ARGUMENT', /has 524320 bytes, and there are 1000/)
    const at = (byteOffset: unknown): P2PAttachOptions => ({ slots: 2, byteOffset: odd(byteOffset) })
    throwsError(() => P2PQueue.attach(buffer, at(2)), 'ERR_SABWAY_INVALID_ARGUMENT', /a multiple of 4, got 2/)
    throwsError(() => P2PQueue.attach(buffer, at(-4)), 'ERR_SABWAY_OUT_OF_RANGE', /byteOffset must be/)
    throwsError(
      () => queue.writer(odd('in')),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /direction must be one of 'incoming', 'outgoing', got 'in'/,
    )
    const single = new P2PQueue({ single: true })
    throwsError(() => single.reader('outgoing'), 'ERR_SABWAY_INVALID_ARGUMENT', /one of 'incoming', got 'outgoing'/)
    throwsError(() => writer.write(odd(5), 0, bytes()), 'ERR_SABWAY_INVALID_TYPE', /from must be a string, got 5/)
    throwsError(() => writer.write('a'.repeat(33), 0, bytes()), 'ERR_SABWAY_INVALID_ARGUMENT', /at most 32 bytes/)
    throwsError(() => writer.write('a\0', 0, bytes()), 'ERR_SABWAY_INVALID_ARGUMENT', /no NUL/)
    throwsError(() => writer.write('a', -1, bytes()), 'ERR_SABWAY_OUT_OF_RANGE', /channel must be an integer/)
    throwsError(() => writer.write('a', odd('1'), bytes()), 'ERR_SABWAY_INVALID_TYPE', /channel must be a number/)
    throwsError(() => writer.write('a', 0, odd([1])), 'ERR_SABWAY_INVALID_TYPE', /must be a Uint8Array/)
    const long = new Uint8Array(981)
    throwsError(() => writer.write('a', 0, long), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /has 981 bytes, .* room for 980/)
    throwsError(() => reader.read(odd(1)), 'ERR_SABWAY_INVALID_TYPE', /visit must be a function/)
    throwsError(() => reader.take(odd('1')), 'ERR_SABWAY_INVALID_TYPE', /most must be a number/)
    throwsError(() => reader.take(-1), 'ERR_SABWAY_OUT_OF_RANGE', /most must be an integer/)
    assert.deepEqual(channels(reader), [])
  })

  it('are refused when the memory has another queue', () => {
    const { queue, words } = ends()
    const options: P2PAttachOptions = { slots: SLOTS, timestamps: true }
    const other = P2PQueue.attach(queue.buffer, options)
    throwsError(() => other.reader('incoming'), 'ERR_SABWAY_LAYOUT_MISMATCH', /version is 1, expected 2/)
    words[3] = 0 // written by a program that knows no version
    assert.equal(other.reader('incoming').pending, 0)
    words[READ] = SLOTS
    throwsError(() => queue.writer('incoming'), 'ERR_SABWAY_CORRUPT', /indices are 0 and 5, expected less than 5/)
  })
})
