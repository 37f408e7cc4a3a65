// receiveSync, the policies of waiting, and what they cost.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkerOptions } from 'node:worker_threads'
import { SharedMemoryChannel, type WaitPolicy } from 'sabway'
import { pattern } from '../support/bytes.js'
import { open, pair } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { inBuffers, itBlocking, itNative } from '../support/host.js'
import { sleeps } from '../support/sleepers.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'
import type { EndData } from '../workers/end.js'
import type { WaitsData } from '../workers/waits.js'

const MILLION = 1_000_000

/** How often the threads of that name have given up their processor to wait. */
function voluntarySwitches(name: string): number[] {
  const of = (id: string, file: string) => readFileSync(`/proc/self/task/${id}/${file}`, 'utf8')
  return readdirSync('/proc/self/task')
    .filter((id) => of(id, 'comm').trim() === name)
    .map((id) => Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(of(id, 'status'))![1]))
}

describe('receiveSync', () => {
  itBlocking('returns messages in order, each a copy of its own, then null when the time is up', () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 5; i++) renderer.send(pattern(i, i * 100))
    const got = Array.from({ length: 5 }, () => native.receiveSync())
    renderer.send(pattern(9, 400))
    got.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, i * 100))
    })
    assert.deepEqual(native.receiveSync(0), pattern(9, 400))
    assert.equal(native.receiveSync(0), null)
    assert.equal(native.receiveSync(5), null)
  })

  for (const wait of ['spin', 'balanced', 'park'] as const) {
    itNative(`asks a native thread and gets its answers, ${wait} on both sides`, () => {
      const channel = open(8192, 8192, { wait })
      channel.startWorker({ builtin: 'echo' })
      for (let i = 0; i < 300; i++) {
        channel.send(pattern(i, (i * 17) % 5000))
        assert.deepEqual(channel.receiveSync(20_000), pattern(i, (i * 17) % 5000))
      }
      assert.equal(channel.stats().wait.policy, wait)
      if (wait === 'spin') assert.equal(channel.stats().wait.parks + channel.stats().worker!.parks, 0)
    })
  }

  itNative('sends meanwhile what is queued', () => {
    const channel = open(4096, 4096)
    channel.startWorker({ builtin: 'echo' })
    for (let i = 0; i < 50; i++) channel.send(pattern(i, 3000))
    for (let i = 0; i < 50; i++) assert.deepEqual(channel.receiveSync(20_000), pattern(i, 3000))
  })

  itBlocking("takes nothing from the event loop's sleep: a 'close' listener is told afterwards", async () => {
    const { renderer, native } = pair(4096)
    let closed = 0
    native.addEventListener('close', () => closed++)
    assert.equal(native.receiveSync(0), null) // now it holds the role
    await aWhile()
    assert.equal(native.receiveSync(5), null)
    await aWhile()
    await renderer.readable.cancel()
    await renderer.writable.close()
    await until(() => closed === 1, "'close'")
  })

  it('throws when the other side is done, after its last message', () => {
    const { renderer, native } = pair(4096)
    renderer.send(pattern(1, 10))
    renderer.cleanup()
    assert.deepEqual(native.receiveSync(), pattern(1, 10))
    throwsError(() => native.receiveSync(), 'ERR_SABWAY_CLOSED', /all it sent has been received/)
    native.cleanup()
    throwsError(() => native.receiveSync(), 'ERR_SABWAY_CLOSED', /cleanup was called/)
  })

  it('throws while a callback receives, inside drain, and for a timeout that is none', () => {
    const { renderer, native } = pair(4096)
    native.startReceiving(() => {})
    throwsError(() => native.receiveSync(), 'ERR_SABWAY_INVALID_STATE', /startReceiving/)
    native.stopReceiving()
    renderer.send(pattern(1, 10))
    native.drain(() => throwsError(() => native.receiveSync(), 'ERR_SABWAY_INVALID_STATE', /inside/))
    for (const timeout of [-1, Number.NaN]) {
      throwsError(() => native.receiveSync(timeout), 'ERR_SABWAY_OUT_OF_RANGE', /timeout/)
    }
    throwsError(() => native.receiveSync('1' as never), 'ERR_SABWAY_INVALID_TYPE', /timeout .* got '1'/)
    throwsError(
      () => new SharedMemoryChannel(4096, 4096, { wait: 'long' as WaitPolicy }),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /'spin', 'balanced', 'park'/,
    )
  })

  for (const [peer, options] of [
    ['a native thread', {}],
    ['JavaScript', {}],
    ['a peer that has not come', {}],
    ...(inBuffers ? [] : [['JavaScript', { execArgv: ['--no-addons'] }]]), // cannot join those
  ] as [string, WorkerOptions][]) {
    for (const wait of ['spin', 'park'] as const) {
      const test = peer === 'a native thread' ? itNative : it
      test(`is ended by worker.terminate() while it waits for ${peer} (${wait}, ${JSON.stringify(options)})`, async () => {
        const channel = open()
        const side = peer === 'a native thread' ? 'renderer' : 'native'
        if (side === 'renderer') channel.startWorker({ builtin: 'echo' })
        else if (peer === 'JavaScript') channel.startReceiving(() => {})
        const data: WaitsData = { handle: channel.handle, side, job: 'forever', count: 0, wait }
        const thread = new Thread('waits', data, options)
        assert.equal(await thread.next(), 'ready')
        if (wait === 'park') await until(() => sleeps(channel.handle, side), 'the thread to sleep')
        await thread.terminate()
      })
    }
  }
})

describe('waking costs', () => {
  itNative('fewer than 1,000 system calls for a million messages to a busy native thread', async () => {
    const channel = open(1 << 20, 4096)
    // Always busy: on one processor a balanced one would be woken, be faster than its sender, and
    // sleep again.
    channel.startWorker({ builtin: 'sink', wait: 'spin' })
    const message = new Uint8Array(64)
    for (let sent = 0; sent < MILLION; ) if (channel.trySend(message)) sent++
    await until(() => channel.stats().worker!.received === MILLION, 'all messages')
    const { wait, worker } = channel.stats()
    assert.ok(wait.wakes + worker!.wakes < 1000, `${wait.wakes} and ${worker!.wakes} calls`)
  })

  itNative('fewer than 1,000 for a million messages from a native thread to a busy event loop', async () => {
    // busy, however the machine shares out its processors
    const channel = open(4096, 1 << 20, { wait: 'spin' })
    let received = 0
    channel.startReceiving(() => received++, { copy: false })
    channel.startWorker({ builtin: 'source', size: 64, count: MILLION })
    await until(() => received === MILLION, 'all messages')
    const { wait, worker } = channel.stats()
    assert.ok(wait.wakes + worker!.wakes < 1000, `${wait.wakes} and ${worker!.wakes} calls`)
  })

  it('fewer than 1,000 for a million messages between two busy event loops', async () => {
    const channel = open(4096, 1 << 20, { wait: 'spin' })
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' } satisfies EndData)
    assert.equal(await thread.next(), 'ready')
    let received = 0
    channel.startReceiving(() => received++, { copy: false })
    thread.tell({ flood: MILLION } as never)
    await until(() => received === MILLION, 'all messages')
    const { wait } = channel.stats()
    thread.tell('stats')
    const { wait: other } = await thread.next<{ wait: { wakes: number } }>()
    assert.ok(wait.wakes + other.wakes < 1000, `${wait.wakes} and ${other.wakes} calls`)
  })

  itNative('nothing while the channel is idle: no thread wakes up', async () => {
    const channel = open()
    channel.startReceiving(() => {})
    channel.startWorker({ builtin: 'echo' })
    channel.send(pattern(1, 10))
    await until(() => channel.stats().received.messages === 1, 'the echo')
    await until(() => sleeps(channel.handle, 'native') && sleeps(channel.handle, 'renderer'), 'both to sleep')
    await sleep(20)
    const before = [channel.stats().wait.parks, channel.stats().worker!.parks, voluntarySwitches('sabway-worker')]
    await sleep(1500) // three times the patrol of a sleeper whose waker may vanish
    const after = [channel.stats().wait.parks, channel.stats().worker!.parks, voluntarySwitches('sabway-worker')]
    assert.deepEqual(after, before)
  })
})
