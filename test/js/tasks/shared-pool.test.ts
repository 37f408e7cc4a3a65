// A pool of workers that do tasks.
import assert from 'node:assert/strict'
import type { Worker as NodeWorker } from 'node:worker_threads'
import { type ErrorCode, type RunOptions, SharedPool, type SharedPoolOptions } from 'sabway'
import { rejectsWith, throwsError } from '../support/errors.js'
import { pause } from '../support/sleepers.js'
import type { Asked } from '../workers/tasks.js'

const file = new URL('../workers/tasks.js', import.meta.url)
const pools: SharedPool<Asked>[] = []

function pool(options?: Partial<SharedPoolOptions>): SharedPool<Asked> {
  const made = new SharedPool<Asked>({ file, workers: 2, ...options })
  pools.push(made)
  return made
}

/** A word of shared memory by which a worker is let go. */
const flag = () => new Int32Array(new SharedArrayBuffer(4))

describe('a task pool', () => {
  afterEach(() => {
    for (const made of pools.splice(0)) made.destroy()
  })

  it('resolves to what the function returns, at once or later', async () => {
    const p = pool()
    assert.equal(await p.run(['double', 21]), 42)
    assert.equal(await p.run(['later', 'text']), 'text')
    assert.deepEqual(await p.run(['same', { a: [1, 2n, null], b: new Uint8Array([1, 2]) }]), {
      a: [1, 2n, null],
      b: new Uint8Array([1, 2]),
    })
    assert.equal(await p.run(['same']), undefined)
    assert.equal(p.pending, 0)
  })

  it('gives values of all kinds to the worker and back, whatever they follow', async () => {
    const p = new SharedPool({ file: new URL('../workers/echo-tasks.js', import.meta.url), workers: 1 })
    const values = [
      ...[1.5, -0, true, false, null, undefined, 'text', '', 'é'.repeat(100_000), 2n ** 200n, -5n],
      ...[new Uint8Array([1, 2, 3]), new Uint8Array(0), new Uint8Array(300_000).fill(7), new Float64Array([1, 2])],
      ...[new DataView(new ArrayBuffer(5)), [1, 'a', [2]], { a: { b: 1n } }, [], ['DONE']],
    ]
    try {
      for (const [i, value] of [...values, ...values.reverse()].entries())
        assert.deepStrictEqual(await p.run(value), value, `value ${i}`)
      assert.deepStrictEqual(await Promise.all(values.map((value) => p.run(value))), values)
      const bytes = (await p.run(new Uint8Array([1, 2, 3]))) as Uint8Array
      assert.equal(bytes.buffer.byteLength, 3)
    } finally {
      p.destroy()
    }
  })

  it('answers each of very many tasks once, more than are in shared memory at one time', async () => {
    const p = pool({ capacity: 16 })
    const all = Array.from({ length: 5000 }, (_, i) => p.run(['double', i]))
    assert.ok(p.queued > 4000)
    assert.deepEqual(
      await Promise.all(all),
      Array.from({ length: 5000 }, (_, i) => 2 * i),
    )
    assert.equal(p.pending, 0)
  })

  it('has its tasks done by all workers', async () => {
    const p = pool({ workers: 3 })
    const threads = new Set<unknown>()
    while (threads.size < 3) {
      for (const thread of await Promise.all(Array.from({ length: 30 }, () => p.run(['thread'])))) threads.add(thread)
    }
    assert.equal(threads.size, 3)
  })

  it('rejects with what the function throws', async () => {
    const p = pool()
    await assert.rejects(p.run(['fail', 'too far']), (error: Error & { code: string }) => {
      assert.equal(error.name, 'RangeError')
      assert.equal(error.message, 'too far')
      assert.equal(error.code, 'ERR_OF_THE_TEST')
      assert.match(error.stack!, /tasks\.js/)
      return true
    })
    await assert.rejects(p.run(['throwText', 'plain']), /plain/)
    await rejectsWith(p.run(['functionBack']), 'ERR_SABWAY_NOT_ENCODABLE', /./)
    await rejectsWith(p.run(['same', () => 1]), 'ERR_SABWAY_NOT_ENCODABLE', /./)
    assert.equal(await p.run(['double', 4]), 8)
  })

  it('gives a task up when its signal is aborted, before it begins or while it runs', async () => {
    const p = pool({ workers: 1 })
    const go = flag()
    const first = p.run(['spin', go], { transfer: [] })
    const gone = new AbortController()
    const second = p.run(['double', 1], { signal: gone.signal })
    const third = p.run(['double', 2])
    gone.abort(new Error('not wanted'))
    await rejectsWith(second, 'ERR_SABWAY_ABORTED', /given up/)
    Atomics.store(go, 0, 1)
    assert.deepEqual([await first, await third], [false, 4])
    const running = new AbortController()
    const fourth = p.run(['untilAborted'], { signal: running.signal })
    await p.run(['double', 1], { timeout: 20 }).catch(() => {})
    running.abort()
    await rejectsWith(fourth, 'ERR_SABWAY_ABORTED', /given up/)
    assert.equal(await p.run(['double', 5]), 10) // the function has ended, so its worker is free
    await rejectsWith(p.run(['double', 1], { signal: AbortSignal.abort() }), 'ERR_SABWAY_ABORTED', /given up/)
  })

  it('gives a task up when its time is over, and tells one that does not come back', async () => {
    const p = pool({ workers: 1 })
    await rejectsWith(p.run(['spin', flag()], { timeout: 30, transfer: [] }), 'ERR_SABWAY_TIMEOUT', /ms/)
    assert.equal(await p.run(['double', 3]), 6) // the loop has seen `cancelled`
  })

  it('ends the worker of a task that is given up, where that is asked for', async () => {
    const p = pool({ workers: 1 })
    const before = await p.run(['thread'])
    const endless = p.run(['untilAborted'], { timeout: 200, terminate: true })
    await rejectsWith(endless, 'ERR_SABWAY_TIMEOUT', /ms/)
    assert.notEqual(await p.run(['thread']), before)
  })

  it('rejects a task whose worker has died, and has another in its place', async () => {
    const p = pool()
    await rejectsWith(p.run(['die', 1]), 'ERR_SABWAY_PEER_DIED', /worker/)
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => p.run(['double', i])))
    assert.equal(results[19], 38)
    assert.equal(p.workers, 2)
  })

  it('has the answers of a worker that dies behind them', async () => {
    const p = pool({ workers: 1 })
    await p.run(['double', 1])
    const answered = Array.from({ length: 20 }, (_, i) => p.run(['double', i]))
    const died = rejectsWith(p.run(['die', 1]), 'ERR_SABWAY_PEER_DIED', /worker/)
    pause(500) // meanwhile it answers, and dies
    assert.deepEqual(
      await Promise.all(answered),
      Array.from({ length: 20 }, (_, i) => 2 * i),
    )
    await died
  })

  it('takes what a worker has answered before it looks for what it has lost', async () => {
    // The pool hears of the end before its event loop has a turn for the answers.
    const { getBuiltinModule } = process as unknown as { getBuiltinModule(name: string): unknown }
    const threads = getBuiltinModule.call(process, 'node:worker_threads') as { Worker: typeof NodeWorker }
    const { Worker } = threads
    const begun: InstanceType<typeof Worker>[] = []
    const answered = flag()
    threads.Worker = class extends Worker {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given)
        begun.push(this)
      }
    }
    try {
      const p = pool({ workers: 1, workerOptions: { workerData: answered } })
      await p.run(['double', 1])
      const all = Array.from({ length: 20 }, (_, i) => p.run(['double', i]))
      const last = p.run(['signal']).catch(() => {})
      Atomics.wait(answered, 0, 0)
      const [worker] = begun
      worker!.emit('exit', 7)
      worker!.removeAllListeners('exit')
      await worker!.terminate()
      assert.deepEqual(
        await Promise.all(all),
        Array.from({ length: 20 }, (_, i) => 2 * i),
      )
      await last
      assert.equal(await p.run(['double', 21]), 42)
    } finally {
      threads.Worker = Worker
    }
  })

  it('begins a task again whose worker has died, as often as it may', async () => {
    const p = pool({ retries: 2 })
    assert.equal(await p.run(['die', 2]), 2)
    await rejectsWith(p.run(['die', 3]), 'ERR_SABWAY_PEER_DIED', /worker/)
  })

  it('goes on when each worker dies in the first turn of its event loop, in a task', async () => {
    const p = pool({ workers: 1, retries: 1 })
    const all = Array.from({ length: 8 }, () => p.run(['die', 1]))
    assert.deepEqual(await Promise.all(all), new Array(8).fill(1))
  })

  it('loses no task among workers that die again and again', async () => {
    const p = pool({ workers: 3, retries: 1 })
    const all = Array.from({ length: 60 }, (_, i) => p.run(i % 10 === 0 ? ['die', 1] : ['double', i]))
    assert.deepEqual(
      await Promise.all(all),
      Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 1 : 2 * i)),
    )
  })

  it('tells what the function reports, in order, before the answer', async () => {
    const p = pool()
    const told: number[] = []
    const options: RunOptions = { onProgress: (i: number) => told.push(i) }
    assert.equal(await p.run(['report', 50], options), 'reported')
    assert.deepEqual(told, [...Array(50).keys()])
  })

  it('moves what is to be moved, to the worker and back', async () => {
    const p = pool()
    const bytes = new Uint8Array(100_000)
    const back = (await p.run(['move', bytes], { transfer: [bytes.buffer] })) as Uint8Array
    assert.equal(bytes.length, 0)
    assert.deepEqual([back.length, back[0]], [100_000, 42])
  })

  it('rejects a task of which something cannot be moved, there or back, and its worker goes on', async () => {
    const p = pool({ workers: 1 })
    const thread = await p.run(['thread'])
    const wrong = [[new SharedArrayBuffer(4)], [new Uint8Array(4)]]
    for (const transfer of wrong)
      await rejectsWith(p.run(['same', 1], { transfer }), 'ERR_SABWAY_NOT_ENCODABLE', /transfer/i)
    for (const when of ['now', 'later']) {
      await assert.rejects(p.run(['moveWrongly', when]), (error: Error & { code: string }) => {
        assert.equal(error.code, 'ERR_SABWAY_NOT_ENCODABLE')
        return true
      })
    }
    assert.equal(await p.run(['thread']), thread)
    assert.equal(p.pending, 0)
  })

  it('closes when what was given is done, and then takes nothing', async () => {
    const p = pool()
    const last = p.run(['later', 1])
    const closed = p.close()
    await rejectsWith(p.run(['double', 1]), 'ERR_SABWAY_CLOSED', /pool was/)
    assert.equal(await last, 1)
    await closed
    await p.close()
  })

  it('rejects what is not answered when it is destroyed', async () => {
    const p = pool()
    const last = p.run(['untilAborted'])
    p.destroy()
    await rejectsWith(last, 'ERR_SABWAY_CLOSED', /pool was/)
    await rejectsWith(p.run(['double', 1]), 'ERR_SABWAY_CLOSED', /pool was/)
  })

  it('refuses more tasks than may wait', async () => {
    const p = pool({ workers: 1, capacity: 2, maxQueued: 1 })
    const go = flag()
    const all = [0, 1, 2].map(() => p.run(['spin', go], { transfer: [] }))
    await rejectsWith(p.run(['double', 1]), 'ERR_SABWAY_QUEUE_FULL', /maxQueued/)
    Atomics.store(go, 0, 1)
    await Promise.all(all)
  })

  it('is given up when its workers cannot be started', async () => {
    const p = pool({ file: new URL('../workers/not-there.js', import.meta.url) })
    await assert.rejects(p.run(['double', 1]), (error: Error & { code: string }) => {
      assert.equal(error.code, 'ERR_SABWAY_PEER_DIED')
      assert.match(String(error.cause), /not-there/)
      return true
    })
    await rejectsWith(p.run(['double', 1]), 'ERR_SABWAY_PEER_DIED', /worker/)
  })

  it('refuses options that it cannot have', () => {
    const refused = (options: object, code: ErrorCode) =>
      throwsError(
        () => new SharedPool({ file, ...options } as SharedPoolOptions),
        code,
        /file|workers|retries|capacity|threads|codec/,
      )
    refused({ file: 3 }, 'ERR_SABWAY_INVALID_TYPE')
    refused({ workers: 0 }, 'ERR_SABWAY_OUT_OF_RANGE')
    refused({ workers: 63 }, 'ERR_SABWAY_OUT_OF_RANGE')
    refused({ retries: -1 }, 'ERR_SABWAY_OUT_OF_RANGE')
    refused({ capacity: 1 }, 'ERR_SABWAY_OUT_OF_RANGE')
    refused({ codec: 'bytes' }, 'ERR_SABWAY_INVALID_ARGUMENT')
    refused({ codec: {} }, 'ERR_SABWAY_INVALID_ARGUMENT')
    refused({ threads: 4 }, 'ERR_SABWAY_INVALID_ARGUMENT')
  })
})
