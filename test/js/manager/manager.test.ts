// Shared buffers by their names: the plan's own example, limits, and what is forgotten.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type BufferLeak, SharedMemoryBuffer, SharedMemoryManager } from 'sabway'
import { throwsError } from '../support/errors.js'
import { collectGarbage } from '../support/gc.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'

describe('a SharedMemoryManager', () => {
  it("is used as the plan's example says", () => {
    const manager = new SharedMemoryManager({
      bufferSize: 1024 * 1024, // 1MB
      maxBuffers: 100,
      cleanupInterval: 60000, // 1 minute
    })
    const buffer = manager.createBuffer(1024, 'worker-communication')
    const sharedBuffer = new SharedMemoryBuffer(1024)
    const mutex = new Int32Array(buffer, 0, 1)
    const condition = new Int32Array(buffer, 4, 1)
    assert.equal(mutex.length + condition.length, 2)
    assert.equal(sharedBuffer.getSize(), 1024)
    assert.equal(manager.getBuffer('worker-communication'), buffer)
    manager.close()
  })

  it('creates, finds, lists and releases buffers', () => {
    using manager = new SharedMemoryManager({ bufferSize: 100, maxBuffers: 3 })
    const [a, b] = [manager.createBuffer(10, 'a'), manager.createBuffer()]
    assert.equal(b.byteLength, 100)
    assert.deepEqual(manager.listBuffers(), ['a', 'buffer-1'])
    assert.equal(manager.getBuffer('a'), a)
    assert.equal(manager.getBuffer('buffer-1'), b)
    assert.equal(manager.getBuffer('c'), undefined)
    assert.deepEqual(manager.getMemoryUsage(), { total: 300, used: 110, buffers: 2 })
    throwsError(() => manager.createBuffer(10, 'a'), 'ERR_SABWAY_NAME_TAKEN', /'a'; release/)
    throwsError(() => manager.createBuffer(101), 'ERR_SABWAY_OUT_OF_RANGE', /1 to 100/)
    manager.createBuffer(1, 'buffer-2')
    throwsError(() => manager.createBuffer(1), 'ERR_SABWAY_TOO_MANY_BUFFERS', /3, as maxBuffers/)
    assert.equal(manager.releaseBuffer('a'), true)
    assert.equal(manager.releaseBuffer('a'), false)
    manager.createBuffer(1)
    assert.deepEqual(manager.listBuffers(), ['buffer-1', 'buffer-2', 'buffer-3'])
    manager.close()
    assert.deepEqual(manager.listBuffers(), [])
    throwsError(() => manager.createBuffer(), 'ERR_SABWAY_CLOSED', /make another/)
  })

  it('copies into and out of any shared buffer, within its bounds', () => {
    using manager = new SharedMemoryManager()
    const buffer = manager.createBuffer(8, 'x')
    assert.equal(manager.copyToBuffer(new Uint8Array([1, 2, 3]), buffer, 5), 3)
    assert.deepEqual([...manager.copyFromBuffer(buffer, 4, 4)], [0, 1, 2, 3])
    assert.equal(manager.copyFromBuffer(buffer, 4, 4).buffer instanceof SharedArrayBuffer, false)
    assert.equal(manager.copyToBuffer(new Uint8Array(2), new SharedArrayBuffer(2), 0), 2)
    throwsError(() => manager.copyToBuffer(new Uint8Array(4), buffer, 5), 'ERR_SABWAY_OUT_OF_RANGE', /4 bytes from/)
    throwsError(() => manager.copyFromBuffer(buffer, 9, 0), 'ERR_SABWAY_OUT_OF_RANGE', /offset/)
    throwsError(() => manager.copyFromBuffer(buffer, 0, 9), 'ERR_SABWAY_OUT_OF_RANGE', /9 bytes/)
    throwsError(
      () => manager.copyToBuffer(new Uint8Array(1), new ArrayBuffer(8) as never, 0),
      'ERR_SABWAY_INVALID_TYPE',
      /SharedArrayBuffer/,
    )
  })

  it('tells once of a buffer that is not asked for between two cleanups', () => {
    const leaks: BufferLeak[] = []
    using manager = new SharedMemoryManager({ onLeak: (leak) => leaks.push(leak) })
    const idle = manager.createBuffer(10, 'idle')
    const busy = manager.createBuffer(20, 'busy')
    manager.cleanup()
    assert.deepEqual(leaks, [])
    manager.copyToBuffer(new Uint8Array(1), busy, 0)
    manager.cleanup()
    manager.cleanup()
    assert.deepEqual(
      leaks.map(({ name, size, collected }) => ({ name, size, collected })),
      [
        { name: 'idle', size: 10, collected: false },
        { name: 'busy', size: 20, collected: false },
      ],
    )
    for (const { age, idle } of leaks) assert.ok(age >= idle)
    assert.deepEqual(
      manager.getLeaks().map(({ name }) => name),
      ['idle', 'busy'],
    )
    assert.equal(manager.getBuffer('idle'), idle)
    assert.deepEqual(
      manager.getLeaks().map(({ name }) => name),
      ['busy'],
    )
    assert.equal(manager.getBuffer('busy'), busy) // what has a name stays
  })

  it('forgets a buffer without a name that was dropped, and tells of it', async () => {
    const leaks: BufferLeak[] = []
    using manager = new SharedMemoryManager({ onLeak: (leak) => leaks.push(leak) })
    const kept = manager.createBuffer(10)
    manager.createBuffer(5000)
    manager.cleanup()
    assert.equal(manager.listBuffers().length, 2)
    // in other turns: a look at a buffer keeps it for the turn
    for (let i = 0; i < 500 && manager.listBuffers().length === 2; i++) {
      await sleep(1)
      collectGarbage()
      await sleep(1)
    }
    assert.deepEqual(manager.listBuffers(), ['buffer-1'])
    manager.cleanup()
    assert.ok(leaks.some(({ name, collected }) => name === 'buffer-2' && collected))
    assert.equal(kept.byteLength, 10)
  })

  it('cleans up by itself, and not behind its end', async () => {
    let told = 0
    const manager = new SharedMemoryManager({ cleanupInterval: 1, onLeak: () => told++ })
    manager.createBuffer(1, 'x')
    await until(() => told === 1, 'a cleanup')
    manager.close()
  })

  it('keeps no process alive', () => {
    const program = `import { MemoryPool, SharedMemoryManager } from 'sabway'
      const all = [new SharedMemoryManager({ cleanupInterval: 100000 }), new MemoryPool({ cleanupInterval: 100000 })]
      all[0].createBuffer(1, 'x')
      console.log(all.length)`
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    assert.deepEqual([status, stdout], [0, '2\n'])
  })

  it('shares a buffer with a thread, by postMessage', async () => {
    using manager = new SharedMemoryManager()
    const memory = manager.createBuffer(100, 'shared')
    const thread = new Thread('pools', { does: 'fill', memory, number: 6 })
    await thread.next()
    assert.deepEqual(manager.copyFromBuffer(memory, 0, 100), new Uint8Array(100).fill(6))
  })
})
