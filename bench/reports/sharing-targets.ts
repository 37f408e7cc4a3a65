// The ratios that are to be reached by queues, channels, broadcasts, locks and pools.
import { ATOMIC_QUEUE, BOOST_QUEUE, NIKOLAEV, SABWAY_QUEUE, SHARING_PATHS } from '../sharing.js'
import { inHeap, type Target } from './target.js'

const PATHS = SHARING_PATHS

/** By subject. */
export const SHARING: Record<'queues' | 'locks' | 'pools', Target[]> = {
  queues: [
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, BOOST_QUEUE, { rate: 1.5 }),
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, NIKOLAEV, { rate: 1 }),
    inHeap(PATHS.nativeQueue, SABWAY_QUEUE, ATOMIC_QUEUE, { rate: 0.7 }),
  ],
  locks: [],
  pools: [],
}
