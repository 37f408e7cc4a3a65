// Channels of values, and select: one thread, threads, and processes that are killed.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers'
import { MemoryHeap, Region, SharedChannel, select, selectSync } from 'sabway'
import { itNative, mayBlock } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { SelectDone, SelectTask } from '../workers/select.js'

const MIB = 2 ** 20
const throwsCode = (act: () => unknown, code: string) => assert.throws(act, { code })

describe('a channel of values', () => {
  let heap: MemoryHeap
  beforeEach(() => {
    heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
  })

  it("runs the plan's samples, in a region of its own", async () => {
    const channel = new SharedChannel<string>({ bufferSize: 1024, maxMessages: 100, enableBatching: true })
    await channel.send('Hello from main thread')
    assert.equal(await channel.receive(), 'Hello from main thread')
    assert.equal(channel.getCapacity(), 100)
    assert.equal(channel.isEmpty(), true)
    assert.equal(channel.isFull(), false)
    await channel.sendBatch(['a', 'b', 'c'])
    assert.equal(channel.getLength(), 3)
    assert.deepEqual(await channel.receiveBatch(2), ['a', 'b'])
    const other = new SharedChannel<string>(channel.getSharedMemory())
    assert.equal(other.tryReceive(), 'c')
    assert.equal(other.tryReceive(), undefined)
    other.region!.close()
    channel.free()
  })

  it('waits for room and for values, in the order of the calls', async () => {
    const channel = new SharedChannel<number>(heap, { capacity: 2 })
    await channel.sendBatch([1, 2])
    assert.equal(channel.trySend(3), false)
    assert.equal(channel.isFull(), true)
    if (mayBlock) throwsCode(() => channel.sendSync(3, { timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    await assert.rejects(channel.send(3, { timeout: 3 }), { code: 'ERR_SABWAY_TIMEOUT' })
    const sending = channel.sendBatch([3, 4, 5])
    const got = []
    for (let i = 0; i < 5; i++) got.push(await channel.receive())
    await sending
    assert.deepEqual(got, [1, 2, 3, 4, 5])
    const waiting = [channel.receive(), channel.receive()]
    if (mayBlock) throwsCode(() => channel.receiveSync({ timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    await channel.sendBatch([6, 7])
    assert.deepEqual(await Promise.all(waiting), [6, 7])
    throwsCode(() => new SharedChannel(heap, { capacity: -1 }), 'ERR_SABWAY_OUT_OF_RANGE')
    throwsCode(() => channel.trySend(undefined as never), 'ERR_SABWAY_INVALID_TYPE')
  })

  it('is received to its end when it is closed', async () => {
    const channel = new SharedChannel<number>(heap, { capacity: 4 })
    await channel.sendBatch([1, 2])
    channel.close()
    throwsCode(() => channel.trySend(3), 'ERR_SABWAY_CLOSED')
    const got: number[] = []
    for await (const value of channel) got.push(value)
    assert.deepEqual(got, [1, 2])
    throwsCode(() => channel.tryReceive(), 'ERR_SABWAY_CLOSED')
    assert.deepEqual(await channel.receiveBatch(3), [])
    const other = new SharedChannel<number>(heap, { capacity: 1 })
    other.trySend(1)
    const sending = other.send(2)
    other.close()
    await assert.rejects(sending, { code: 'ERR_SABWAY_CLOSED' })
  })

  it('is chosen by select when it can be used', async () => {
    const [a, b] = [new SharedChannel<number>(heap, { capacity: 1 }), new SharedChannel<number>(heap, { capacity: 1 })]
    const both = [{ receive: a }, { receive: b }]
    assert.deepEqual(await select(both, { default: true }), { index: -1, done: false })
    assert.deepEqual(selectSync(both, { default: true }), { index: -1, done: false })
    await assert.rejects(select(both, { timeout: 3 }), { code: 'ERR_SABWAY_TIMEOUT' })
    if (mayBlock) throwsCode(() => selectSync(both, { timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    b.trySend(5)
    assert.deepEqual(await select(both), { index: 1, value: 5, done: false })
    const waiting = select(both)
    const alone = a.receive()
    a.trySend(6)
    assert.equal((await Promise.race([waiting.then(({ value }) => value), alone])) as number, 6)
    const late = [await Promise.race([waiting, aTurn()]), await Promise.race([alone, aTurn()])]
    assert.equal(late.filter((each) => each === undefined).length, 1)
    a.trySend(7)
    const rest = await Promise.all([waiting, alone])
    assert.deepEqual([rest[0].value, rest[1]].sort(), [6, 7])
    assert.equal(a.getLength() + b.getLength(), 0)
    // a case that sends, and one whose channel is closed
    a.trySend(1)
    const sends = select([{ send: a, value: 2 }, { receive: b }])
    assert.equal(a.tryReceive(), 1)
    assert.deepEqual(await sends, { index: 0, done: false })
    assert.equal(a.tryReceive(), 2)
    b.close()
    assert.deepEqual(await select(both), { index: 1, done: true })
    await assert.rejects(select([{ send: b, value: 1 }]), { code: 'ERR_SABWAY_CLOSED' })
    await assert.rejects(select([]), { code: 'ERR_SABWAY_INVALID_ARGUMENT' })
    await assert.rejects(select([{ receive: 5 as never }]), { code: 'ERR_SABWAY_INVALID_TYPE' })
    const aborter = new AbortController()
    const given = select([{ receive: a }], { signal: aborter.signal })
    aborter.abort()
    await assert.rejects(given, { code: 'ERR_SABWAY_ABORTED' })
  })

  it('keeps no other channel of a select waiting', async () => {
    const channels = [0, 1, 2, 3].map(() => new SharedChannel<number>(heap, { capacity: 1000 }))
    for (const channel of channels) await channel.sendBatch(Array.from({ length: 1000 }, (_, i) => i))
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 1200; i++) counts[(await select(channels.map((receive) => ({ receive })))).index]!++
    // 300 each, but for chance: 15 is the standard deviation
    for (const count of counts) assert.ok(count > 180 && count < 420, `${counts}`)
  })

  for (const sync of [false, true]) {
    it(`gives each value once to threads that select ${sync ? 'and block' : 'on event loops'}`, async () => {
      const channels = [0, 1].map(() => new SharedChannel<number>(heap, { capacity: 8 }))
      const task = (number: number, sends: number): SelectTask => ({
        shared: heap.getSharedMemory(),
        select: channels.map(({ pointer }) => pointer),
        number,
        sends,
        sync,
      })
      const threads = [task(1, 4000), task(2, 4000), task(3, 0), task(4, 0)].map((each) => new Thread('select', each))
      for (const thread of threads) assert.equal(await thread.next(), 'begun')
      for (const thread of threads.slice(0, 2)) assert.equal(await thread.next(), 'sent')
      for (const channel of channels) channel.close()
      const got: number[] = []
      for (const thread of threads.slice(2)) got.push(...(await thread.next<SelectDone>()).got)
      for (const thread of threads) assert.equal(await thread.ended(), 0)
      const all = [1, 2].flatMap((number) => Array.from({ length: 4000 }, (_, i) => number * 1e6 + i))
      assert.deepEqual(
        got.sort((x, y) => x - y),
        all,
      )
    })
  }

  itNative('goes on when processes that select are killed, and gives no value twice', async () => {
    const region = closeLater(Region.create({ size: 16 * MIB, share: 'processes' }))
    const shared = new MemoryHeap(region.token)
    closeLater(shared.region)
    const channels = [0, 1].map(() => new SharedChannel<number>(shared, { capacity: 8 }))
    const task = (number: number, sends: number): SelectTask => ({
      shared: region.token,
      select: channels.map(({ pointer }) => pointer),
      number,
      sends,
    })
    const seen = new Set<number>()
    let over = false
    const receiving = (async () => {
      while (!over || channels.some((channel) => !channel.isEmpty())) {
        const { value, index } = await select(
          channels.map((receive) => ({ receive })),
          { default: true },
        )
        if (index < 0) await new Promise<void>((resolve) => setImmediate(resolve))
        else {
          assert.equal(seen.has(value!), false)
          seen.add(value!)
        }
      }
    })()
    for (let deaths = 0; deaths < 5; deaths++) {
      const before = seen.size
      const sender = new Peer(task(10 + deaths, 1e6))
      const receiver = new Peer(task(20 + deaths, 0))
      assert.equal(await sender.next(), 'begun')
      assert.equal(await receiver.next(), 'begun')
      await until(() => seen.size > before + 200, 'values of a new sender')
      await receiver.kill()
      const then = seen.size
      await until(() => seen.size > then + 200, 'values behind the death of a receiver')
      await sender.kill()
    }
    over = true
    await receiving
    for (const channel of channels) {
      assert.equal(channel.trySend(1), true)
      assert.equal(channel.tryReceive(), 1)
      channel.free()
    }
    shared.check()
  })
})

const aTurn = () => new Promise<undefined>((resolve) => setImmediate(resolve, undefined))
