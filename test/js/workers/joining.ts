// Tells that it is about to join a region, and joins.
import { workerData } from 'node:worker_threads'
import { Region } from 'sabway'

const { begun, handle } = workerData as { begun: Int32Array; handle: never }
Atomics.store(begun, 0, 1)
Region.open(handle)
Atomics.store(begun, 0, 2)
setInterval(() => {}, 1000)
