// Every kind of waiter against every kind of waker. Each message is sent while the waiter sleeps: a
// wake-up that is lost hangs the test, but for the blocking threads with the addon, which look
// again by themselves: those are counted.
import assert from 'node:assert/strict'
import { type ChannelStats, type Mechanism, Region, SharedMemoryChannel, type Side } from 'sabway'
import { keep, open } from '../support/channels.js'
import { withoutRelays } from '../support/sleepers.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { WaitsData } from '../workers/waits.js'

const COUNT = 40
const WITHOUT = { execArgv: ['--no-addons'] }
const NUMBERS = Array.from({ length: COUNT }, (_, i) => i)

interface Woken {
  mechanism: Mechanism
  parks: number
}
interface Posted {
  numbers: number[]
  stats: ChannelStats
}

/** A native thread on the side that `channel` does not have. */
function nativeThread(channel: SharedMemoryChannel, builtin: 'source' | 'sink'): void {
  const options = builtin === 'source' ? { builtin, size: 8, rate: 200, count: COUNT } : { builtin }
  channel.startWorker({ ...options, wait: 'park' })
}

/** A channel object in this thread for the native side, which has taken no role. */
const otherSide = (channel: SharedMemoryChannel) =>
  keep((SharedMemoryChannel as unknown as Idle).idle(Region.open(channel.handle as never), 'native', { format: null }))

/** Not in the declarations: the library's own way. */
interface Idle {
  idle(region: Region, side: Side, options: object): SharedMemoryChannel
}

type Waker = (made: SharedMemoryChannel, side: Side) => Promise<void>

async function sender(made: SharedMemoryChannel, side: Side, options = {}): Promise<void> {
  const data: WaitsData = { handle: made.handle, side, job: 'send', count: COUNT }
  assert.equal(await new Thread('waits', data, options).next('the waker'), 'ready')
}

const wakers: Record<string, Waker> = {
  'a native thread': async (made, side) => nativeThread(side === 'native' ? made : otherSide(made), 'source'),
  'JavaScript with the addon': (made, side) => sender(made, side),
  'JavaScript without the addon': (made, side) => sender(made, side, WITHOUT),
}

async function thread(made: SharedMemoryChannel, waker: Waker, job: 'block' | 'loop', options = {}): Promise<Woken> {
  const data: WaitsData = { handle: made.handle, side: 'renderer', job, count: COUNT, wait: 'park' }
  const waiter = new Thread('waits', data, options)
  assert.equal(await waiter.next('the waiter'), 'ready')
  await waker(made, 'native')
  const { numbers, stats } = await waiter.next<Posted>('all messages')
  assert.deepEqual(numbers, NUMBERS)
  return stats.wait
}

const waiters: Record<string, (waker: Waker) => Promise<Woken>> = {
  'a native thread': async (waker) => {
    const made = open()
    nativeThread(made, 'sink')
    await waker(made, 'renderer')
    await until(() => made.stats().worker!.received === COUNT, 'all messages')
    return made.stats().worker!
  },
  'the main thread, blocking': async (waker) => {
    const made = open(4096, 4096, { wait: 'park' })
    await waker(made, 'native')
    for (const number of NUMBERS) {
      const message = made.receiveSync(20_000)
      assert.ok(message !== null, `message ${number}`)
      // The built-in source puts the number first, other wakers everywhere.
      assert.equal(message[0], number)
    }
    return made.stats().wait
  },
  'a worker thread, blocking': (waker) => thread(open(), waker, 'block'),
  'an event loop': (waker) => thread(open(), waker, 'loop'),
  'a thread without the addon, in Atomics.wait': (waker) => thread(open(), waker, 'block', WITHOUT),
  'an event loop without the addon, in Atomics.waitAsync': (waker) => thread(open(), waker, 'loop', WITHOUT),
}

/**
 * By waiter: how a native thread, JavaScript with the addon, and JavaScript without it wake it.
 * docs/design/waiting.md has the same table.
 */
const TABLE: Record<string, [Mechanism, Mechanism, Mechanism]> = {
  'a native thread': ['futex', 'futex', 'relay'],
  'the main thread, blocking': ['futex', 'atomics', 'atomics'],
  'a worker thread, blocking': ['futex', 'atomics', 'atomics'],
  'an event loop': ['threadsafe-function', 'threadsafe-function', 'atomics'],
  'a thread without the addon, in Atomics.wait': ['relay', 'atomics', 'atomics'],
  'an event loop without the addon, in Atomics.waitAsync': ['relay', 'atomics', 'atomics'],
}

describe('waking', () => {
  for (const [waiter, mechanisms] of Object.entries(TABLE)) {
    Object.entries(wakers).forEach(([waker, wake], i) => {
      it(`${waiter}, by ${waker}: ${mechanisms[i]}`, async () => {
        const { mechanism, parks } = await waiters[waiter]!(wake)
        assert.equal(mechanism, mechanisms[i])
        // Without wake-ups, a thread that looks again every 50 ms would have slept once for ten
        // messages.
        assert.ok(parks >= COUNT / 2, `${parks} sleeps for ${COUNT} messages`)
      })
    })
  }

  it('a native thread by JavaScript without the addon, with no relay: timed', async () => {
    const made = open()
    withoutRelays(made.handle)
    nativeThread(made, 'sink')
    await sender(made, 'renderer', WITHOUT)
    await until(() => made.stats().worker!.received === COUNT, 'all messages')
    assert.equal(made.stats().worker!.mechanism, 'timed')
  })

  for (const job of ['block', 'loop'] as const) {
    it(`a thread without the addon (${job}) by a native one, with no relay: timed`, async () => {
      const made = open()
      withoutRelays(made.handle)
      // First, so that the waiter knows its waker: without one it looks every 500 ms only.
      nativeThread(made, 'source')
      const { mechanism } = await thread(made, async () => {}, job, WITHOUT)
      assert.equal(mechanism, 'timed')
    })
  }

  it('passes the relay when that blocks in receiveSync of another channel', async () => {
    const made = open()
    const other = open()
    const data: WaitsData = { handle: made.handle, side: 'renderer', job: 'block', count: COUNT, wait: 'park' }
    const waiter = new Thread('waits', data, WITHOUT)
    assert.equal(await waiter.next(), 'ready')
    nativeThread(made, 'source')
    other.startWorker({ builtin: 'source', size: 8, rate: 10, count: 8, wait: 'park' })
    for (let i = 0; i < 8; i++) assert.notEqual(other.receiveSync(20_000), null)
    assert.equal(made.stats().worker!.sent, COUNT)
    const { numbers } = await waiter.next<Posted>()
    assert.deepEqual(numbers, NUMBERS)
  })
})
