// Broadcasts of one thread: values, policies, subscribing, waiting, the end, and the names.
import assert from 'node:assert/strict'
import { MemoryHeap, SharedBroadcast, SharedVector } from 'sabway'
import { mayBlock } from '../support/host.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20
/** What a call gives that blocks in vain. */
const WAITED = mayBlock ? 'ERR_SABWAY_TIMEOUT' : 'ERR_SABWAY_INVALID_STATE'

const throwsCode = (act: () => unknown, code: string) => assert.throws(act, { code })

describe('a broadcast', () => {
  let heap: MemoryHeap
  beforeEach(() => {
    heap = new MemoryHeap({ size: 16 * MIB })
    closeLater(heap.region)
  })

  it("runs the plan's samples, in a region of its own", async () => {
    const broadcastChannel = new SharedBroadcast<string>()
    closeLater(broadcastChannel.region!)
    await broadcastChannel.broadcast('System shutdown in 5 minutes')
    assert.equal(broadcastChannel.isSubscribed(), false)
    assert.equal(broadcastChannel.getSubscriberCount(), 0)
    broadcastChannel.subscribe()
    await broadcastChannel.broadcast('now')
    assert.equal(broadcastChannel.isSubscribed(), true)
    assert.equal(broadcastChannel.getSubscriberCount(), 1)
    assert.equal(await broadcastChannel.receive(), 'now')
    broadcastChannel.unsubscribe()
    assert.equal(broadcastChannel.isSubscribed(), false)
    const large = new SharedBroadcast({ capacity: 4 * MIB, policy: 'drop-oldest' })
    closeLater(large.region!)
    large.subscribe()
    large.tryBroadcast('x'.repeat(MIB))
    assert.equal((large.tryReceive() as string).length, MIB)
  })

  it('gives values of every kind as they were', () => {
    const broadcast = new SharedBroadcast(heap)
    broadcast.subscribe()
    const values = [
      1.5,
      -0,
      Number.NaN,
      'text',
      '',
      'é'.repeat(3000),
      true,
      false,
      null,
      2n ** 200n,
      -5n,
      new Uint8Array([1, 2, 3]),
      { a: [1, { b: 'c' }] },
      [new Map([[1, 2]])],
      new Float64Array([1, 2]),
    ]
    for (const value of values) {
      assert.equal(broadcast.tryBroadcast(value), true)
      assert.deepEqual(broadcast.tryReceive(), value)
    }
    assert.equal(broadcast.tryReceive(), undefined)
    const circle: { self?: unknown } = {}
    circle.self = circle
    broadcast.tryBroadcast(circle)
    const received = broadcast.tryReceive() as typeof circle
    assert.equal(received.self, received)
    throwsCode(() => broadcast.tryBroadcast(() => 0), 'ERR_SABWAY_NOT_ENCODABLE')
    throwsCode(() => broadcast.tryBroadcast(undefined), 'ERR_SABWAY_INVALID_TYPE')
    throwsCode(() => broadcast.tryBroadcast('x'.repeat(broadcast.longest + 1)), 'ERR_SABWAY_MESSAGE_TOO_LARGE')
    const own = new SharedBroadcast(heap, { codec: 'msgpack' })
    throwsCode(() => new SharedBroadcast(heap, own.getSharedMemory(), { codec: 'v8' }), 'ERR_SABWAY_INVALID_ARGUMENT')
    own.subscribe()
    new SharedBroadcast(heap, own.pointer).tryBroadcast([1, 'two'])
    assert.deepEqual(own.tryReceive(), [1, 'two'])
  })

  it('waits for a slow subscriber, and goes on when that receives or leaves', async () => {
    const broadcast = new SharedBroadcast<string>(heap, { capacity: 256 })
    const other = new SharedBroadcast<string>(heap, broadcast.getSharedMemory())
    broadcast.subscribe()
    let sent = 0
    while (broadcast.tryBroadcast(`${sent}`)) sent++
    assert.ok(sent > 5)
    throwsCode(() => broadcast.broadcastSync('late', { timeout: 5 }), WAITED)
    await assert.rejects(broadcast.broadcast('late', { timeout: 5 }), { code: 'ERR_SABWAY_TIMEOUT' })
    const aborter = new AbortController()
    const given = broadcast.broadcast('late', { signal: aborter.signal })
    aborter.abort()
    await assert.rejects(given, { code: 'ERR_SABWAY_ABORTED' })
    const order: string[] = []
    const waiting = ['a', 'b'].map((text) => broadcast.broadcast(text).then(() => order.push(text)))
    for (let i = 0; i < sent; i++) assert.equal(other.tryReceive(), `${i}`)
    await Promise.all(waiting)
    assert.deepEqual(order, ['a', 'b'])
    assert.equal(await broadcast.receive(), 'a')
    assert.equal(broadcast.receiveSync(), 'b')
    while (broadcast.tryBroadcast('full'));
    const last = broadcast.broadcast('left')
    broadcast.unsubscribe()
    await last
    throwsCode(() => broadcast.tryReceive(), 'ERR_SABWAY_NOT_SUBSCRIBED')
    throwsCode(() => broadcast.unsubscribe(), 'ERR_SABWAY_NOT_SUBSCRIBED')
    assert.equal(broadcast.missed, 0)
  })

  it('drops the oldest, or gives the newest alone, and counts what was missed', () => {
    const broadcast = new SharedBroadcast<number>(heap, { capacity: 256, policy: 'drop-oldest' })
    const latest = new SharedBroadcast<number>(heap, { capacity: 256, policy: 'latest-only' })
    for (const each of [broadcast, latest]) {
      each.subscribe()
      for (let i = 1; i <= 100; i++) assert.equal(each.tryBroadcast(i), true)
    }
    const first = broadcast.tryReceive()!
    assert.ok(first > 80 && first < 100)
    assert.equal(broadcast.missed, first - 1)
    for (let i = first + 1; i <= 100; i++) assert.equal(broadcast.tryReceive(), i)
    assert.equal(broadcast.missed, first - 1)
    assert.equal(latest.tryReceive(), 100)
    assert.equal(latest.missed, 99)
    assert.equal(latest.tryReceive(), undefined)
    const late = new SharedBroadcast<number>(heap, { capacity: 256 })
    for (let i = 1; i <= 3; i++) late.tryBroadcast(i)
    late.subscribe({ from: 'oldest' })
    assert.equal(late.tryReceive(), 1)
  })

  it('wakes those that wait for a value, in their order', async () => {
    const broadcast = new SharedBroadcast<number>(heap)
    broadcast.subscribe()
    const waiting = [broadcast.receive(), broadcast.receive()]
    await assert.rejects(broadcast.receive({ timeout: 3 }), { code: 'ERR_SABWAY_TIMEOUT' })
    throwsCode(() => broadcast.receiveSync({ timeout: 3 }), WAITED)
    broadcast.tryBroadcast(1)
    broadcast.tryBroadcast(2)
    assert.deepEqual(await Promise.all(waiting), [1, 2])
  })

  it('ends loops and calls when it is closed, behind what was broadcast', async () => {
    const broadcast = new SharedBroadcast<number>(heap)
    const got: number[] = []
    const loop = (async () => {
      for await (const value of broadcast) got.push(value)
    })()
    await Promise.resolve()
    assert.equal(broadcast.isSubscribed(), true)
    broadcast.tryBroadcast(1)
    broadcast.tryBroadcast(2)
    assert.equal(broadcast.closed, false)
    broadcast.close()
    broadcast.close()
    assert.equal(broadcast.closed, true)
    await loop
    assert.deepEqual(got, [1, 2])
    assert.equal(broadcast.isSubscribed(), false)
    throwsCode(() => broadcast.tryBroadcast(3), 'ERR_SABWAY_CLOSED')
    const other = new SharedBroadcast<number>(heap)
    other.subscribe()
    const waiting = other.receive()
    other.close()
    await assert.rejects(waiting, { code: 'ERR_SABWAY_CLOSED' })
    const freed = new SharedBroadcast<number>(heap)
    freed.subscribe()
    const waits = freed.receive()
    freed.free()
    await assert.rejects(waits, { code: 'ERR_SABWAY_FREED' })
    throwsCode(() => freed.tryBroadcast(1), 'ERR_SABWAY_FREED')
    throwsCode(() => freed.subscribe(), 'ERR_SABWAY_FREED')
    throwsCode(() => freed.getSubscriberCount(), 'ERR_SABWAY_FREED')
    throwsCode(() => freed.closed, 'ERR_SABWAY_FREED')
  })

  it('has a name, is told from others, and gives all its memory back', () => {
    const use = () => {
      using broadcast = new SharedBroadcast(heap)
      broadcast.subscribe()
      broadcast.tryBroadcast('x'.repeat(20_000))
      broadcast.tryReceive()
    }
    use() // what a thread keeps for its next values
    const { used } = heap.stats()
    use()
    assert.equal(heap.stats().used, used)
    const vector = new SharedVector(heap)
    throwsCode(() => new SharedBroadcast(heap, vector.pointer), 'ERR_SABWAY_OTHER_KIND')
    throwsCode(() => new SharedBroadcast(heap, { capacity: 5 }), 'ERR_SABWAY_OUT_OF_RANGE')
    throwsCode(() => new SharedBroadcast(heap, { policy: 'x' as never }), 'ERR_SABWAY_INVALID_ARGUMENT')
    throwsCode(() => new SharedBroadcast(5 as never, {}), 'ERR_SABWAY_INVALID_TYPE')
    vector.free()
    const broadcast = new SharedBroadcast(heap)
    heap.region.set('news', broadcast)
    assert.equal((heap.region.get('news') as SharedBroadcast).pointer, broadcast.pointer)
    heap.region.delete('news')
    broadcast.subscribe()
    broadcast.tryBroadcast('x'.repeat(20_000))
    broadcast.tryReceive()
    assert.equal(JSON.stringify(broadcast), `{"pointer":${broadcast.pointer},"policy":"block"}`)
    {
      using other = new SharedBroadcast(heap)
      other.tryBroadcast(1)
    }
    broadcast.free()
    heap.check({ sweep: true })
    assert.ok(heap.stats().used <= used + 2 * 8192) // blocks for what comes next
  })
})
