// Locks and signals between threads, with the addon and without, and processes; and what the death
// of one does to the others.
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers'
import {
  MemoryHeap,
  Mutex,
  SharedBarrier,
  SharedCondition,
  SharedEvent,
  SharedOnce,
  SharedRwLock,
  SharedSemaphore,
  SharedSpinLock,
  SharedWaitGroup,
} from 'sabway'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itBlocking, itNative } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread, tellsEnd } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { SyncTask } from '../workers/sync.js'

interface Scene {
  heap: MemoryHeap
  words: Int32Array
  at: number
}

function scene(share: 'threads' | 'processes' = 'threads'): Scene {
  const heap = new MemoryHeap({ size: 2 ** 22, share })
  closeLater(heap.region)
  const memory = heap.allocI32(4)
  return { heap, words: memory.data, at: memory.pointer }
}

type Task = Pick<SyncTask, 'sync' | 'pointer'> & Partial<SyncTask>
type Start = (scene: Scene, task: Task) => Thread | Peer
const OTHERS: Record<string, Start> = {
  'a thread': ({ heap, at }, task) => new Thread('sync', { shared: heap.getSharedMemory(), words: at, ...task }),
  'a thread without the addon': ({ heap, at }, task) =>
    new Thread('sync', { shared: heap.getSharedMemory(), words: at, ...task }, { execArgv: ['--no-addons'] }),
  'another process': ({ heap, at }, task) => new Peer({ shared: heap.region.token, words: at, ...task }),
}
const isProcess = (name: string) => name === 'another process'
const stop = (other: Thread | Peer) => (other instanceof Thread ? other.terminate() : other.kill())

for (const [name, start] of Object.entries(OTHERS)) {
  const test = isProcess(name) ? itNative : it
  const testBlocking = isProcess(name) ? itNative : itBlocking
  const sceneOf = () => scene(isProcess(name) ? 'processes' : 'threads')

  describe(`with ${name}`, () => {
    test('an event lets it go on, and this one', async () => {
      const s = sceneOf()
      const event = new SharedEvent(s.heap)
      const other = start(s, { sync: 'waitEvent', pointer: event.pointer })
      assert.equal(await other.next(), 'waits')
      event.set()
      assert.equal(await other.next(), 'set')
      event.reset()
      const waiting = event.waitAsync()
      start(s, { sync: 'setEvent', pointer: event.pointer })
      await waiting
      assert.equal(event.isSet, true)
    })

    test('no more are inside than a semaphore has permits', async () => {
      const s = sceneOf()
      const semaphore = new SharedSemaphore(s.heap, { permits: 2 })
      const task: Task = { sync: 'permits', pointer: semaphore.pointer, count: 100 }
      const others = [0, 1, 2].map(() => start(s, task))
      for (let i = 0; i < 100; i++) {
        const permit = await semaphore.acquireAsync()
        assert.ok(Atomics.add(s.words, 0, 1) < 2)
        Atomics.sub(s.words, 0, 1)
        permit.release()
      }
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.equal(semaphore.available, 2)
    })

    test('each permit that is posted is had once', async () => {
      const s = sceneOf()
      const semaphore = new SharedSemaphore(s.heap, { permits: 64, initial: 0 })
      const others = [0, 1].map(() => start(s, { sync: 'consume', pointer: semaphore.pointer, count: 50 }))
      for (let posted = 0; posted < 100; ) {
        if (posted - Atomics.load(s.words, 0) > 20) await new Promise((resolve) => setImmediate(resolve))
        else {
          semaphore.post()
          posted++
        }
      }
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.deepEqual([s.words[0], semaphore.available], [100, 0])
    })

    test('a condition lets it go on for each thing that there is', async () => {
      const s = sceneOf()
      const condition = new SharedCondition(s.heap)
      const mutex = new Mutex(s.heap)
      const task: Task = { sync: 'takeAll', pointer: condition.pointer, other: mutex.pointer, count: 40 }
      const others = [0, 1].map(() => start(s, task))
      for (let i = 0; i < 80; i++) {
        const lock = await mutex.lockAsync()
        s.words[0]!++
        lock.release()
        condition.notifyOne()
      }
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.deepEqual([s.words[0], s.words[1]], [0, 80])
    })

    test('readers and writers are apart', async () => {
      const s = sceneOf()
      const lock = new SharedRwLock(s.heap)
      const others = (['read', 'write'] as const).map((sync) => start(s, { sync, pointer: lock.pointer, count: 200 }))
      for (let i = 0; i < 200; i++) {
        const held = await (i % 2 === 0 ? lock.writeLockAsync() : lock.readLockAsync())
        assert.equal(s.words[0], s.words[1])
        if (i % 2 === 0) s.words[1] = s.words[0] = s.words[0]! + 1
        held.release()
      }
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.deepEqual([s.words[0], s.words[1]], [300, 300])
    })

    test('all meet at a barrier, again and again', async () => {
      const s = sceneOf()
      const barrier = new SharedBarrier(s.heap, { parties: 3 })
      const others = [0, 1].map(() => start(s, { sync: 'meet', pointer: barrier.pointer, count: 30 }))
      let last = 0
      for (let i = 0; i < 30; i++) {
        Atomics.add(s.words, 0, 1)
        last += Number(await barrier.waitAsync())
        assert.equal(Atomics.load(s.words, 0), 3 * (i + 1))
        await barrier.waitAsync()
      }
      for (const other of others) last += await other.next<number>()
      assert.equal(last, 30)
    })

    test('a wait group is over when all parts are done', async () => {
      const s = sceneOf()
      const group = new SharedWaitGroup(s.heap)
      group.add(3)
      for (let i = 0; i < 3; i++) start(s, { sync: 'part', pointer: group.pointer })
      await group.waitAsync()
      assert.equal(Atomics.load(s.words, 0), 3)
    })

    test('what is to be done once is done by one', async () => {
      const s = sceneOf()
      const once = new SharedOnce(s.heap)
      const others = [0, 1].map(() => start(s, { sync: 'once', pointer: once.pointer }))
      const did = await once.runAsync(() => void assert.equal(Atomics.add(s.words, 0, 1), 0))
      for (const other of others) assert.equal(await other.next(), 1)
      assert.equal(typeof did, 'boolean')
      assert.deepEqual([once.isDone, s.words[0]], [true, 1])
    })

    testBlocking('a spin lock is held by one', async () => {
      const s = sceneOf()
      const lock = new SharedSpinLock(s.heap)
      const other = start(s, { sync: 'spin', pointer: lock.pointer, count: 300 })
      for (let i = 0; i < 300; i++) {
        const held = lock.lock()
        const value = s.words[0]!
        s.words[0] = value + 1
        assert.equal(s.words[1], value)
        s.words[1] = value + 1
        held.release()
      }
      assert.equal(await other.next(), 'done')
      assert.deepEqual([s.words[0], s.words[1]], [600, 600])
    })

    if (!tellsEnd(name)) return

    /** One that has what the deed gives it, and is killed with it. */
    const killedWith = async (s: Scene, task: Task) => {
      const other = start(s, task)
      await other.next()
      return async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        await stop(other)
      }
    }

    test('the permit comes back of one that is killed with it', async () => {
      const s = sceneOf()
      const semaphore = new SharedSemaphore(s.heap, { permits: 1 })
      const kill = await killedWith(s, { sync: 'holdPermit', pointer: semaphore.pointer })
      const waiting = semaphore.acquireAsync()
      await kill()
      ;(await waiting).release()
    })

    test('a writer goes on when a reader is killed', async () => {
      const s = sceneOf()
      const lock = new SharedRwLock(s.heap)
      const kill = await killedWith(s, { sync: 'holdRead', pointer: lock.pointer })
      const waiting = lock.writeLockAsync()
      await kill()
      const held = await waiting
      assert.equal(held.ownerDied, false)
      held.release()
    })

    test('readers and the next writer are told that a writer was killed', async () => {
      const s = sceneOf()
      const lock = new SharedRwLock(s.heap)
      const kill = await killedWith(s, { sync: 'holdWrite', pointer: lock.pointer })
      const reading = lock.readLockAsync()
      await Promise.all([rejectsWith(reading, 'ERR_SABWAY_OWNER_DIED', /lock it for writing, mend/), kill()])
      const held = await lock.writeLockAsync()
      assert.equal(held.ownerDied, true)
      s.words[1] = s.words[0]!
      held.consistent()
      held.release()
      lock.readLock().release()
    })

    test('a barrier is broken by a member that is killed, and can be used anew', async () => {
      const s = sceneOf()
      const barrier = new SharedBarrier(s.heap, { parties: 2 })
      const kill = await killedWith(s, { sync: 'join', pointer: barrier.pointer })
      const waiting = barrier.waitAsync()
      await Promise.all([rejectsWith(waiting, 'ERR_SABWAY_BROKEN', /reset\(\) lets those that live/), kill()])
      assert.equal(barrier.isBroken, true)
      throwsError(() => barrier.wait(), 'ERR_SABWAY_BROKEN', /reset\(\)/)
      barrier.reset()
      const other = start(s, { sync: 'meet', pointer: barrier.pointer, count: 1 })
      Atomics.add(s.words, 0, 1)
      await barrier.waitAsync()
      await barrier.waitAsync()
      await other.next()
    })

    test('a barrier goes on without a member that is killed, where it may leave', async () => {
      const s = sceneOf()
      const barrier = new SharedBarrier(s.heap, { parties: 2, onDeath: 'leave' })
      const kill = await killedWith(s, { sync: 'join', pointer: barrier.pointer })
      const waiting = barrier.waitAsync()
      await kill()
      await waiting
      assert.equal(await barrier.waitAsync(), true)
    })

    test('a wait group is broken by one that is killed with its part', async () => {
      const s = sceneOf()
      const group = new SharedWaitGroup(s.heap)
      group.add(1)
      const kill = await killedWith(s, { sync: 'claim', pointer: group.pointer })
      const waiting = group.waitAsync()
      await Promise.all([rejectsWith(waiting, 'ERR_SABWAY_BROKEN', /mend\(\) counts/), kill()])
      group.mend()
      group.wait()
    })

    test('what one began that is killed is done by the next', async () => {
      const s = sceneOf()
      const once = new SharedOnce(s.heap)
      const kill = await killedWith(s, { sync: 'beginOnce', pointer: once.pointer })
      let told: boolean | undefined
      const running = once.runAsync((afterDeath) => {
        told = afterDeath
      })
      await kill()
      assert.deepEqual([await running, told, once.isDone], [true, true, true])
    })

    testBlocking('a spin lock is taken from one that is killed with it', async () => {
      const s = sceneOf()
      const lock = new SharedSpinLock(s.heap)
      const kill = await killedWith(s, { sync: 'holdSpin', pointer: lock.pointer })
      assert.equal(lock.tryLock(), null)
      await kill()
      if (!isProcess(name)) await until(() => s.heap.region.stats().participants === 1, 'the end of the holder')
      assert.equal(lock.lock().ownerDied, true)
    })

    test('a notification is not lost with one that is killed', async () => {
      const s = sceneOf()
      const condition = new SharedCondition(s.heap)
      const mutex = new Mutex(s.heap)
      const kill = await killedWith(s, { sync: 'waitCondition', pointer: condition.pointer, other: mutex.pointer })
      const lock = await mutex.lockAsync()
      const waiting = condition.waitAsync(lock)
      await kill()
      if (!isProcess(name)) await until(() => s.heap.region.stats().participants === 1, 'the end of the other')
      assert.equal(condition.notifyOne(), true)
      await waiting
      lock.release()
    })
  })
}
