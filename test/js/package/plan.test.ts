// The usage examples of seeds/shared-memory-communication-plan.md, with their imports changed, and
// the methods that it gives to each class.
import assert from 'node:assert/strict'
import * as sabway from 'sabway'
import {
  BroadcastChannel,
  BufferPool,
  ConcurrentHashMap,
  LockFreeQueue,
  MemoryPool,
  MultiProducerQueue,
  ObjectPool,
  PriorityQueue,
  RingBufferChannel,
  SharedBroadcast,
  SharedChannel,
  SharedMap,
  SharedMemoryAtomics,
  SharedMemoryBuffer,
  SharedMemoryManager,
} from 'sabway'

describe("the plan's examples", () => {
  // biome-ignore format: the lines between the rules are the document's own
  it('of the manager, buffers and atomics', () => {
    // ----
    // Initialize shared memory manager
    const manager = new SharedMemoryManager({
      bufferSize: 1024 * 1024, // 1MB
      maxBuffers: 100,
      cleanupInterval: 60000, // 1 minute
    });

    // Create shared buffer
    const buffer = manager.createBuffer(1024, 'worker-communication');
    const sharedBuffer = new SharedMemoryBuffer(1024);

    // Use atomic operations
    const mutex = new Int32Array(buffer, 0, 1);
    const condition = new Int32Array(buffer, 4, 1);

    if (SharedMemoryAtomics.acquireMutex(mutex, 0)) {
      try {
        // Critical section
        SharedMemoryAtomics.notifyCondition(condition, 0);
      } finally {
        SharedMemoryAtomics.releaseMutex(mutex, 0);
      }
    }
    // ----
    assert.deepEqual([mutex[0], sharedBuffer.getSize()], [0, 1024])
    manager.close()
  })

  // biome-ignore format: the lines between the rules are the document's own
  it('of channels, rings and broadcasts', async () => {
    // ----
    // Create shared channel
    const channel = new SharedChannel<string>({
      bufferSize: 1024,
      maxMessages: 100,
      enableBatching: true,
    });

    // Send data from main thread
    await channel.send('Hello from main thread');

    // Receive data in worker thread
    const message = await channel.receive();

    // Use ring buffer for high-throughput scenarios
    const ringChannel = new RingBufferChannel<number>(1000);
    ringChannel.enqueue(42);
    const value = ringChannel.dequeue();

    // Broadcast to multiple workers
    const broadcastChannel = new BroadcastChannel<string>();
    await broadcastChannel.broadcast('System shutdown in 5 minutes');
    // ----
    assert.deepEqual([message, value], ['Hello from main thread', 42])
    assert.equal(BroadcastChannel, SharedBroadcast)
    await broadcastChannel.subscribe()
    await broadcastChannel.broadcast('now')
    assert.equal(await broadcastChannel.receive(), 'now')
    for (const each of [channel, ringChannel, broadcastChannel]) each.free()
  })

  // biome-ignore format: the lines between the rules are the document's own
  it('of queues', async () => {
    interface WorkItem {
      name: string
    }
    const workItem: WorkItem = { name: 'work' }
    // ----
    // Single producer, single consumer (lock-free)
    const queue = new LockFreeQueue<number>(1000);
    queue.enqueue(42);
    const value = queue.dequeue();

    // Multiple producers, single consumer
    const multiQueue = new MultiProducerQueue<string>(100);
    await multiQueue.enqueue('Task 1');
    await multiQueue.enqueue('Task 2');
    const task = await multiQueue.dequeue();

    // Priority-based processing
    const priorityQueue = new PriorityQueue<WorkItem>(100);
    await priorityQueue.enqueue(workItem, 5); // High priority
    await priorityQueue.enqueue(workItem, 1); // Low priority
    const highPriorityWork = await priorityQueue.dequeue();
    // ----
    assert.deepEqual([value, task, highPriorityWork], [42, 'Task 1', workItem])
    for (const each of [queue, multiQueue, priorityQueue]) each.free()
  })

  // biome-ignore format: the lines between the rules are the document's own
  it('of maps', async () => {
    interface User {
      name: string
    }
    const [user1, user2]: User[] = [{ name: 'one' }, { name: 'two' }]
    assert.ok(user1 !== undefined && user2 !== undefined)
    const open: SharedMap<string, unknown>[] = []
    {
      // ----
      // Basic shared map
      const map = new SharedMap<string, number>(1000);
      await map.set('counter', 42);
      const value = await map.get('counter');

      // Concurrent hash map with high concurrency
      const concurrentMap = new ConcurrentHashMap<string, User>(10000, 16);
      await concurrentMap.set('user1', user1);
      await concurrentMap.set('user2', user2);
      // ----
      assert.deepEqual([value, concurrentMap.get('user2')], [42, user2])
      open.push(map, concurrentMap)
      const other = new ConcurrentHashMap<string, User>(concurrentMap.getSharedMemory())
      assert.deepEqual([other.getSize(), other.get('user1'), other.isEmpty()], [2, user1, false])
      assert.ok(other.getCapacity() >= 10000 && map.getCapacity() >= 1000)
      other.region!.close()
    }
    const concurrentMap = new ConcurrentHashMap<string, string>(10, 16)
    // ----
    // Batch operations
    await concurrentMap.setAll([
      ['key1', 'value1'],
      ['key2', 'value2'],
      ['key3', 'value3'],
    ]);
    // ----
    assert.deepEqual(await concurrentMap.getAll(['key3', 'key4']), ['value3', undefined])
    for (const each of [...open, concurrentMap]) each.free()
  })

  // biome-ignore format: the lines between the rules are the document's own
  it('of pools', () => {
    class ExpensiveObject {
      resets = 0
      reset() {
        this.resets++
      }
      isValid() {
        return true
      }
    }
    // ----
    // Memory pool for buffers
    const memoryPool = new MemoryPool({
      initialSize: 1024 * 1024, // 1MB
      maxSize: 100 * 1024 * 1024, // 100MB
      growthFactor: 2,
    });

    const buffer = memoryPool.allocate(1024);
    // Use buffer...
    memoryPool.release(buffer);

    // Object pool for expensive objects
    const objectPool = new ObjectPool<ExpensiveObject>({
      initialSize: 10,
      maxSize: 100,
      factory: () => new ExpensiveObject(),
      reset: obj => obj.reset(),
      validate: obj => obj.isValid(),
    });

    const obj = objectPool.acquire();
    // Use object...
    objectPool.release(obj);

    // Buffer pool for temporary buffers
    const bufferPool = new BufferPool(1000);
    const tempBuffer = bufferPool.getBuffer(512);
    // Use buffer...
    bufferPool.returnBuffer(tempBuffer);
    // ----
    assert.deepEqual([obj.resets, objectPool.getAvailable(), bufferPool.getTotalBuffers()], [1, 10, 1])
    memoryPool.close()
  })
})

/** As the plan declares them. */
const METHODS: Partial<Record<keyof typeof sabway, string>> = {
  SharedMemoryManager:
    'createBuffer getBuffer releaseBuffer listBuffers copyToBuffer copyFromBuffer cleanup getMemoryUsage',
  SharedMemoryBuffer: 'getHeader setHeader validateHeader write read clear getSize getAvailableSpace isFull isEmpty',
  SharedChannel: 'send receive trySend tryReceive sendBatch receiveBatch isFull isEmpty getLength getCapacity',
  RingBufferChannel: 'enqueue dequeue peek isFull isEmpty getSize getCapacity clear',
  BroadcastChannel: 'broadcast subscribe unsubscribe getSubscriberCount isSubscribed',
  LockFreeQueue: 'enqueue dequeue peek isEmpty isFull getSize getCapacity',
  MultiProducerQueue: 'enqueue dequeue tryEnqueue tryDequeue isEmpty isFull getSize getCapacity',
  PriorityQueue: 'enqueue dequeue peek isEmpty isFull getSize getCapacity',
  SharedMap: 'set get has delete clear getSize getCapacity isEmpty',
  ConcurrentHashMap: 'set get has delete setAll getAll getSize isEmpty',
  MemoryPool: 'allocate release getPool getTotalAllocated getPoolCount cleanup',
  ObjectPool: 'acquire release clear getSize getAllocated getAvailable',
  BufferPool: 'getBuffer returnBuffer clear getTotalBuffers getPoolSizes',
}
const CLASSES = new Map(Object.entries(sabway))
const STATIC =
  'acquireMutex releaseMutex tryAcquireMutex waitCondition notifyCondition notifyAllConditions barrier waitBarrier fence load store'

describe("the plan's classes", () => {
  for (const [name, methods] of Object.entries(METHODS)) {
    it(`${name} has the methods that the plan gives it`, () => {
      const { prototype } = CLASSES.get(name) as typeof sabway.SharedMap
      for (const method of methods.split(' '))
        assert.equal(typeof prototype[method as keyof typeof prototype], 'function', method)
    })
  }

  it('SharedMemoryAtomics has the static methods that the plan gives it', () => {
    for (const method of STATIC.split(' '))
      assert.equal(typeof SharedMemoryAtomics[method as 'fence'], 'function', method)
  })
})
