// A thread, or a process, that uses a pool or a buffer as it is told.
import { setImmediate } from 'node:timers'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import {
  MemoryHeap,
  type MemoryHeapMemory,
  type PoolBlock,
  type PoolBlockMemory,
  SharedMemoryBuffer,
  type SharedMemoryPool,
} from 'sabway'
import { integers } from '../support/bytes.js'

export interface PoolTask {
  shared?: MemoryHeapMemory | string
  /** A name of the region's directory. */
  pool?: string
  /**
   * write: to a part of a buffer of its own, by turns. fill: all of it. churn: get, check and give
   * back blocks, until it has done that often enough. hold: `turns` blocks, and wait. take: the
   * block that is named, add 1 to its first byte, and give it back. later: get a block as soon as
   * there is one, and give it back.
   */
  does: 'write' | 'fill' | 'churn' | 'hold' | 'take' | 'later'
  memory?: SharedArrayBuffer
  number: number
  turns?: number
  block?: PoolBlockMemory
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as PoolTask
const say = (message: unknown): void => (isMainThread ? void process.send!(message) : parentPort!.postMessage(message))
const { number, turns = 0 } = task

function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(`participant ${number}: ${what}`)
}

function write(): void {
  const buffer = SharedMemoryBuffer.open(task.memory!)
  for (let turn = 0; turn < 2000; turn++) {
    const at = turn % 997
    buffer.write(new Uint8Array(3).fill(turn), 1000 * number + at)
    buffer.clear(1000 * number + at, 1)
  }
  buffer.write(new Uint8Array(1000).fill(number + 1), 1000 * number)
  say('done')
}

function churn(pool: SharedMemoryPool): void {
  const next = integers(number)
  const held: { block: PoolBlock; mark: number }[] = []
  say('begun')
  for (let turn = 0; turn < turns; turn++) {
    if (held.length < 5 && next() % 2 === 0) {
      const block = pool.tryAcquire()
      if (block === null) continue
      const mark = next() & 0xff
      block.bytes.fill(mark)
      held.push({ block, mark })
    } else if (held.length > 0) {
      const { block, mark } = held.splice(next() % held.length, 1)[0]!
      must(
        block.bytes.every((byte) => byte === mark),
        'another has written to a block',
      )
      block.release()
    }
    if (turn % 1000 === 0) pool.shrink(2)
  }
  for (const { block } of held) block.release()
  say('done')
}

async function run(): Promise<void> {
  if (task.does === 'write') return write()
  if (task.does === 'fill') {
    new Uint8Array(task.memory!).fill(number)
    return say('done')
  }
  const heap = new MemoryHeap(task.shared)
  const pool = heap.region.get(task.pool!) as SharedMemoryPool
  if (task.does === 'churn') churn(pool)
  if (task.does === 'hold') {
    const blocks = Array.from({ length: turns }, () => pool.acquire())
    for (const { bytes } of blocks) bytes.fill(number)
    say(blocks[0]!.getSharedMemory())
    setInterval(() => {}, 1000)
    return
  }
  if (task.does === 'take') {
    const block = pool.take(task.block!)
    block.bytes[0]! += number
    block.release()
    say('done')
  }
  if (task.does === 'later') {
    say('begun')
    const block = await pool.acquireAsync()
    block.bytes[0] = number
    block.release()
    say('done')
  }
  heap.region.close()
}

// A page sees the end of a thread only once that has yielded.
setImmediate(() => void run())
