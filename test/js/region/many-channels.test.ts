// Any number of channels in one region: made and freed by any participant, found by handle, token
// or name.
import assert from 'node:assert/strict'
import { type ChannelHandle, type ChannelOptions, Region, SharedMemoryChannel, type Side } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, keep, takeAll } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { exchange, Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'

const MIB = 2 ** 20
const SMALL = 4096

const regionOf = (options = {}) => closeLater(Region.create({ size: 64 * MIB, ...options }))

const make = (region: Region, options: ChannelOptions = {}) =>
  keep(new SharedMemoryChannel(SMALL, SMALL, { region, ...options }))

const take = (handle: ChannelHandle | string, side: Side = 'native') =>
  keep(SharedMemoryChannel.attach(handle, { side }))

/** What there is in the region's heap: the header of a channel stays for the next one. */
const blocksIn = (region: Region) => region.heap.stats().blocks

/** In a region that has had `most` channels with both sides in this thread. */
function warm(region: Region, most: number): void {
  const sides = Array.from({ length: most }, () => {
    const channel = make(region)
    return [channel, take(channel.handle)]
  })
  for (const side of sides.flat()) side.cleanup()
}

function exchangeBoth(renderer: SharedMemoryChannel, native: SharedMemoryChannel, mark: number): void {
  renderer.send(pattern(mark, 100))
  native.send(pattern(mark + 1, 200))
  assert.deepEqual(takeAll(native), [pattern(mark, 100)])
  assert.deepEqual(takeAll(renderer), [pattern(mark + 1, 200)])
}

describe('many channels in one region', () => {
  it('keep their messages apart, and one thread has one endpoint for all', () => {
    const region = regionOf()
    const pairs = Array.from({ length: 50 }, () => {
      const renderer = make(region)
      return { renderer, native: take(renderer.handle) }
    })
    assert.equal(region.stats().participants, 1)
    for (const [i, { renderer }] of pairs.entries()) renderer.send(pattern(i, 64))
    for (const [i, { native }] of pairs.entries()) assert.deepEqual(takeAll(native), [pattern(i, 64)])
    for (const [i, { renderer, native }] of pairs.entries()) exchangeBoth(renderer, native, i)
    region.check()
    region.heap.check()
  })

  it('are made by each participant, and taken by the others', async () => {
    const region = regionOf()
    const thread = new Thread('channels', { region: region.handle, count: 5 })
    const handles = await thread.next<ChannelHandle[]>()
    const theirs = handles.map((handle) => take(handle))
    const ours = make(region)
    thread.tell({ echo: ours.handle })
    assert.equal(await thread.next(), 'echoing')
    for (const channel of [...theirs, ours]) await exchange(channel, 50, 1000)
    assert.equal(region.stats().participants, 2)
  })

  it('can be drained inside a callback of another one', () => {
    const region = regionOf()
    const [a, b] = [make(region), make(region)]
    const [far, farther] = [take(a.handle), take(b.handle)]
    for (let i = 0; i < 10; i++) {
      a.send(pattern(i, 10 + i))
      b.send(pattern(100 + i, 50 + i))
    }
    const got: Uint8Array[] = []
    const inner: Uint8Array[] = []
    far.drain((bytes, start, end) => {
      got.push(bytes.slice(start, end))
      inner.push(...takeAll(farther))
      make(region).cleanup()
    })
    assert.deepEqual(
      got,
      Array.from({ length: 10 }, (_, i) => pattern(i, 10 + i)),
    )
    assert.deepEqual(
      inner,
      Array.from({ length: 10 }, (_, i) => pattern(100 + i, 50 + i)),
    )
  })

  it('have a native worker each', async () => {
    const region = regionOf()
    const channels = Array.from({ length: 8 }, () => make(region))
    for (const channel of channels) channel.startWorker({ builtin: 'echo' })
    await Promise.all(channels.map((channel) => exchange(channel, 200, 500)))
    const before = blocksIn(region)
    for (const channel of channels) channel.cleanup()
    assert.equal(blocksIn(region), before - channels.length) // their rings; the headers stay
  })

  it('go to other processes by their tokens', async () => {
    const region = regionOf({ share: 'processes' })
    const channels = Array.from({ length: 3 }, () => make(region))
    const peers = channels.map(({ token }) => new Peer({ does: 'echo', token }))
    await Promise.all(channels.map((channel) => exchange(channel, 300, 1000)))
    for (const channel of channels) channel.cleanup()
    for (const peer of peers) assert.equal(await peer.ended(), 0)
  })
})

describe('a region that a thread opens more than once', () => {
  it('is one Region, until it was closed as often', () => {
    const region = Region.create({ size: 4 * MIB })
    assert.equal(Region.open(region.handle), region)
    assert.equal(Region.open(structuredClone(region.handle) as typeof region.handle), region)
    assert.equal(region.stats().participants, 1)
    region.close()
    region.close()
    assert.equal(region.closed, false)
    region.heap.free(region.heap.alloc(10))
    region.close()
    assert.equal(region.closed, true)
    region.close()
  })

  it('is held by a channel that was attached', () => {
    const region = Region.create({ size: 4 * MIB })
    const channel = make(region)
    const native = take(channel.handle)
    channel.send(pattern(1, 10))
    region.close()
    assert.equal(channel.closed, true)
    assert.equal(region.closed, false)
    assert.deepEqual(takeAll(native), [pattern(1, 10)])
    native.cleanup()
    assert.equal(region.closed, true)
  })

  it('is one by its token, too', () => {
    const region = regionOf({ share: 'processes' })
    const channel = make(region)
    assert.equal(Region.open(region.token), region)
    const native = take(channel.token)
    assert.equal(region.stats().participants, 1)
    exchangeBoth(channel, native, 7)
    region.close()
  })

  it('is another one in each of two regions', () => {
    const [one, other] = [regionOf(), regionOf()]
    assert.notEqual(Region.open(structuredClone(other.handle) as typeof other.handle), one)
    other.close()
  })
})

describe('a channel in a heap is freed', () => {
  const ORDERS = { 'the side that made it first': [0, 1], 'that side last': [1, 0] }
  for (const [name, order] of Object.entries(ORDERS)) {
    it(`when both sides were cleaned up, ${name}`, () => {
      const region = regionOf()
      warm(region, 1)
      const before = blocksIn(region)
      const sides = [make(region)]
      sides.push(take(sides[0]!.handle))
      assert.equal(blocksIn(region), before + 1)
      sides[order[0]!]!.cleanup()
      assert.equal(blocksIn(region), before + 1)
      sides[order[1]!]!.cleanup()
      assert.equal(blocksIn(region), before)
      region.heap.check()
    })
  }

  it('at once when no other participant can know of it', () => {
    const region = regionOf()
    warm(region, 1)
    const before = blocksIn(region)
    make(region).cleanup()
    assert.equal(blocksIn(region), before)
  })

  it('only when what was sent has been received, as long as the other side can be taken', () => {
    const region = regionOf()
    const channel = make(region)
    const { handle } = channel
    channel.send(pattern(1, 100))
    channel.cleanup()
    const native = take(handle)
    assert.deepEqual(takeAll(native), [pattern(1, 100)])
    const before = blocksIn(region)
    native.cleanup()
    assert.equal(blocksIn(region), before - 1)
  })

  it('not while a side is detached, which can be taken again', () => {
    const region = regionOf()
    const channel = make(region)
    const { handle } = channel
    const native = take(handle)
    channel.send(pattern(3, 30))
    native.detach()
    channel.cleanup()
    assert.deepEqual(takeAll(take(handle)), [pattern(3, 30)])
  })

  it('by the survivor of a thread', async () => {
    const region = regionOf()
    warm(region, 1)
    const channel = make(region)
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' })
    assert.equal(await thread.next(), 'ready')
    await thread.terminate()
    await until(() => !channel.stats().peer && region.stats().participants === 1, 'the end of the thread')
    const before = blocksIn(region)
    channel.cleanup()
    assert.equal(blocksIn(region), before - 1)
  })

  it('by the survivor of a process', async () => {
    const region = regionOf({ share: 'processes' })
    const channel = make(region)
    const peer = new Peer({ does: 'hold', token: channel.token })
    await until(() => channel.stats().peer, 'the other process')
    await peer.kill()
    const before = blocksIn(region)
    channel.cleanup()
    assert.equal(blocksIn(region), before - 1)
  })

  it('and its handle leads to none of those that come after it', () => {
    const region = regionOf()
    const channel = make(region)
    const { handle } = channel
    take(handle).cleanup()
    channel.cleanup()
    throwsError(() => SharedMemoryChannel.attach(handle, { side: 'native' }), 'ERR_SABWAY_CLOSED', /freed/)
    const next = make(region)
    throwsError(() => SharedMemoryChannel.attach(handle, { side: 'native' }), 'ERR_SABWAY_CLOSED', /freed/)
    exchangeBoth(next, take(next.handle), 4)
  })

  it('when its region is closed', () => {
    const region = regionOf()
    const other = new Thread('hold-region', { handle: region.handle })
    const channel = make(region)
    region.close()
    assert.equal(channel.closed, true)
    void other.terminate()
  })

  it('with what the handles took, also 10,000 times', () => {
    const region = regionOf()
    warm(region, 2)
    const { blocks, pages } = region.heap.stats()
    for (let i = 0; i < 5000; i++) {
      const channel = make(region)
      const native = take(channel.handle)
      if (i % 100 === 0) exchangeBoth(channel, native, i)
      channel.cleanup()
      native.cleanup()
      make(region).cleanup()
    }
    const after = region.heap.stats()
    assert.deepEqual({ blocks: after.blocks, pages: after.pages }, { blocks, pages })
    assert.deepEqual(region.heap.check({ sweep: true }), [])
  })

  it('where another participant has ended, when an allocation finds no room', async () => {
    const region = regionOf({ size: 4 * MIB })
    for (let i = 0; i < 3; i++) {
      const channel = keep(new SharedMemoryChannel(MIB / 4, MIB / 4, { region }))
      const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' })
      assert.equal(await thread.next(), 'ready')
      channel.cleanup() // the other side is held
      await thread.terminate()
    }
    const { free } = region.heap.stats()
    assert.ok(free < 2 * MIB, `${free} bytes are free`)
    region.heap.free(region.heap.alloc(2 * MIB))
    assert.deepEqual(region.heap.check({ sweep: true }), [])
  })

  it('with all of one for which this thread has no room for handles', () => {
    const region = regionOf({ size: 2 * MIB })
    const { heap } = region
    // As many sides as have handles in this thread's own block, which has one pair, and in two more
    // blocks of seven. The last channel leaves its header for the next one.
    const channels = Array.from({ length: 9 }, (_, i) => make(region, { name: `n${i}` }))
    const last = channels.pop()!
    region.delete('n8')
    take(last.handle).cleanup()
    last.cleanup()
    const natives = channels.slice(0, 7).map(({ handle }) => take(handle))
    const rings = heap.alloc(2 * 8192)
    const filled: number[] = []
    throwsError(
      () => {
        for (;;) filled.push(heap.alloc(4096))
      },
      'ERR_SABWAY_HEAP_FULL',
      /4096 bytes/,
    )
    heap.free(rings)
    const { blocks, used } = heap.stats()
    throwsError(() => make(region, { name: 'late' }), 'ERR_SABWAY_HEAP_FULL', /4096 bytes/)
    assert.equal(region.has('late'), false)
    assert.deepEqual({ blocks: heap.stats().blocks, used: heap.stats().used }, { blocks, used })
    heap.free(filled.pop()!)
    exchangeBoth(channels[0]!, natives[0]!, 1)
    const late = make(region, { name: 'late' })
    exchangeBoth(late, take(late.handle), 2)
  })

  it('or reached, each block of 1,000 that are open at once', () => {
    const region = regionOf()
    const pairs = Array.from({ length: 1000 }, () => {
      const renderer = make(region)
      return { renderer, native: take(renderer.handle) }
    })
    assert.deepEqual(region.heap.check({ sweep: true }), [])
    for (const [i, { renderer, native }] of pairs.entries()) exchangeBoth(renderer, native, i)
    for (const { renderer, native } of pairs) {
      renderer.cleanup()
      native.cleanup()
    }
    assert.deepEqual(region.heap.check({ sweep: true }), [])
    region.check()
  })
})

describe('the name of a channel', () => {
  it('leads to its handle', () => {
    const region = regionOf()
    const channel = make(region, { name: 'frames' })
    const native = take(region.get('frames') as ChannelHandle)
    exchangeBoth(channel, native, 1)
    assert.deepEqual(region.list(), [{ name: 'frames', kind: 'channel' }])
    throwsError(() => make(region, { name: 'frames' }), 'ERR_SABWAY_NAME_TAKEN', /frames/)
    assert.equal(region.delete('frames'), true)
    region.set('other', channel)
    region.set('other', channel.handle)
    assert.equal(region.has('other'), true)
  })

  it('of which one cannot be made leaves no channel behind', () => {
    const region = regionOf()
    warm(region, 2)
    make(region, { name: 'taken' })
    const before = blocksIn(region)
    for (let i = 0; i < 10; i++) throwsError(() => make(region, { name: 'taken' }), 'ERR_SABWAY_NAME_TAKEN', /taken/)
    assert.equal(blocksIn(region), before)
  })

  it('is one channel for two that make it', () => {
    const region = regionOf()
    const mine: SharedMemoryChannel[] = []
    const both = [0, 1].map(() =>
      region.getOrMake('one', () => {
        mine.push(make(region))
        return mine.at(-1)! as never
      }),
    )
    assert.equal(mine.length, 1)
    exchangeBoth(mine[0]!, take(both[1]!), 2)
  })

  it('goes with the channel', () => {
    const region = regionOf()
    const channel = make(region, { name: 'brief' })
    const oldHandle = channel.handle
    const native = take(oldHandle)
    channel.cleanup()
    assert.equal(region.has('brief'), true)
    native.cleanup()
    assert.equal(region.has('brief'), false)
    const next = make(region) // in the same place
    assert.equal(region.get('brief'), undefined)
    for (const old of [channel, native, oldHandle])
      throwsError(() => region.set('late', old), 'ERR_SABWAY_CLOSED', /name/)
    assert.equal(region.has('late'), false)
    region.set('late', next)
  })

  it('or a handle of one that was freed, or never was, takes nothing from another, also with replace', () => {
    const region = regionOf()
    const channel = make(region)
    const { handle } = channel
    take(handle).cleanup()
    channel.cleanup()
    const next = make(region)
    const native = take(next.handle)
    assert.equal(next.handle.channel, handle.channel)
    for (const wrong of [
      { ...handle },
      { ...handle, channel: handle.channel! + 128 },
      { ...handle, channel: 2 ** 32 - 128 },
    ]) {
      const replace = () => SharedMemoryChannel.attach(wrong, { side: 'native', replace: true })
      throwsError(replace, 'ERR_SABWAY_CLOSED', /this channel was freed/)
    }
    exchangeBoth(next, native, 1)
    assert.equal(region.stats().participants, 1)
  })
})

describe('a region with many channels that the program drops', () => {
  it('is collected, and its peers see that', async () => {
    const region = regionOf()
    const channel = make(region)
    const thread = new Thread('channels', { region: region.handle, count: 3, drops: true })
    const handles = await thread.next<ChannelHandle[]>()
    const mine = handles.map((handle) => take(handle))
    thread.tell({ drop: true })
    assert.equal(await thread.next(), 'dropped')
    await until(() => mine.every((side) => !side.stats().peer), 'the end of the dropped channels')
    for (const side of mine) side.cleanup()
    exchangeBoth(channel, take(channel.handle), 1)
  })
})

it('messages are received on the event loop from all that were rung at once', async () => {
  const region = regionOf()
  const thread = new Thread('channels', { region: region.handle, count: 200 })
  const channels = (await thread.next<ChannelHandle[]>()).map((handle) => take(handle))
  const got = channels.map((channel) => collect(channel))
  for (let round = 1; round <= 5; round++) {
    for (const [i, channel] of channels.entries()) if ((i * 7 + round) % 3 !== 0) channel.send(pattern(i, 20))
    const expected = channels.map((_, i) => [1, 2, 3, 4, 5].filter((r) => r <= round && (i * 7 + r) % 3 !== 0).length)
    await until(() => got.every((messages, i) => messages.length === expected[i]), `the answers of round ${round}`)
  }
})
