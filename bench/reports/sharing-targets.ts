// The ratios that are to be reached by queues, channels, broadcasts, locks and pools.
import * as S from '../sharing.js'
import { inHeap, type Target } from './target.js'

const PATHS = S.SHARING_PATHS

/** By subject. */
export const SHARING: Record<'queues' | 'locks' | 'pools', Target[]> = {
  queues: [
    inHeap(PATHS.nativeQueue, S.SABWAY_QUEUE, S.BOOST_QUEUE, { rate: 1.5 }),
    inHeap(PATHS.nativeQueue, S.SABWAY_QUEUE, S.NIKOLAEV, { rate: 1 }),
    inHeap(PATHS.nativeQueue, S.SABWAY_QUEUE, S.ATOMIC_QUEUE, { rate: 0.7 }),
    { path: PATHS.numbers, size: S.NUMBER, ours: S.QUEUE_OF_NUMBERS, baseline: S.POSTED_NUMBERS, bound: { rate: 8 } },
    { path: PATHS.bytes, size: S.BYTES, ours: S.QUEUE_OF_BYTES, baseline: S.POSTED_BYTES, bound: { rate: 8 } },
    { path: PATHS.numbers, size: S.NUMBER, ours: S.QUEUE_OF_NUMBERS, baseline: S.MULTITHREADING, bound: { rate: 10 } },
    inHeap(PATHS.priorities, S.LEVELS, S.TBB_PRIORITIES, { rate: 2 }),
    inHeap(PATHS.prioritiesAcross, S.LEVELS, S.TBB_PRIORITIES, { rate: 2 }),
    ...[S.GO, S.GO_THREADS].flatMap((go) => [
      inHeap(PATHS.channel, S.SABWAY_CHANNEL, go, { rate: 1 }),
      inHeap(PATHS.select, S.SABWAY_CHANNEL, go, { rate: 0.8 }),
    ]),
    {
      path: PATHS.broadcast,
      size: S.BYTES,
      ours: 'SharedBroadcast',
      baseline: 'BroadcastChannel',
      bound: { rate: 20 },
    },
  ],
  locks: [
    ...['lock', 'tryLock'].map((ours) => inHeap(PATHS.lock, ours, S.EXCHANGES, { time: 3 })),
    ...[PATHS.read, PATHS.readers].map((path) => inHeap(path, S.RWLOCK, S.PTHREAD_RWLOCK, { time: 1 })),
    inHeap(PATHS.barrier, S.BARRIER, S.PTHREAD_BARRIER, { time: 1.2 }),
  ],
  pools: [
    inHeap(PATHS.pool, S.CELLS, S.MALLOC, { nanoseconds: 25 }),
    inHeap(PATHS.emptyTasks, S.SABWAY_POOL, S.PISCINA, { rate: 5 }),
    inHeap(PATHS.tasks, S.SABWAY_POOL, S.PISCINA, { rate: 2 }),
  ],
}
