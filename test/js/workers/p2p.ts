// One side of a queue between peers, in a thread or a process: writes or reads consecutive numbers,
// sleeping a little where there is no room or no message.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Region } from 'sabway'
import { type P2PDirection, P2PQueue, type P2PQueueOptions } from 'sabway/p2p'

export interface P2PTask {
  /** The queue's first byte in the memory. */
  p2p: number
  /** The memory, or the token of its region. */
  buffer?: SharedArrayBuffer
  token?: string
  options: P2PQueueOptions
  direction: P2PDirection
  job: 'write' | 'read'
  /** The first number, and how many. */
  first: number
  count: number
}

export interface P2PDone {
  /** Of a reader: messages that were not the next number, and what it counted. */
  wrong: number
  skipped: number
  bad: number
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as P2PTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const { p2p: byteOffset, buffer, token, options, direction, job, first, count } = task
const queue = P2PQueue.attach(buffer ?? Region.open(token!).buffer, { ...options, byteOffset })
const never = new Int32Array(new SharedArrayBuffer(4))
const pause = () => Atomics.wait(never, 0, 0, 1)
const data = new Uint8Array(20)
const number = new Uint32Array(data.buffer, 0, 1)

const numberOf = ({ buffer, byteOffset }: Uint8Array): number => new DataView(buffer, byteOffset).getUint32(0, true)

function write(): P2PDone {
  const writer = queue.writer(direction)
  for (let n = first; n < first + count; ) {
    number[0] = n
    if (writer.write(`peer ${n % 3}`, n, data.subarray(0, 4 + (n % 16)))) n++
    else pause()
  }
  return { wrong: 0, skipped: 0, bad: writer.bad }
}

function read(): P2PDone {
  const reader = queue.reader(direction)
  let next = first
  let wrong = 0
  while (next < first + count) {
    const got = reader.read((message) => {
      const right =
        message.from === `peer ${next % 3}` &&
        message.channel === next &&
        message.length === 4 + (next % 16) &&
        numberOf(message.copy()) === next
      if (!right) wrong++
      next++
    })
    if (got === 0) pause()
  }
  return { wrong, skipped: reader.skipped, bad: reader.bad }
}

say('begun')
say(job === 'write' ? write() : read())
