// The robust mutex in JavaScript: one thread, several, with the addon and without, and processes.
import assert from 'node:assert/strict'
import { type Lock, MemoryHeap, Mutex } from 'sabway'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itBlocking, itNative, mayBlock } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread, tellsEnd } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { MutexTask } from '../workers/mutex.js'

interface Scene {
  heap: MemoryHeap
  mutex: Mutex
  words: Int32Array
  task: Pick<MutexTask, 'pointer' | 'words'>
}

function scene(share: 'threads' | 'processes' = 'threads'): Scene {
  const heap = new MemoryHeap({ size: 2 ** 22, share })
  closeLater(heap.region)
  const mutex = new Mutex(heap)
  const memory = heap.allocI32(2)
  return { heap, mutex, words: memory.data, task: { pointer: mutex.pointer, words: memory.pointer } }
}

type Start = (scene: Scene, task: Omit<MutexTask, 'shared' | 'pointer' | 'words'>) => Thread | Peer
const OTHERS: Record<string, Start> = {
  'a thread': ({ heap, task }, more) => new Thread('mutex', { shared: heap.getSharedMemory(), ...task, ...more }),
  'a thread without the addon': ({ heap, task }, more) =>
    new Thread('mutex', { shared: heap.getSharedMemory(), ...task, ...more }, { execArgv: ['--no-addons'] }),
  'another process': ({ heap, task }, more) => new Peer({ shared: heap.region.token, ...task, ...more }),
}
const isProcess = (name: string) => name === 'another process'
const testOf = (name: string) => (isProcess(name) ? itNative : it)
const sceneOf = (name: string) => scene(isProcess(name) ? 'processes' : 'threads')
const stop = (other: Thread | Peer) => (other instanceof Thread ? other.terminate() : other.kill())

/** Of the upper half of sw_mutex.state. */
const SW_MUTEX_WAITED = 0x80
/** Of the lower half: a dead holder has left it, and no role stands there. */
const SW_MUTEX_INHERITED = 0x80

describe('a mutex', () => {
  it('is held by one at a time', () => {
    const { mutex } = scene()
    const lock = mutex.lock()
    assert.deepEqual([lock.ownerDied, mutex.locked], [false, true])
    assert.equal(mutex.tryLock(), null)
    throwsError(
      () => mutex.lock(),
      'ERR_SABWAY_INVALID_STATE',
      /this thread holds the mutex, and would wait for itself/,
    )
    throwsError(() => lock.consistent(), 'ERR_SABWAY_INVALID_STATE', /the last holder did not die/)
    lock.release()
    assert.equal(mutex.locked, false)
    throwsError(() => lock.release(), 'ERR_SABWAY_INVALID_STATE', /this lock was released/)
    throwsError(() => lock.consistent(), 'ERR_SABWAY_INVALID_STATE', /this lock was released/)
    lock[Symbol.dispose]() // nothing
    mutex.tryLock()!.release()
  })

  it('is released by leaving the block of `using`', () => {
    const { mutex } = scene()
    const disposing = (lock: Lock) => {
      try {
        assert.equal(mutex.locked, true)
      } finally {
        lock[Symbol.dispose]()
      }
    }
    disposing(mutex.lock())
    assert.equal(mutex.locked, false)
  })

  it('serves calls of lockAsync in their order', async () => {
    const { mutex } = scene()
    const first = mutex.lock()
    const order: number[] = []
    const calls = [1, 2, 3].map((number) =>
      mutex.lockAsync().then((lock) => {
        order.push(number)
        assert.equal(mutex.tryLock(), null)
        lock.release()
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepEqual(order, [])
    first.release()
    await Promise.all(calls)
    assert.deepEqual(order, [1, 2, 3])
    assert.equal(mutex.locked, false)
  })

  /** A thread that has the mutex now, until it is told to release it. */
  async function lentTo(s: Scene): Promise<Thread> {
    const thread = OTHERS['a thread']!(s, { locks: 'lend' }) as Thread
    assert.equal(await thread.next(), 'locked')
    return thread
  }

  async function released(thread: Thread): Promise<void> {
    thread.tell('release')
    assert.equal(await thread.next(), 'released')
  }

  itBlocking('blocks as long as a call says', async () => {
    const s = scene()
    const holder = await lentTo(s)
    throwsError(() => s.mutex.lock({ timeout: 5 }), 'ERR_SABWAY_TIMEOUT', /within 5 ms/)
    await released(holder)
    s.mutex.lock({ timeout: 5 }).release()
  })

  it('is waited for as long as a call says, and no longer than its signal', async () => {
    const s = scene()
    const { mutex } = s
    const holder = await lentTo(s)
    throwsError(() => mutex.lock({ timeout: 0 }), 'ERR_SABWAY_TIMEOUT', /within 0 ms/)
    await rejectsWith(mutex.lockAsync({ timeout: 5 }), 'ERR_SABWAY_TIMEOUT', /within 5 ms/)
    await rejectsWith(mutex.lockAsync({ timeout: 0 }), 'ERR_SABWAY_TIMEOUT', /within 0 ms/)
    const controller = new AbortController()
    const aborted = mutex.lockAsync({ signal: controller.signal })
    const patient = mutex.lockAsync()
    controller.abort()
    await rejectsWith(aborted, 'ERR_SABWAY_ABORTED', /given up/)
    await rejectsWith(mutex.lockAsync({ signal: controller.signal }), 'ERR_SABWAY_ABORTED', /given up/)
    await released(holder)
    const mine = await patient
    assert.equal(mutex.tryLock(), null)
    mine.release()
    mutex.lock({ timeout: 0 }).release()
  })

  it('is not to be had any more once one has unlocked it without mending what a dead holder left', async () => {
    const s = scene()
    const thread = OTHERS['a thread']!(s, { locks: 'die' })
    await thread.next()
    const lock = await s.mutex.lockAsync()
    assert.equal(lock.ownerDied, true)
    const waiting = s.mutex.lockAsync()
    throwsError(() => lock.release(), 'ERR_SABWAY_POISONED', /without consistent\(\): make another mutex/)
    await rejectsWith(waiting, 'ERR_SABWAY_POISONED', /consistent\(\)/)
    throwsError(() => s.mutex.lock(), 'ERR_SABWAY_POISONED', /consistent\(\)/)
    throwsError(() => s.mutex.tryLock(), 'ERR_SABWAY_POISONED', /consistent\(\)/)
  })

  it('gives up its waiters when its region is closed', async () => {
    const { heap, mutex } = scene()
    mutex.lock()
    const waiting = mutex.lockAsync()
    heap.region.close()
    await rejectsWith(waiting, 'ERR_SABWAY_CLOSED', /was closed/)
    throwsError(() => mutex.tryLock(), 'ERR_SABWAY_CLOSED', /was closed/)
  })

  it('is handed to a waiter that has waited for long, and not taken by a faster one', async () => {
    const s = scene()
    const { heap, mutex, words } = s
    const lock = mutex.lock()
    const other = OTHERS['a thread']!(s, { locks: 'hold' })
    // The waiter's role, in the half of the state that says which waiter is next.
    const state = new Uint32Array(heap.buffer, mutex.pointer, 2)
    await until(() => (Atomics.load(state, 1) & ~SW_MUTEX_WAITED) !== 0, 'the waiter asks for the mutex')
    lock.release()
    assert.equal(mutex.tryLock(), null) // handed over, or taken already: the waiter keeps it
    assert.equal(await other.next(), 'locked')
    assert.deepEqual([...words], [1, 0])
    await stop(other)
  })

  it('has a name, and its memory can be given back', () => {
    const { heap, mutex } = scene()
    heap.region.set('lock', mutex)
    assert.deepEqual(heap.region.list(), [{ name: 'lock', kind: 'mutex' }])
    const found = heap.region.get('lock') as Mutex
    assert.equal(found.pointer, mutex.pointer)
    const lock = found.lock()
    throwsError(() => mutex.free(), 'ERR_SABWAY_INVALID_STATE', /holds the mutex/)
    lock.release()
    assert.equal(JSON.stringify(mutex), `{"pointer":${mutex.pointer},"locked":false}`)
    heap.region.delete('lock')
    const { blocks } = heap.stats()
    mutex.free()
    assert.equal(new Mutex(heap).pointer, mutex.pointer)
    assert.equal(heap.stats().blocks, blocks)
    mutex.free()
    const again = heap.region.getOrMake('lock', () => new Mutex(heap))
    again.lock().release()
    throwsError(() => new Mutex({} as never), 'ERR_SABWAY_INVALID_TYPE', /region\.heap/)
    throwsError(() => new Mutex(heap, 4096), 'ERR_SABWAY_WILD_POINTER', /4096/)
  })

  it('can be made and freed any number of times', () => {
    const { heap } = scene()
    let first = 0
    for (let round = 0; round < 5; round++) {
      const made = Array.from({ length: 600 }, () => new Mutex(heap))
      assert.equal(new Set(made.map(({ pointer }) => pointer)).size, 600)
      const lock = made[7]!.lock()
      assert.equal(made.filter(({ locked }) => locked).length, 1)
      throwsError(() => made[7]!.free(), 'ERR_SABWAY_INVALID_STATE', /holds the mutex/)
      first ||= heap.stats().blocks
      assert.equal(heap.stats().blocks, first, 'their memory is used again')
      lock.release()
      for (const mutex of made) mutex.free()
      throwsError(() => made[0]!.free(), 'ERR_SABWAY_DOUBLE_FREE', /there is no mutex any more/)
    }
    assert.deepEqual(
      heap
        .check({ sweep: true })
        .map(({ bytes }) => bytes)
        .sort(),
      [16],
      'the words; the first mutex is registered',
    )
  })

  for (const [name, start] of Object.entries(OTHERS)) {
    for (const way of ['lock', 'tryLock', 'lockAsync', undefined] as const) {
      testOf(name)(`keeps ${name} and this one apart, which use ${way ?? 'all ways'}`, async () => {
        const s = sceneOf(name)
        const count = 300
        const others = [0, 1].map(() => start(s, { locks: 'count', count, ...(way && { way }) }))
        for (let i = 0; i < count; i++) {
          const lock = i % 2 === 0 || !mayBlock ? await s.mutex.lockAsync() : s.mutex.lock()
          const value = s.words[0]!
          s.words[0] = value + 1
          assert.equal(s.words[1], value)
          s.words[1] = value + 1
          lock.release()
        }
        for (const other of others) assert.deepEqual(await other.next(), { died: 0 })
        assert.deepEqual([...s.words], [3 * count, 3 * count])
      })
    }

    testOf(name)(`is handed on by ${name} that ends by itself while it holds it`, async () => {
      const s = sceneOf(name)
      for (let round = 1; round <= 3; round++) {
        const waiting = round === 3 ? null : start(s, { locks: 'die' })
        if (waiting === null) break
        await waiting.next()
        const lock = await s.mutex.lockAsync()
        assert.equal(lock.ownerDied, true)
        s.words[1] = s.words[0]!
        lock.consistent()
        lock.release()
        s.mutex.lock().release()
      }
      assert.deepEqual([...s.words], [2, 2])
    })

    if (!tellsEnd(name)) continue
    if (!isProcess(name)) {
      it(`is taken from ${name} that ends with it, before another asks for it`, async () => {
        const s = sceneOf(name)
        const holder = start(s, { locks: 'hold' })
        await holder.next()
        await stop(holder)
        await until(() => s.heap.region.stats().participants === 1, 'the end of the holder')
        assert.equal(Atomics.load(new Uint32Array(s.heap.buffer, s.mutex.pointer, 1), 0), SW_MUTEX_INHERITED)
        assert.equal(s.mutex.tryLock()!.ownerDied, true)
      })
    }
    testOf(name)(`is handed on when ${name} is killed while it holds it and others wait`, async () => {
      const s = sceneOf(name)
      const holder = start(s, { locks: 'hold' })
      await holder.next()
      const counting = start(s, { locks: 'count', count: 50 })
      const waiting = s.mutex.lockAsync()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await stop(holder)
      const lock = await waiting
      if (lock.ownerDied) {
        s.words[0] = s.words[1]!
        lock.consistent()
      }
      lock.release()
      const { died } = await counting.next<{ died: number }>()
      assert.equal(died + Number(lock.ownerDied), 1)
      assert.deepEqual([...s.words], [50, 50])
      await until(() => !s.mutex.locked, 'the end of the others')
    })
  }
})
