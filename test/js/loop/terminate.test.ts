// worker.terminate() ends a JavaScript thread between any two of its instructions.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, Mutex, Region, type SharedMemoryChannel } from 'sabway'
import { pattern, random } from '../support/bytes.js'
import { collect, open, takeAll } from '../support/channels.js'
import { times } from '../support/effort.js'
import { collectGarbage } from '../support/gc.js'
import { heard } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { nativeThreadsAre, Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { EndData } from '../workers/end.js'

const ROUNDS = times(25)
const chance = random(42)

/** Somewhere in the first milliseconds. */
const aMoment = () => sleep(chance() * 12)

function checkRegion(channel: SharedMemoryChannel): void {
  const region = Region.open(channel.handle as never)
  region.check()
  region.close()
}

describe('worker.terminate()', () => {
  it(`of a thread that floods this one: what it published arrives whole, the next one goes on (${ROUNDS} times)`, async () => {
    const channel = open(65536, 65536)
    for (let round = 0; round < ROUNDS; round++) {
      const job = { handle: channel.handle, side: 'native', job: 'flood', bytes: 500 } satisfies EndData
      const thread = new Thread('end', job)
      let next = 0
      channel.startReceiving((message) => {
        assert.equal(message.length, 500)
        assert.equal(new DataView(message.buffer, message.byteOffset).getUint32(0, true), next++)
      })
      await until(() => next > 100, 'the flood')
      await aMoment()
      await thread.terminate()
      channel.stopReceiving()
      takeAll(channel).forEach((message, i) => {
        assert.equal(new DataView(message.buffer).getUint32(0, true), next + i)
      })
      assert.equal(channel.stats().peer, false)
      checkRegion(channel)
    }
  })

  it(`of a thread that is flooded: the next one goes on with what was left (${ROUNDS} times)`, async () => {
    const channel = open(65536, 65536)
    const echoes = collect(channel)
    for (let round = 0; round < ROUNDS; round++) {
      const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' } satisfies EndData)
      const target = echoes.length + 300
      while (echoes.length < target) {
        if (channel.stats().sent.queued < 1000) for (let n = 0; n < 100; n++) channel.send(pattern(round, 300))
        await sleep(1)
      }
      await aMoment()
      await thread.terminate()
      checkRegion(channel)
    }
    const last = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' } satisfies EndData)
    channel.send(pattern(1000, 10))
    await until(() => echoes.at(-1)!.length === 10, 'the last message to pass')
    assert.deepEqual(echoes.at(-1), pattern(1000, 10))
    await last.terminate()
  })

  it(`of a thread that joins leaves the region as it was (${ROUNDS} times)`, async () => {
    const heap = new MemoryHeap({ size: 4 * 2 ** 20 })
    closeLater(heap.region)
    new Mutex(heap) // then a thread that joins loads the heap's code, which takes it some time
    const begun = new Int32Array(new SharedArrayBuffer(4))
    let early = 0
    for (let round = 0; round < ROUNDS; round++) {
      begun[0] = 0
      const thread = new Thread('joining', { begun, handle: heap.region.handle })
      await until(() => Atomics.load(begun, 0) !== 0, 'the thread')
      const end = performance.now() + chance() * 6
      while (performance.now() < end) {}
      if (begun[0] === 1) early++
      await thread.terminate()
    }
    assert.ok(early > 0, 'no thread was terminated while it joined')
    await until(() => heap.region.stats().participants === 1, 'the endpoints of the threads')
  })

  it(`of a thread with native workers of its own joins those (${ROUNDS} times)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const thread = new Thread('own', null)
      assert.equal(await thread.next(), 'flooding')
      await nativeThreadsAre(2)
      await aMoment()
      await thread.terminate()
      await nativeThreadsAre(0)
    }
  })

  it(`of a thread that never leaves the addon (${ROUNDS} times)`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const thread = new Thread('busy', null)
      assert.equal(await thread.next(), 'busy')
      await aMoment()
      await thread.terminate()
      await nativeThreadsAre(0)
    }
  })

  it('of several flooded threads at once, while this one has native workers too', async () => {
    const channel = open()
    channel.startWorker({ builtin: 'echo' })
    const echoes = collect(channel)
    for (let round = 0; round < 5; round++) {
      const threads = Array.from({ length: 4 }, () => new Thread('own', null))
      for (const thread of threads) await thread.next()
      for (let i = 0; i < 100; i++) channel.send(pattern(i, 100))
      await Promise.all(threads.map((thread) => thread.terminate()))
      collectGarbage()
      await nativeThreadsAre(1)
    }
    await until(() => echoes.length === 500, 'all echoes')
    echoes.forEach((echo, i) => {
      assert.deepEqual(echo, pattern(i % 100, 100))
    })
  })

  it('of a thread that is only just starting (20 times)', async () => {
    const channel = open()
    for (let round = 0; round < 20; round++) {
      const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'flood' } satisfies EndData)
      await sleep(round * 3)
      await thread.terminate()
      takeAll(channel)
      checkRegion(channel)
    }
    assert.equal(channel.stats().peer, false)
  })

  it('is told once: after the listener, a receive waits for the next thread', async () => {
    const channel = open()
    const died = heard(channel, 'peer-died')
    const data = { handle: channel.handle, side: 'native', job: 'echo' } satisfies EndData
    const first = new Thread('end', data)
    channel.send(Uint8Array.of(1))
    assert.deepEqual(await channel.receive(), Uint8Array.of(1))
    await first.terminate()
    await died
    const answer = channel.receive()
    new Thread('end', data)
    channel.send(Uint8Array.of(2))
    for (let got = await answer; got[0] !== 2; got = await channel.receive()) assert.deepEqual(got, Uint8Array.of(1))
  })

  it('of a thread that made the channel: the side that attached keeps it', async () => {
    const thread = new Thread('maker', null)
    const handle = await thread.next<EndData['handle']>()
    const { SharedMemoryChannel } = await import('sabway')
    const channel = SharedMemoryChannel.attach(handle, { side: 'native' })
    await thread.terminate()
    collectGarbage()
    assert.deepEqual(takeAll(channel), [Uint8Array.of(1, 2, 3)])
    channel.send(pattern(1, 1000))
    const other = SharedMemoryChannel.attach(handle, { side: 'renderer' })
    assert.deepEqual(takeAll(other), [pattern(1, 1000)])
    other.cleanup()
    channel.cleanup()
  })
})
