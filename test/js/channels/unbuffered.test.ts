// Unbuffered channels: sends and receives that meet, select on both sides, giving up, closing, one
// thread, threads, and processes that are killed.
import assert from 'node:assert/strict'
import { MemoryHeap, Region, SharedChannel, select, selectSync } from 'sabway'
import { itNative, mayBlock } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { turns, until } from '../support/wait.js'
import type { SelectDone, SelectTask } from '../workers/select.js'

const MIB = 2 ** 20
const throwsCode = (act: () => unknown, code: string) => assert.throws(act, { code })

describe('an unbuffered channel', () => {
  let heap: MemoryHeap
  let blocks: number
  const make = <T = number>() => new SharedChannel<T>(heap, { capacity: 0 })
  /** A heap into which the first use of everything has put its blocks. */
  beforeEach(async () => {
    heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
    const all = [make(), make(), make()]
    for (const channel of all) {
      const sending = [1, 2, 3, 4, 5, 6].map((value) => channel.send(value))
      const receiving = sending.map(() => channel.receive())
      await Promise.all([...sending, ...receiving])
    }
    for (const channel of all) channel.free()
    blocks = heap.stats().blocks
  })
  const nothingLeft = (...channels: SharedChannel<never>[]) => {
    for (const channel of channels) channel.free()
    heap.check()
    assert.equal(heap.stats().blocks, blocks)
  }

  it('is done with a send when the value was received', async () => {
    const channel = make()
    assert.equal(channel.isUnbuffered, true)
    assert.deepEqual([channel.getCapacity(), channel.getLength(), channel.isFull()], [0, 0, true])
    assert.equal(channel.trySend(1), false)
    assert.equal(channel.tryReceive(), undefined)
    let sent = false
    const sending = channel.send(2).then(() => {
      sent = true
    })
    await turns(1)
    assert.equal(sent, false)
    assert.equal(channel.getLength(), 0)
    assert.equal(channel.tryReceive(), 2)
    await sending
    assert.equal(channel.tryReceive(), undefined)
    const receiving = channel.receive()
    assert.equal(channel.trySend(3), true)
    assert.equal(channel.trySend(4), false)
    assert.equal(await receiving, 3)
    nothingLeft(channel as SharedChannel<never>)
  })

  it('has a region of its own, and takes all that a channel takes', async () => {
    const channel = new SharedChannel<unknown>({ capacity: 0 })
    const other = new SharedChannel<unknown>(channel.getSharedMemory())
    assert.equal(other.isUnbuffered, true)
    const values = [1.5, -0, 2n ** 70n, 'text', 'long '.repeat(5000), null, true, new Uint8Array(3000), { a: [1] }]
    for (const value of values) {
      const sending = channel.send(value)
      assert.deepEqual(await other.receive(), value)
      await sending
      const receiving = other.receive()
      assert.equal(channel.trySend(value), true)
      assert.deepEqual(await receiving, value)
    }
    await assert.rejects(channel.send(undefined), { code: 'ERR_SABWAY_INVALID_TYPE' })
    await assert.rejects(
      channel.send(() => {}),
      { code: 'ERR_SABWAY_NOT_ENCODABLE' },
    )
    other.region!.close()
    channel.free()
  })

  it('serves the calls of a thread in their order', async () => {
    const channel = make()
    const sending = Promise.all([1, 2, 3, 4].map((each) => channel.send(each)))
    const last = channel.send(5)
    assert.deepEqual([await channel.receive(), await channel.receive()], [1, 2])
    const got = await Promise.all([channel.receive(), channel.receive(), channel.receive()])
    assert.deepEqual(
      got.sort((a, b) => a - b),
      [3, 4, 5],
    )
    await Promise.all([sending, last])
    const receiving = [channel.receive(), channel.receive()]
    await channel.sendBatch([6, 7])
    assert.deepEqual(await Promise.all(receiving), [6, 7])
    nothingLeft(channel as SharedChannel<never>)
  })

  it('gives up in time, and then the value is not there', async () => {
    const channel = make<string>()
    const text = 'a value in a block of its own'
    if (mayBlock) throwsCode(() => channel.sendSync(text, { timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    if (mayBlock) throwsCode(() => channel.receiveSync({ timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    throwsCode(() => channel.receiveSync({ timeout: 0 }), 'ERR_SABWAY_TIMEOUT')
    for (const timeout of [0, 3]) {
      await assert.rejects(channel.send(text, { timeout }), { code: 'ERR_SABWAY_TIMEOUT' })
      await assert.rejects(channel.receive({ timeout }), { code: 'ERR_SABWAY_TIMEOUT' })
    }
    const aborter = new AbortController()
    const given = [
      channel.send(text, { signal: aborter.signal }),
      select([{ send: channel, value: text }], { signal: aborter.signal }),
    ]
    aborter.abort()
    for (const each of given) await assert.rejects(each, { code: 'ERR_SABWAY_ABORTED' })
    assert.equal(channel.tryReceive(), undefined)
    assert.equal(channel.trySend(text), false)
    nothingLeft(channel as SharedChannel<never>)
  })

  it('keeps what has come when the time is up, and serves the next call of the thread', async () => {
    const channel = make()
    const aborter = new AbortController()
    const first = channel.receive({ signal: aborter.signal })
    assert.equal(channel.trySend(1), true)
    aborter.abort()
    assert.equal(await first, 1)
    const given = new AbortController()
    const [second, third] = [channel.send(2, { signal: given.signal }), channel.send(3)]
    given.abort()
    await assert.rejects(second, { code: 'ERR_SABWAY_ABORTED' })
    assert.equal(await channel.receive(), 3)
    await third
    nothingLeft(channel as SharedChannel<never>)
  })

  itNative('blocks a thread whose other calls wait', async () => {
    const channel = make()
    const thread = new Thread('select', {
      shared: heap.getSharedMemory(),
      select: [channel.pointer],
      number: 1,
      sends: 3,
    } satisfies SelectTask)
    assert.equal(await thread.next(), 'begun')
    const waiting = channel.receive()
    const got = [channel.receiveSync(), channel.receiveSync(), await waiting]
    assert.deepEqual(
      got.sort((a, b) => a - b),
      [1e6, 1e6 + 1, 1e6 + 2],
    )
    assert.equal(await thread.next(), 'sent')
    assert.equal(await thread.ended(), 0)
  })

  it('ends those that wait when it is closed', async () => {
    const channel = make()
    const sending = [channel.send(1), select([{ send: channel, value: 2 }])]
    channel.close()
    for (const each of sending) await assert.rejects(each, { code: 'ERR_SABWAY_CLOSED' })
    throwsCode(() => channel.trySend(3), 'ERR_SABWAY_CLOSED')
    throwsCode(() => channel.tryReceive(), 'ERR_SABWAY_CLOSED')
    throwsCode(() => channel.receiveSync(), 'ERR_SABWAY_CLOSED')
    await assert.rejects(channel.receive(), { code: 'ERR_SABWAY_CLOSED' })
    assert.deepEqual(await channel.receiveBatch(3), [])
    assert.deepEqual(await select([{ receive: channel }]), { index: 0, done: true })
    const other = make()
    const got: number[] = []
    const iterating = (async () => {
      for await (const value of other) got.push(value)
    })()
    await other.sendBatch([1, 2])
    const receiving = other.receive()
    other.close()
    await Promise.all([iterating, assert.rejects(receiving, { code: 'ERR_SABWAY_CLOSED' })])
    assert.deepEqual(got, [1, 2])
    nothingLeft(channel as SharedChannel<never>, other as SharedChannel<never>)
  })

  it('is met by a select on both sides, once', async () => {
    const [a, b] = [make(), make()]
    const cases = [{ send: a, value: 1 }, { receive: b }]
    assert.deepEqual(await select(cases, { default: true }), { index: -1, done: false })
    await assert.rejects(select(cases, { timeout: 0 }), { code: 'ERR_SABWAY_TIMEOUT' })
    if (mayBlock) throwsCode(() => selectSync(cases, { timeout: 3 }), 'ERR_SABWAY_TIMEOUT')
    for (let i = 0; i < 20; i++) {
      // never with itself, and two of them do one exchange
      const one = select([{ send: a, value: 1 }, { receive: a }, { receive: b }])
      await turns(1)
      const two = select([{ send: b, value: 2 }, { receive: a }])
      const [x, y] = await Promise.all([one, two])
      if (x.index === 0) assert.deepEqual(y, { index: 1, value: 1, done: false })
      else
        assert.deepEqual(
          [x, y],
          [
            { index: 2, value: 2, done: false },
            { index: 0, done: false },
          ],
        )
      assert.deepEqual(
        [a.tryReceive(), b.tryReceive(), a.trySend(9), b.trySend(9)],
        [undefined, undefined, false, false],
      )
    }
    nothingLeft(a as SharedChannel<never>, b as SharedChannel<never>)
  })

  it('is one of the channels of a select, among others with room', async () => {
    const [none, some] = [make(), new SharedChannel<number>(heap, { capacity: 1 })]
    const first = select([{ receive: none }, { receive: some }])
    await turns(1)
    assert.equal(some.trySend(1), true)
    assert.deepEqual(await first, { index: 1, value: 1, done: false })
    assert.equal(none.trySend(2), false)
    const second = select([{ receive: none }, { receive: some }])
    await turns(1)
    assert.equal(none.trySend(2), true)
    assert.equal(some.trySend(3), true)
    assert.deepEqual(await second, { index: 0, value: 2, done: false })
    const third = select([
      { send: none, value: 4 },
      { send: some, value: 5 },
    ])
    await turns(1)
    assert.equal(await some.receive(), 3)
    assert.deepEqual(await third, { index: 1, done: false })
    assert.equal(none.tryReceive(), undefined)
    assert.equal(some.tryReceive(), 5)
    nothingLeft(none as SharedChannel<never>, some as SharedChannel<never>)
  })

  it('keeps no other channel of a select waiting', async () => {
    const channels = [0, 1, 2, 3].map(() => make())
    const aborter = new AbortController()
    const sending = channels.map(async (channel) => {
      for (;;) await channel.send(1, { signal: aborter.signal })
    })
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 400; i++) {
      counts[(await select(channels.map((receive) => ({ receive })))).index]!++
      await turns(1)
    }
    aborter.abort()
    for (const each of sending) await assert.rejects(each, { code: 'ERR_SABWAY_ABORTED' })
    // 100 each, but for chance: 9 is the standard deviation
    for (const count of counts) assert.ok(count > 30 && count < 200, `${counts}`)
  })

  for (const sync of [false, true]) {
    it(`gives each value once to threads that select on both sides and ${sync ? 'block' : 'await'}`, async () => {
      const channels = [make(), make(), new SharedChannel<number>(heap, { capacity: 2 })]
      const sends = 1500
      const task = (number: number): SelectTask => ({
        shared: heap.getSharedMemory(),
        select: channels.map(({ pointer }) => pointer),
        number,
        sends,
        sync,
        both: true,
      })
      const threads = [1, 2, 3, 4].map((number) => new Thread('select', task(number)))
      for (const thread of threads) assert.equal(await thread.next(), 'begun')
      for (const thread of threads) assert.equal(await thread.next(), 'sent')
      for (const channel of channels) channel.close()
      const got: number[] = []
      for (const thread of threads) got.push(...(await thread.next<SelectDone>()).got)
      for (const thread of threads) assert.equal(await thread.ended(), 0)
      const all = [1, 2, 3, 4].flatMap((number) => Array.from({ length: sends }, (_, i) => number * 1e6 + i))
      assert.deepEqual(
        got.sort((x, y) => x - y),
        all,
      )
      heap.check()
    })
  }

  itNative('goes on when processes that select are killed, and gives no value twice', async () => {
    const region = closeLater(Region.create({ size: 16 * MIB, share: 'processes' }))
    const shared = new MemoryHeap(region.token)
    closeLater(shared.region)
    const channels = [0, 1].map(() => new SharedChannel<number>(shared, { capacity: 0 }))
    const task = (number: number, sends: number): SelectTask => ({
      shared: region.token,
      select: channels.map(({ pointer }) => pointer),
      number,
      sends,
    })
    const seen = new Set<number>()
    const aborter = new AbortController()
    const receiving = (async () => {
      for (;;) {
        const { value } = await select(
          channels.map((receive) => ({ receive })),
          { signal: aborter.signal },
        )
        assert.equal(seen.has(value!), false)
        seen.add(value!)
      }
    })()
    for (let deaths = 0; deaths < 4; deaths++) {
      const before = seen.size
      const sender = new Peer(task(10 + deaths, 1e6))
      const receiver = new Peer(task(20 + deaths, 0))
      assert.equal(await sender.next(), 'begun')
      assert.equal(await receiver.next(), 'begun')
      await until(() => seen.size > before + 100, 'values of a new sender')
      await receiver.kill()
      const then = seen.size
      await until(() => seen.size > then + 100, 'values behind the death of a receiver')
      await sender.kill()
    }
    aborter.abort()
    await assert.rejects(receiving, { code: 'ERR_SABWAY_ABORTED' })
    for (const channel of channels) {
      const next = channel.receive()
      assert.equal(channel.trySend(1), true)
      assert.equal(await next, 1)
      channel.free()
    }
    shared.check()
  })
})
