// Threads that are terminated at random points, while they send, receive, and own native workers.
// The thread that is left sees every message that was committed, in order and whole, and the next
// thread goes on where the last one was.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Region, SharedMemoryChannel } from 'sabway'
import { random } from '../support/bytes.js'
import { keep, open } from '../support/channels.js'
import { seed, times } from '../support/effort.js'
import { itNative } from '../support/host.js'
import { DONE, numbered, numberOf, SENT, WRONG } from '../support/numbered.js'
import { endpointWord, receiverOf, sleeps } from '../support/sleepers.js'
import { nativeThreadsAre, Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { TerminatedData } from '../workers/terminated.js'
import type { WaitsData } from '../workers/waits.js'

/** SABWAY_SEED=n repeats a run, as far as threads can be repeated. */
const SEED = seed()
const ROUNDS = times(15)
const ROOM = 16384
/** What one call of sendBatch may have sent before the sender could say so. */
const BATCH = 20

/** The number of the last message. */
const MARK = 0xffffffff

const progressWords = () => new Int32Array(new SharedArrayBuffer(12))

/** The channel has exactly its participants, and what is in it is whole. */
function assertSound(channel: SharedMemoryChannel, participants: number): void {
  const region = Region.open({ sabway: 'region', memory: channel.handle.memory })
  try {
    region.check()
    assert.equal(region.stats().participants, participants + 1, 'participants')
  } finally {
    region.close()
  }
}

/**
 * Everything in the ring: the first number, and the one behind the last. Each has to follow the one
 * before.
 */
function drained(
  channel: SharedMemoryChannel,
  number: (message: Uint8Array) => number,
): [first: number, next: number] | null {
  let range: [number, number] | null = null
  channel.drain((bytes, start, end) => {
    const got = number(bytes.slice(start, end))
    range ??= [got, got]
    assert.equal(got, range[1]++)
  })
  return range
}

const firstWord = (message: Uint8Array) => new DataView(message.buffer, message.byteOffset).getUint32(0, true)

class RandomlyTerminated {
  readonly chance: () => number

  constructor(
    seed: number,
    private readonly data: Omit<TerminatedData, 'seed' | 'from'>,
  ) {
    this.chance = random(seed)
  }

  /**
   * A thread that lives until it has done a random number of steps: sometimes none, sometimes
   * hardly begun.
   */
  async live(from: number, meanwhile: () => void = () => {}): Promise<void> {
    const { progress } = this.data
    const seed = Math.floor(this.chance() * 2 ** 31)
    const kind = this.chance()
    const last = Atomics.load(progress, DONE) + 1 + Math.floor(this.chance() * (this.chance() < 0.5 ? 50 : 3000))
    const itself = kind < 0.3
    const thread = new Thread('terminated', {
      ...this.data,
      from,
      seed,
      ...(itself ? { last } : {}),
    } satisfies TerminatedData)
    if (kind > 0.9) await sleep(Math.floor(this.chance() * 60))
    else {
      const steps = () => {
        meanwhile()
        return Atomics.load(progress, DONE) >= last
      }
      await until(steps, `${last} messages`)
    }
    if (itself) await thread.ended()
    else await thread.terminate()
    assert.equal(Atomics.load(progress, WRONG), 0, 'the thread found a message missing, twice or broken')
  }
}

describe(`threads terminated at random (SABWAY_SEED=${SEED})`, () => {
  it(`senders: ${ROUNDS} of them, and one sequence arrives`, async () => {
    const channel = open(ROOM, ROOM)
    const progress = progressWords()
    const threads = new RandomlyTerminated(SEED, { handle: channel.handle, side: 'native', job: 'flood', progress })
    let next = 0
    const take = () => {
      const range = drained(channel, numberOf)
      if (range === null) return
      assert.equal(range[0], next)
      next = range[1]
    }
    for (let round = 0; round < ROUNDS; round++) {
      await threads.live(next, take)
      take()
      const told = Atomics.load(progress, DONE)
      assert.ok(next >= told && next <= told + BATCH, `${next} came, and ${told} were sent`)
      assertSound(channel, 1)
    }
  })

  it(`receivers: ${ROUNDS} of them, and none misses a message`, async () => {
    const channel = open(ROOM, ROOM)
    const progress = progressWords()
    const threads = new RandomlyTerminated(SEED + 1, { handle: channel.handle, side: 'native', job: 'take', progress })
    let sent = 0
    const send = () => {
      for (let i = 0; i < 300; i++) {
        if (channel.trySend(numbered(sent, Math.floor(threads.chance() * 400)))) sent++
      }
    }
    for (let round = 0; round < ROUNDS; round++) {
      await threads.live(0, send)
      assertSound(channel, 1)
    }
    const successor = keep(SharedMemoryChannel.attach(channel.handle, { side: 'native' }))
    const [first, next] = drained(successor, numberOf) ?? [sent, sent]
    assert.ok(first <= Atomics.load(progress, DONE), 'nothing is missing')
    assert.equal(next, sent)
  })

  it(`owners of native senders: ${ROUNDS}, and the rest of the sequence is there for the next`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const channel = open(ROOM, ROOM)
      const progress = progressWords()
      await new RandomlyTerminated(SEED + 2 + round, {
        handle: channel.handle,
        side: 'renderer',
        job: 'source',
        progress,
      }).live(0)
      await nativeThreadsAre(0) // its native worker has ended with it
      assertSound(channel, 1)
      const [first] = drained(channel, firstWord) ?? [0]
      assert.ok(first <= Atomics.load(progress, DONE), 'nothing is missing')
      await mustWork(channel)
    }
  })

  it(`owners of native echoes: ${ROUNDS}, and what they sent comes back to the next`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const channel = open(ROOM, ROOM)
      const progress = progressWords()
      await new RandomlyTerminated(SEED + 100 + round, {
        handle: channel.handle,
        side: 'renderer',
        job: 'both',
        progress,
      }).live(0)
      await nativeThreadsAre(0) // its native worker has ended with it
      assertSound(channel, 1)
      channel.startWorker({ builtin: 'echo' })
      channel.send(numbered(MARK, 0))
      await allBack(channel, progress)
      channel.cleanup()
    }
  })
})

/**
 * Call `task`, and tell at which words of the memory an Atomics.notify of this thread has ended a
 * wait meanwhile.
 */
async function wokenAt(memory: ArrayBufferLike, task: () => Promise<void>): Promise<Set<number>> {
  const woken = new Set<number>()
  const { notify } = Atomics
  Atomics.notify = (words, index, count) => {
    const sleepers = notify(words as Int32Array, index, count)
    if (words.buffer === memory && sleepers !== 0) woken.add(index)
    return sleepers
  }
  try {
    await task()
  } finally {
    Atomics.notify = notify
  }
  return woken
}

// Node 20 does not survive it: nodejs/node#56236.
itNative('the wait in V8 of a thread that is torn down is left alone', async () => {
  const channel = open(ROOM, ROOM)
  const data: WaitsData = { handle: channel.handle, side: 'native', job: 'loop', count: 0 }
  for (let round = 0; round < 5; round++) {
    const thread = new Thread('waits', data)
    assert.equal(await thread.next(), 'ready')
    await until(() => sleeps(channel.handle, 'native'), 'its event loop to wait')
    const doorbell = endpointWord(receiverOf(channel.handle, 'native'), 'doorbell')
    const woken = await wokenAt(channel.handle.memory.buffer, () => thread.terminate())
    assert.equal(woken.has(doorbell), false)
    assertSound(channel, 1)
  }
})

/** Everything up to the last mark, in order, beginning with what the thread had not seen yet. */
async function allBack(channel: SharedMemoryChannel, progress: Int32Array): Promise<void> {
  let expected: number | null = null
  let over = false
  channel.startReceiving((message) => {
    const number = numberOf(message)
    if (number === MARK) {
      over = true
      return
    }
    if (expected === null) assert.ok(number <= Atomics.load(progress, DONE), 'nothing is missing')
    else assert.equal(number, expected)
    expected = number + 1
  })
  await until(() => over, 'the mark')
  const sent = Atomics.load(progress, SENT)
  if (expected !== null) assert.ok(expected === sent || expected === sent + 1, `${expected} came back, of ${sent}`)
  else assert.ok(Atomics.load(progress, DONE) >= sent, 'nothing is missing')
}

async function mustWork(channel: SharedMemoryChannel): Promise<void> {
  let got = 0
  channel.startWorker({ builtin: 'echo' })
  channel.startReceiving((message) => {
    got += message.length
  })
  channel.send(new Uint8Array(77))
  await until(() => got === 77, 'the echo')
  channel.cleanup()
}
