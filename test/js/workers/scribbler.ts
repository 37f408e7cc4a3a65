// Writes random bytes over shared memory, for as long as it lives.
import { workerData } from 'node:worker_threads'
import { scribbler, type Where } from '../support/scribble.js'

export interface ScribblerData {
  memory: { readonly buffer: ArrayBufferLike }
  seed: number
  where: Where
  /** It waits for this word, and says in the next one that it has begun. */
  gate: Int32Array<SharedArrayBuffer>
}

const { memory, seed, where, gate } = workerData as ScribblerData
const scribble = scribbler(memory, seed, where)

Atomics.wait(gate, 0, 0)
Atomics.store(gate, 1, 1)
for (;;) {
  for (let i = 0; i < 1000; i++) scribble()
}
