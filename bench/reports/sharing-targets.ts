// The ratios that are to be reached by queues, channels, broadcasts, locks and pools.
import {
  ATOMIC_QUEUE,
  BOOST_QUEUE,
  BYTES,
  MULTITHREADING,
  NIKOLAEV,
  NUMBER,
  POSTED_BYTES,
  POSTED_NUMBERS,
  QUEUE_OF_BYTES,
  QUEUE_OF_NUMBERS,
  SABWAY_QUEUE,
  SHARING_PATHS,
} from '../sharing.js'
import { inHeap, type Target } from './target.js'

const PATHS = SHARING_PATHS

/** By subject. */
export const SHARING: Record<'queues' | 'locks' | 'pools', Target[]> = {
  queues: [
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, BOOST_QUEUE, { rate: 1.5 }),
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, NIKOLAEV, { rate: 1 }),
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, ATOMIC_QUEUE, { rate: 0.7 }),
    { path: PATHS.numbers, size: NUMBER, ours: QUEUE_OF_NUMBERS, baseline: POSTED_NUMBERS, bound: { rate: 8 } },
    { path: PATHS.bytes, size: BYTES, ours: QUEUE_OF_BYTES, baseline: POSTED_BYTES, bound: { rate: 8 } },
    { path: PATHS.numbers, size: NUMBER, ours: QUEUE_OF_NUMBERS, baseline: MULTITHREADING, bound: { rate: 10 } },
  ],
  locks: [],
  pools: [],
}
