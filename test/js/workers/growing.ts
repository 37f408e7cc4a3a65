// Makes shared memories larger, one after the other, each when its turn comes: every fourth bit by
// bit, the others at one blow.
import { parentPort, workerData } from 'node:worker_threads'

interface Growing {
  grows: (SharedArrayBuffer & { grow(length: number): void })[]
  /** Whose turn it is, from 1, and how many are done. */
  turn: Int32Array<SharedArrayBuffer>
}

const { grows, turn } = workerData as Growing
parentPort!.postMessage('here')
for (const [i, buffer] of grows.entries()) {
  while (Atomics.load(turn, 0) !== i + 1);
  if (i % 4 === 0) {
    const last = buffer.byteLength + 8000
    for (let length = buffer.byteLength; length <= last; length += 4) buffer.grow(length)
  } else {
    for (let wait = 0; wait < 2000 + i * 100; wait++) Atomics.load(turn, 0)
    buffer.grow(buffer.byteLength + 3000)
  }
  Atomics.store(turn, 1, i + 1)
}
