// A peer that writes garbage into the shared memory costs an error, never a crash, a hang or a
// wrong message.
import assert from 'node:assert/strict'
import { SabwayError, SharedMemoryChannel, type Side } from 'sabway'
import { abi, ringWord } from '../support/abi.js'
import { pattern, random } from '../support/bytes.js'
import { collect, open, pair, takeAll } from '../support/channels.js'
import { assertError, throwsError } from '../support/errors.js'
import { haveAddon, itNative } from '../support/host.js'
import { nativeThreadsAre } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

const CAPACITY = 4096
const { sw_ring, sw_frame } = abi

/** The errors and ends that a channel tells of. */
function listen(channel: SharedMemoryChannel): { errors: SabwayError[]; closed: number } {
  const told = { errors: [] as SabwayError[], closed: 0 }
  channel.addEventListener('error', (event) => told.errors.push((event as unknown as { error: SabwayError }).error))
  channel.addEventListener('close', () => told.closed++)
  return told
}

/** The ring that `producer` writes, as its peer can reach it. */
function ring(channel: SharedMemoryChannel, producer: Side) {
  const words = new Int32Array(channel.handle.memory.buffer)
  const data = words[ringWord(producer, sw_ring.data)]!
  return {
    word: (field: number) => ringWord(producer, field),
    frame: (field: number) => (data + field) >>> 2,
    words,
  }
}
type Ring = ReturnType<typeof ring>

/** What a producer can do to a consumer that has 3 frames of 112 bytes before it. */
const scribbles: Record<string, (r: Ring) => void> = {
  'head past a full ring': (r) => Atomics.store(r.words, r.word(sw_ring.head), CAPACITY + 8),
  'head far away': (r) => Atomics.store(r.words, r.word(sw_ring.head), 0x7ffffff8),
  'head behind the tail': (r) => Atomics.store(r.words, r.word(sw_ring.head), -8),
  'head between two words': (r) => Atomics.add(r.words, r.word(sw_ring.head), 4),
  'head inside a frame': (r) => Atomics.sub(r.words, r.word(sw_ring.head), 8),
  'a frame of length 0': (r) => Atomics.store(r.words, r.frame(sw_frame.length), 0),
  'a frame shorter than its header': (r) => Atomics.store(r.words, r.frame(sw_frame.length), 7),
  'a frame that was never committed': (r) => Atomics.store(r.words, r.frame(sw_frame.length), -112),
  'a frame longer than what is published': (r) => Atomics.store(r.words, r.frame(sw_frame.length), 2000),
  'a frame longer than the ring': (r) => Atomics.store(r.words, r.frame(sw_frame.length), 1 << 20),
  'a frame of the largest length': (r) => Atomics.store(r.words, r.frame(sw_frame.length), 0x7fffffff),
  'a frame of no type': (r) => Atomics.store(r.words, r.frame(sw_frame.info), 0),
  'a frame of an unknown type': (r) => Atomics.store(r.words, r.frame(sw_frame.info), 77),
  'padding that does not reach the end': (r) => Atomics.store(r.words, r.frame(sw_frame.info), 2),
}

describe('a JavaScript receiver', () => {
  for (const [what, scribble] of Object.entries(scribbles)) {
    it(`finds ${what}, and stays with that`, async () => {
      const { renderer, native } = pair(CAPACITY)
      const told = listen(native)
      for (let i = 0; i < 3; i++) renderer.send(pattern(i, 104))
      const rings = new Int32Array(renderer.handle.memory.buffer, abi.SW_HEAP_AT)
      const saved = rings.slice()
      scribble(ring(renderer, 'renderer'))
      const received = collect(native)
      await until(() => told.errors.length === 1, "the 'error' event")
      assertError(told.errors[0], 'ERR_SABWAY_CORRUPT', /while receiving; this side reads no more from the channel/)
      const given = received.length
      received.forEach((message, i) => {
        assert.deepEqual(message, pattern(i, 104), 'what came before it is right')
      })
      rings.set(saved) // an honest peer again: too late
      assert.deepEqual(takeAll(native), [])
      await aWhile()
      assert.deepEqual([received.length, told.errors.length, told.closed], [given, 1, 1])
    })
  }

  it("finds it by drain: nothing given, an 'error' event", () => {
    const { renderer, native } = pair(CAPACITY)
    const told = listen(native)
    renderer.send(pattern(0, 104))
    scribbles['head past a full ring']!(ring(renderer, 'renderer'))
    assert.deepEqual(takeAll(native), [])
    assertError(told.errors[0], 'ERR_SABWAY_CORRUPT', /while receiving/)
  })

  it('still sends: the other ring is another matter', async () => {
    const { renderer, native } = pair(CAPACITY)
    const told = listen(native)
    renderer.send(pattern(0, 104))
    scribbles['a frame of length 0']!(ring(renderer, 'renderer'))
    collect(native)
    await until(() => told.errors.length === 1, "the 'error' event")
    native.send(pattern(1, 10))
    assert.deepEqual(takeAll(renderer), [pattern(1, 10)])
  })
})

describe('a JavaScript sender', () => {
  const tails: Record<string, (r: Ring) => void> = {
    'a tail ahead of the head': (r) => Atomics.add(r.words, r.word(sw_ring.tail), CAPACITY + 8),
    'a tail far away': (r) => Atomics.store(r.words, r.word(sw_ring.tail), 0x7ffffff8),
    'a tail that moved back': (r) => Atomics.sub(r.words, r.word(sw_ring.tail), 8),
    'a tail between two words': (r) => Atomics.add(r.words, r.word(sw_ring.tail), 4),
  }
  for (const [what, scribble] of Object.entries(tails)) {
    it(`finds ${what}, and stays with that`, () => {
      const { renderer, native } = pair(CAPACITY)
      while (renderer.trySend(pattern(0, 1000)));
      const { words, word } = ring(renderer, 'renderer')
      const saved = words[word(sw_ring.tail)]!
      scribble(ring(renderer, 'renderer'))
      throwsError(() => renderer.send(pattern(1, 1000)), 'ERR_SABWAY_CORRUPT', /while sending/)
      Atomics.store(words, word(sw_ring.tail), saved)
      throwsError(() => renderer.send(pattern(1, 1000)), 'ERR_SABWAY_CORRUPT', /while sending/)
      throwsError(() => renderer.sendBatch([pattern(1, 1)]), 'ERR_SABWAY_CORRUPT', /while sending/)
      throwsError(() => renderer.reserve(1), 'ERR_SABWAY_CORRUPT', /while sending/)
      assert.equal(takeAll(native).length, 4, 'what was sent before is there')
    })
  }

  for (const [what, scribble] of Object.entries(tails)) {
    it(`finds ${what} by sendBatch, too, which says so and sends nothing`, () => {
      const { renderer, native } = pair(CAPACITY)
      while (renderer.trySend(pattern(0, 1000)));
      scribble(ring(renderer, 'renderer'))
      const messages = [pattern(1, 1000), pattern(2, 10)]
      throwsError(() => renderer.sendBatch(messages), 'ERR_SABWAY_CORRUPT', /while sending/)
      assert.equal(takeAll(native).length, 4, 'what was sent before is there')
    })
  }

  it('says so when its own handle in the region was overwritten: by send and by sendBatch', () => {
    const layout = abi as unknown as Record<'SW_INSTANCES_AT', number> & { sw_instance: { producer: number } }
    for (const act of ['send', 'sendBatch'] as const) {
      const { renderer } = pair(CAPACITY)
      renderer.send(pattern(0, 8))
      const handle = layout.SW_INSTANCES_AT + layout.sw_instance.producer // of endpoint 0
      new Int32Array(renderer.handle.memory.buffer, handle, 14).fill(0x7ffffff0)
      const message = pattern(1, 8)
      throwsError(
        () => (act === 'send' ? renderer.send(message) : renderer.sendBatch([message, message])),
        'ERR_SABWAY_CORRUPT',
        /./,
      )
    }
  })

  it('rejects what is queued', async () => {
    const { renderer, native } = pair(CAPACITY)
    renderer.send(pattern(0, 4096))
    const waiting = renderer.sendDirect(pattern(1, 4096))
    const settled = waiting.catch((error) => error)
    await aWhile()
    tails['a tail far away']!(ring(renderer, 'renderer'))
    native.cleanup() // rings
    assert.ok(['ERR_SABWAY_CORRUPT', 'ERR_SABWAY_CLOSED'].includes((await settled).code))
  })
})

describe('attaching', () => {
  const controls: Record<string, [number, number][]> = {
    'a capacity that is no power of two': [[sw_ring.capacity, 5000]],
    'a capacity of 0': [[sw_ring.capacity, 0]],
    'a capacity larger than the region': [[sw_ring.capacity, 1 << 29]],
    'data outside the region': [[sw_ring.data, 0x7fffff80]],
    'data in the header': [[sw_ring.data, 128]],
    'data between two lines': [[sw_ring.data, abi.SW_HEAP_AT + 4]],
    'indices further apart than the ring is long': [
      [sw_ring.head, 8192],
      [sw_ring.tail, 0],
    ],
    'an index between two words': [[sw_ring.head, 4]],
  }
  for (const [what, writes] of Object.entries(controls)) {
    for (const producer of ['renderer', 'native'] as const) {
      it(`finds ${what} in the ${producer}'s ring`, async () => {
        const channel = open(CAPACITY, CAPACITY)
        for (const [field, value] of writes) ring(channel, producer).words[ringWord(producer, field)] = value
        const attach = () => SharedMemoryChannel.attach(channel.handle, { side: 'native' })
        throwsError(attach, 'ERR_SABWAY_CORRUPT', /./)
        if (haveAddon)
          throwsError(() => channel.startWorker({ builtin: 'echo' }), 'ERR_SABWAY_CORRUPT', /while starting/)
        await nativeThreadsAre(0)
      })
    }
  }

  for (const nonsense of [0xff, 0x41, 0x7fffff02, -1]) {
    it(`takes a side from a holder that does not exist: ${nonsense}`, () => {
      const channel = open(CAPACITY, CAPACITY)
      const { words } = ring(channel, 'native')
      words[ringWord('native', sw_ring.producer)] = nonsense
      words[ringWord('renderer', sw_ring.consumer)] = nonsense
      channel.send(pattern(1, 10)) // rings no doorbell
      const native = SharedMemoryChannel.attach(channel.handle, { side: 'native' })
      assert.deepEqual(takeAll(native), [pattern(1, 10)])
      native.cleanup()
    })
  }
})

describe('role words', () => {
  it('that name no endpoint are ignored: messages go on', async () => {
    const { renderer, native } = pair(CAPACITY)
    const { words, word } = ring(renderer, 'renderer')
    const at = [word(sw_ring.producer), word(sw_ring.consumer)]
    const honest = at.map((index) => Atomics.load(words, index))
    for (const role of [0x1ff, 0x1fe, 0x141, 0xffffff41]) {
      for (const index of at) Atomics.store(words, index, role)
      renderer.addEventListener('message', () => {}) // looks at the roles
      await aWhile()
      renderer.stopReceiving()
    }
    at.forEach((index, i) => {
      Atomics.store(words, index, honest[i]!)
    })
    renderer.send(pattern(1, 100))
    assert.deepEqual(await native.receive(), pattern(1, 100))
  })
})

describe('a native worker', () => {
  for (const [what, scribble] of Object.entries(scribbles)) {
    itNative(`finds ${what}, and ends with an error`, async () => {
      const channel = open(CAPACITY, CAPACITY)
      const told = listen(channel)
      for (let i = 0; i < 3; i++) channel.send(pattern(i, 104))
      scribble(ring(channel, 'renderer'))
      collect(channel)
      try {
        channel.startWorker({ builtin: 'echo' })
      } catch (error) {
        assertError(error, 'ERR_SABWAY_CORRUPT', /./) // found on attaching already
        return
      }
      await until(() => told.errors.length === 1, "the 'error' event")
      assertError(told.errors[0], 'ERR_SABWAY_CORRUPT', /the native worker ended/)
      await until(() => told.closed === 1, "'close'")
      await nativeThreadsAre(0)
    })
  }

  itNative('finds a tail far away when it sends, and ends with an error', async () => {
    const channel = open(CAPACITY, CAPACITY)
    const told = listen(channel)
    channel.startWorker({ builtin: 'source', size: 1000 })
    await until(() => channel.stats().worker!.sent === 4, 'a full ring')
    const { words } = ring(channel, 'native')
    Atomics.store(words, ringWord('native', sw_ring.tail), 0x7ffffff8)
    channel.send(pattern(0, 1)) // wakes it
    await until(() => told.errors.length === 1, "the 'error' event")
    assertError(told.errors[0], 'ERR_SABWAY_CORRUPT', /the native worker ended/)
  })
})

describe('random garbage', () => {
  const ALLOWED = new Set(['ERR_SABWAY_CORRUPT', 'ERR_SABWAY_CLOSED', 'ERR_SABWAY_SIDE_TAKEN', 'ERR_SABWAY_REPLACED'])

  it('in both rings under two JavaScript sides and a native worker: errors, nothing worse (400 rounds)', async () => {
    const next = random(20_260_101)
    const integer = (below: number) => Math.floor(next() * below)
    let found = 0
    const attempt = (act: () => unknown) => {
      try {
        act()
      } catch (error) {
        assert.ok(error instanceof SabwayError && ALLOWED.has(error.code), `${error}`)
        found++
      }
    }
    for (let round = 0; round < 400; round++) {
      const channel = new SharedMemoryChannel(CAPACITY, CAPACITY)
      const told = listen(channel)
      const words = new Int32Array(channel.handle.memory.buffer)
      const first = (abi.SW_HEAP_AT + abi.sw_channel.rings) >>> 2
      const scribble = () => {
        const inControl = next() < 0.3
        const at = first + integer(inControl ? (2 * sw_ring.sizeof) >>> 2 : words.length - first)
        const value = [next() * 2 ** 32, integer(5000), -integer(5000), 1 << integer(32)][integer(4)]!
        Atomics.store(words, at, value | 0)
      }
      const withWorker = haveAddon && round % 2 === 0
      if (withWorker) attempt(() => channel.startWorker({ builtin: 'echo' }))
      const native = withWorker ? undefined : SharedMemoryChannel.attach(channel.handle, { side: 'native' })
      const toldNative = native && listen(native)
      for (let i = 0; i < 30; i++) {
        attempt(() => channel.trySend(pattern(i, integer(3000))))
        for (let n = integer(6); n > 0; n--) scribble()
        attempt(() => native?.trySend(pattern(i, integer(3000))))
        attempt(() => native?.drain((bytes, start, end) => assert.ok(start <= end && end <= bytes.length)))
        attempt(() => channel.drain((bytes, start, end) => assert.ok(start <= end && end <= bytes.length)))
      }
      native?.cleanup()
      channel.cleanup()
      for (const error of [...told.errors, ...(toldNative?.errors ?? [])]) {
        assert.ok(ALLOWED.has(error.code), error.message)
        found++
      }
    }
    assert.ok(found > 400, `${found} errors: the garbage was noticed`)
    await nativeThreadsAre(0)
  })
})
