// One channel in two processes.
import assert from 'node:assert/strict'
import { Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, takeAll } from '../support/channels.js'
import { assertError, throwsError } from '../support/errors.js'
import { numbered } from '../support/numbered.js'
import { echoed, exchange, heard, openShared, Peer } from '../support/processes.js'
import { Thread, threadsCalled } from '../support/threads.js'
import { until } from '../support/wait.js'

describe('a channel in two processes', () => {
  for (const thread of ['main', 'worker', 'handle'] as const) {
    it(`carries messages both ways; the other side is on: ${thread}`, async () => {
      const channel = openShared(1 << 16, 1 << 17)
      await echoed(channel, new Peer({ does: 'echo', token: channel.token, thread }))
    })
  }

  it('this side on a worker thread', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    const { handle } = channel
    assert.equal(handle.token, channel.token)
    const thread = new Thread('exchange', { handle, count: 3000 })
    assert.deepEqual(await thread.next(), { returned: 3000 })
    assert.equal(await thread.ended(), 0)
  })

  it('a side of it is a native worker', async () => {
    const channel = openShared()
    channel.startWorker({ builtin: 'echo' })
    const other = new Peer({ does: 'hold', token: channel.token, side: 'native' })
    assertError(await other.next(), 'ERR_SABWAY_SIDE_TAKEN', /other side/)
    const region = Region.open(channel.token)
    try {
      const back = collect(channel)
      channel.send(pattern(7, 1000))
      await until(() => back.length === 1, 'the echo')
      assert.deepEqual(back[0], pattern(7, 1000))
    } finally {
      region.close()
    }
  })

  it('wakes each of two sleeping event loops for every message', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    const back = collect(channel)
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setTimeout(resolve, 2)) // both are asleep then
      channel.send(pattern(i, 10))
      await until(() => back.length === i + 1, `echo ${i}`)
    }
  })

  it('the sender sleeps until the other process has made room', async () => {
    const channel = openShared(4096, 4096)
    const peer = new Peer({ does: 'sink', token: channel.token, count: 5000, content: 1500 })
    for (let i = 0; i < 5000; i++) channel.send(numbered(i, i % 1500))
    assert.equal(await peer.next(), 'ready')
    assert.deepEqual(await peer.next(), { received: 5000 })
  })

  it('ends with cleanup of either side', async () => {
    const channel = openShared()
    const peer = new Peer({ does: 'echo', token: channel.token })
    await peer.next()
    channel.cleanup()
    assert.equal(await peer.ended(), 0)
    const other = openShared()
    const closed = heard(other, 'close')
    const ends = new Peer({ does: 'hold', token: other.token })
    await ends.next()
    collect(other)
    ends.process.send('cleanup')
    await closed
    assert.equal(await ends.ended(), 0)
  })

  it('one listener thread, and one more for each 127 doorbells that it cannot sleep on', async () => {
    const before = threadsCalled('sabway-listener')
    const channels = Array.from({ length: 15 }, () => openShared(4096, 4096))
    assert.equal(threadsCalled('sabway-bells'), 0)
    for (let i = 0; i < 128; i++) channels.push(openShared(4096, 4096))
    assert.equal(threadsCalled('sabway-listener'), before + 1)
    assert.equal(threadsCalled('sabway-bells'), 2)
    const last = channels.at(-1)!
    const peer = new Peer({ does: 'echo', token: last.token })
    await peer.next()
    await exchange(last, 100, 100)
    for (const channel of channels) channel.cleanup()
    await until(() => threadsCalled('sabway-listener') === before, 'the listener to end')
    assert.equal(threadsCalled('sabway-bells'), 0)
  })
})

describe('Region.create', () => {
  it("share: 'processes': a channel in it, which leaves the region open", async () => {
    const region = Region.create({ size: 2 ** 21 + 1, share: 'processes' })
    try {
      assert.equal(region.buffer.byteLength, 2 ** 21 + 65536)
      const channel = new SharedMemoryChannel(65536, 65536, { region })
      assert.ok(channel.token.startsWith(`${region.token}/`))
      throwsError(
        () => SharedMemoryChannel.attach(region.token, { side: 'native' }),
        'ERR_SABWAY_INVALID_ARGUMENT',
        /of a region with a heap.*pass that of a channel/,
      )
      const other = keep(SharedMemoryChannel.attach(channel.token, { side: 'native' }))
      assert.equal(other.handle.memory, region.memory)
      channel.send(pattern(1, 500))
      assert.deepEqual(takeAll(other), [pattern(1, 500)])
      channel.cleanup()
      other.cleanup()
      assert.equal(region.closed, false)
      region.check()
    } finally {
      region.close()
    }
  })

  it('for threads', () => {
    const region = Region.create({ size: 2 ** 21 })
    const channel = keep(new SharedMemoryChannel(65536, 65536, { region }))
    const other = keep(SharedMemoryChannel.attach(channel.handle, { side: 'native' }))
    channel.send(pattern(2, 10))
    assert.deepEqual(takeAll(other), [pattern(2, 10)])
    throwsError(() => region.token, 'ERR_SABWAY_INVALID_STATE', /share: 'processes'/)
    channel.cleanup()
    other.cleanup()
    region.close()
    throwsError(() => new SharedMemoryChannel(4096, 4096, { region }), 'ERR_SABWAY_CLOSED', /closed/)
  })

  it('refuses what it cannot make', () => {
    throwsError(() => Region.create({ size: 1000 }), 'ERR_SABWAY_OUT_OF_RANGE', /size must be/)
    throwsError(() => Region.create({ size: 2 ** 33 }), 'ERR_SABWAY_OUT_OF_RANGE', /size must be/)
    throwsError(
      () => Region.create({ size: 2 ** 21, share: 'all' as never }),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /'threads'/,
    )
    throwsError(() => Region.create({ size: 2 ** 21, name: 'x' }), 'ERR_SABWAY_INVALID_ARGUMENT', /'processes'/)
    const named = (name: unknown) => Region.create({ size: 2 ** 21, share: 'processes', name: name as string })
    throwsError(() => named(1), 'ERR_SABWAY_INVALID_TYPE', /must be a string/)
    for (const name of ['', 'a/b', '../x', 'a b', 'x'.repeat(64), 'é', 'a\0b']) {
      throwsError(() => named(name), 'ERR_SABWAY_INVALID_ARGUMENT', /letters, digits/)
    }
    const small = Region.create({ size: 2 ** 21, share: 'processes' })
    throwsError(
      () => new SharedMemoryChannel(2 ** 21, 4096, { region: small }),
      'ERR_SABWAY_HEAP_FULL',
      /2101\d+ bytes were asked for/,
    )
    small.close()
    throwsError(
      () => new SharedMemoryChannel(4096, 4096, { region: {} as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /Region.create/,
    )
  })
})
