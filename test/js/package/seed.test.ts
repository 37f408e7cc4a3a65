// The samples of the documents in seeds/, with their imports changed: of
// electron-napi-sharedarraybuffer.md, with the features it announces, and of
// shared-memory-objects.md, as far as they need the heap alone.
import assert from 'node:assert/strict'
import { MessageChannel } from 'node:worker_threads'
import {
  AllocatedMemory,
  createPointer,
  getPointer,
  MemoryHeap,
  type MemoryHeapMemory,
  type SharedAllocatedMemory,
  SharedMemoryChannel,
} from 'sabway'
import { pattern } from '../support/bytes.js'
import { rejectsWith } from '../support/errors.js'
import { until } from '../support/wait.js'

describe('the seed', () => {
  // biome-ignore format: the lines between the rules are the document's own
  it('runs its usage example as it stands', () => {
    // ----
    // Initialize channel with buffer sizes (in bytes)
    const channel = new SharedMemoryChannel(1024 * 1024, 1024 * 1024);

    // Send a message
    const data = new Uint8Array([1, 2, 3, 4]);
    channel.send(data);

    // Start receiving messages
    channel.startReceiving((message) => {
      console.log('Received message:', message);
    });

    // Clean up resources when done
    channel.cleanup();
    // ----
    assert.equal(channel.closed, true)
  })

  it('moves the message of its example to the native side and back', async () => {
    const channel = new SharedMemoryChannel(1024 * 1024, 1024 * 1024)
    const received: Uint8Array[] = []
    const data = new Uint8Array([1, 2, 3, 4])
    channel.send(data)
    channel.startReceiving((message) => received.push(message))
    channel.startWorker({ builtin: 'echo' })
    await until(() => received.length === 1, 'the echo')
    assert.deepEqual(received, [data])
    channel.cleanup()
  })

  it('has its Direct Send Mode: sending with timeout control', async () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    await channel.sendDirect(pattern(1, 4000), { timeout: 1000 })
    await rejectsWith(
      channel.sendDirect(pattern(2, 4000), { timeout: 5 }),
      'ERR_SABWAY_TIMEOUT',
      /4000 bytes within 5 ms/,
    )
    assert.equal(channel.stats().sent.messages, 1)
    channel.cleanup()
  })

  it('has its Queue Empty Callbacks: operations chained after the queue was processed', async () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    const order: string[] = []
    channel.onQueueEmpty = () => order.push('empty')
    for (let i = 0; i < 5; i++) channel.send(pattern(i, 3000))
    order.push(`queued ${channel.stats().sent.queued}`)
    channel.startWorker({ builtin: 'sink' })
    await until(() => order.length === 2, 'the callback')
    assert.deepEqual(order, ['queued 4', 'empty'])
    assert.equal(channel.stats().sent.queued, 0)
    channel.cleanup()
  })

  it('has its Performance Statistics', async () => {
    const channel = new SharedMemoryChannel(4096, 8192)
    channel.startWorker({ builtin: 'echo' })
    let received = 0
    channel.startReceiving(() => received++)
    for (let i = 0; i < 10; i++) channel.send(pattern(i, 100))
    await until(() => received === 10, 'ten echoes')
    await until(() => channel.stats().sent.used === 0, 'the worker to give the room back')
    const { worker: _, wait, ...stats } = channel.stats()
    assert.deepEqual(stats, {
      side: 'renderer',
      sent: { messages: 10, bytes: 1000, queued: 0, queuedBytes: 0, capacity: 4096, used: 0 },
      received: { messages: 10, bytes: 1000, capacity: 8192, used: 0 },
      peer: true,
      wakes: 'addon',
      transport: 'shared',
    })
    assert.deepEqual([wait.policy, wait.mechanism], ['balanced', 'threadsafe-function'])
    await until(() => channel.stats().worker?.sentBytes === 1000, "the worker's own counts")
    const { parks, wakes, mechanism, ...worker } = channel.stats().worker!
    assert.deepEqual(worker, { received: 10, receivedBytes: 1000, sent: 10, sentBytes: 1000, crc: 0 })
    assert.ok(parks >= 0 && wakes >= 0)
    assert.equal(mechanism, 'futex')
    channel.cleanup()
  })
})

describe('the seed of shared memory objects', () => {
  // biome-ignore format: the lines between the rules are the document's own
  it('runs its example of memory that another thread updates', async () => {
    const { port1: thread, port2: self } = new MessageChannel()
    const updated = new Promise<void>((resolve) => {
      self.once('message', (data) => {
        onmessage({ data })
        resolve()
      })
    })
    // ----
    const heap = new MemoryHeap();
    const memory = heap.allocUI32(4);

    // Pass memory to another thread
    thread.postMessage({
    	heap: heap.getSharedMemory(),
    	memory: memory.getSharedMemory()
    });

    // From worker thread re-construct memory and change it
    const onmessage = (e: { data: { heap: MemoryHeapMemory; memory: SharedAllocatedMemory } }) => {
    	const heap = new MemoryHeap(e.data.heap);
    	const memory = new AllocatedMemory(heap, e.data.memory);
    	memory.data[2] = 5;
    };
    // ----
    await updated
    assert.deepEqual([...memory.data], [0, 0, 5, 0])
    self.close()
    heap.region.close()
  })

  it('has its pointers: an int, or a buffer position and a byte offset', () => {
    const heap = new MemoryHeap({ bufferSize: 8192 })
    const memory = heap.allocUI32(16)
    assert.deepEqual(getPointer(memory.pointer), memory.getSharedMemory())
    assert.equal(createPointer(memory.bufferPosition, memory.bufferByteOffset), memory.pointer)
    assert.ok(memory.getArray(Int32Array) instanceof Int32Array)
    assert.equal(memory.getArray(Int32Array).length, 16)
    assert.deepEqual(heap.getSharedAlloc(memory.getSharedMemory()).data.buffer, memory.data.buffer)
    heap.region.close()
  })

  it('has its heap that grows, also from other threads: handlers of new buffers need not do anything', () => {
    const heap = new MemoryHeap({ bufferSize: 8192, initialBuffers: 2 })
    let grown = 0
    heap.addOnGrowBufferHandlers(() => grown++)
    const before = heap.totalAllocated
    const blocks = Array.from({ length: 100 }, () => heap.allocUI32(1000))
    assert.ok(heap.totalAllocated > before + 400_000)
    assert.ok(heap.currentUsed >= 400_000)
    for (const block of blocks) block.free()
    assert.equal(heap.currentUsed, 0)
    assert.equal(grown, 0)
    heap.region.close()
  })
})
