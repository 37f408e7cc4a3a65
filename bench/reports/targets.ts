// The ratios that are to be reached.
import type { Result } from '../harness/measure.js'
import { comparable, median } from '../harness/samples.js'
import {
  ALONE,
  ARRAY,
  CUCKOO,
  IN_PROCESS,
  ITERATED,
  NATIVE_INTEGERS,
  OBJECTS,
  ONE_TBB,
  ONE_THREAD,
  PATHS,
  SABWAY_HEAP,
  SHARED_MAP,
  type Subject,
  TWO_THREADS,
} from '../suite.js'
import { crowds } from '../transports/sabway.js'
import { PEERS } from './peer-targets.js'
import { SHARING } from './sharing-targets.js'
import { inHeap, type Target } from './target.js'

export interface Verdict extends Target {
  /** In the bound's terms. Empty when it was not measured. */
  ratios: number[]
  measured: number
  met: boolean
}

const HAND = 'postMessage, own batches'
const TSFN = 'threadsafe function, copy'

function betweenThreads(path: string): Target[] {
  const one = (size: number, baseline: string, rate: number): Target => ({
    path,
    size,
    ours: 'sabway trySend, drain',
    baseline,
    bound: { rate },
  })
  const batch = (size: number, rate: number): Target => ({
    path,
    size,
    ours: 'sabway sendBatch, drain all',
    baseline: HAND,
    bound: { rate },
  })
  return [
    one(64, 'ringbuf.js', 3),
    one(64, 'postMessage copy', 25),
    batch(16, 1),
    batch(64, 1.3),
    batch(256, 1.5),
    one(4096, 'ringbuf.js', 8),
    one(65_536, 'ringbuf.js', 12),
  ]
}

const inPlace = (ours: string): Target[] =>
  [[64, 20] as const, [4096, 12] as const, [65_536, 6] as const].map(([size, rate]) => ({
    path: PATHS.fromNative,
    size,
    ours,
    baseline: TSFN,
    bound: { rate },
  }))

/** A ring costs the one channel that it is for. */
const beside = (path: string): Target[] =>
  Object.keys(crowds)
    .filter((name) => name !== ALONE)
    .map((ours) => ({ path, size: 64, ours, baseline: ALONE, bound: { time: 1.2 } }))

const TARGETS: Target[] = [
  ...betweenThreads(PATHS.toWorker),
  ...betweenThreads(PATHS.fromWorker),
  ...inPlace('sabway drain'),
  ...inPlace('sabway startReceiving, in place'),
  { path: PATHS.toNative, size: 64, ours: 'sabway trySend', baseline: 'ringbuf.js, JS to JS', bound: { rate: 3 } },
  { path: PATHS.spinning, size: 64, ours: 'sabway spinning', baseline: 'ringbuf.js', bound: { time: 0.8 } },
  {
    path: PATHS.loops,
    size: 64,
    ours: 'sabway event loops',
    baseline: 'postMessage event loops',
    bound: { time: 0.9 },
  },
  ...beside(PATHS.idle),
  ...[PATHS.blocking, PATHS.echo].map((path) => ({
    path,
    size: 64,
    ours: 'sabway receiveSync, balanced',
    baseline: 'sabway receiveSync, spin',
    bound: { time: 1.1 },
  })),
  {
    path: PATHS.waking,
    size: 64,
    ours: 'sabway wake, then spin, park',
    baseline: 'two bare threads on a futex',
    bound: { time: 1.15 },
  },
  {
    path: PATHS.native,
    size: 64,
    ours: 'sabway event loop, balanced',
    baseline: 'threadsafe function per message',
    bound: { time: 0.9 },
  },
  ...[1, 3, 5].map((lead) => ({
    path: PATHS.unaligned,
    size: 65_536,
    ours: `offset ${lead}`,
    baseline: 'aligned',
    bound: { time: 1.5 },
  })),
]

const BETWEEN_PROCESSES: Target[] = [
  ...[64, 4096, 65_536].map((size) => {
    return { path: PATHS.processes, size, ours: 'sabway trySend, drain', baseline: IN_PROCESS, bound: { rate: 0.9 } }
  }),
  ...[[64, 60] as const, [65_536, 15] as const].map(([size, rate]) => {
    return { path: PATHS.processes, size, ours: 'sabway trySend, drain', baseline: "fork, 'advanced'", bound: { rate } }
  }),
  { path: PATHS.spinningProcesses, size: 64, ours: 'sabway spinning', baseline: IN_PROCESS, bound: { time: 1.2 } },
  ...beside(PATHS.idleBetweenProcesses),
]

const HEAP: Target[] = [
  inHeap(PATHS.pairs, SABWAY_HEAP, '@thi.ng/malloc', { time: 1 }),
  inHeap(PATHS.churn, SABWAY_HEAP, '@thi.ng/malloc', { rate: 1000 }),
  ...[PATHS.live, PATHS.liveRandom].map((path) => inHeap(path, '100,000 live', '100 live', { time: 1.5 })),
  inHeap(PATHS.nativePairs, SABWAY_HEAP, 'mimalloc', { time: 2 }),
  inHeap(PATHS.nativeChurn, SABWAY_HEAP, 'mimalloc', { time: 2 }),
  inHeap(PATHS.handed, SABWAY_HEAP, 'glibc', { time: 1 }),
  inHeap(PATHS.handed, SABWAY_HEAP, 'boost', { rate: 8 }),
  ...['lock', 'tryLock'].map((ours) => inHeap(PATHS.lock, ours, 'Atomics.compareExchange twice', { time: 3 })),
  inHeap(PATHS.mutex, 'sabway mutex', 'robust pthread mutex, shared by processes', { time: 1.2 }),
  inHeap(PATHS.channels, 'in a region that is there', 'MessageChannel', { time: 1 }),
  inHeap(PATHS.among, 'the 501st of 1,000', 'the only one', { time: 1.1 }),
]

const MAPS: Target[] = [
  ...[PATHS.mapGet, PATHS.mapUpdate, PATHS.mapAdd].map((path) => inHeap(path, SHARED_MAP, 'Map', { time: 1.5 })),
  ...[PATHS.mapTextGet, PATHS.mapTextNew].map((path) => inHeap(path, SHARED_MAP, 'Map', { time: 2.5 })),
  inHeap(PATHS.mapGet, SHARED_MAP, 'shared-memory-objects', { rate: 8 }),
  inHeap(PATHS.mapNew, SHARED_MAP, 'shared-memory-objects', { rate: 25 }),
  ...[PATHS.mapUpdate, PATHS.mapDelete].map((path) => inHeap(path, SHARED_MAP, 'shared-memory-objects', { rate: 500 })),
  ...[PATHS.mapTextGet, PATHS.mapTextUpdate].map((path) => inHeap(path, SHARED_MAP, 'sharedmap', { rate: 8 })),
  ...[PATHS.mapTextGet, PATHS.mapTextNew].map((path) =>
    inHeap(path, SHARED_MAP, 'shared-memory-datastructures', { rate: 8 }),
  ),
  ...[PATHS.mapNative, PATHS.mapNativeMixed].flatMap((path) => [
    inHeap(path, NATIVE_INTEGERS, CUCKOO, { rate: 1.1 }),
    inHeap(path, NATIVE_INTEGERS, ONE_TBB, { rate: 1 }),
  ]),
  inHeap(PATHS.mapThreads, TWO_THREADS, ONE_THREAD, { rate: 1.7 }),
]

const CONTAINERS: Target[] = [
  inHeap(PATHS.push, 'SharedVector', ARRAY, { time: 1.5 }),
  inHeap(PATHS.push, 'SharedVector', OBJECTS, { rate: 5 }),
  inHeap(PATHS.iterate, 'SharedVector', OBJECTS, { rate: 5 }),
  inHeap(PATHS.get, 'SharedVector', ITERATED, { rate: 5 }),
  inHeap(PATHS.insert, 'SharedList', OBJECTS, { rate: 8 }),
  inHeap(PATHS.deleteFirst, 'SharedList', OBJECTS, { rate: 1000 }),
  inHeap(PATHS.setString, 'SharedString', OBJECTS, { rate: 10 }),
  ...[PATHS.field, PATHS.floatField].map((path) => inHeap(path, 'SharedObject', 'typed array', { time: 2 })),
  inHeap(PATHS.otherField, 'SharedObject', '@bnaya/objectbuffer', { rate: 1000 }),
  inHeap(PATHS.rows, 'SharedStructArray, columns', 'typed array', { time: 1.1 }),
]

/** Those of the subjects that were measured. */
export function verdicts(subjects: Subject[], results: Result[]): Verdict[] {
  const own = {
    processes: BETWEEN_PROCESSES,
    heap: HEAP,
    maps: MAPS,
    containers: CONTAINERS,
    ...SHARING,
    p2p: PEERS,
    curves: [],
  }
  const listed = subjects.map((subject) =>
    subject !== undefined && subject in own ? own[subject as keyof typeof own] : TARGETS,
  )
  return [...new Set(listed)].flat().map((target) => {
    const result = results.find(({ group }) => group.path === target.path && group.size === target.size)
    const comparison = result?.comparisons.find(
      ({ ours, baseline }) => ours === target.ours && baseline === target.baseline,
    )
    const ratios = inTermsOf(target, result, comparison?.ratios ?? [])
    const measured = median(ratios)
    const [least, most] = limits(target.bound)
    const met = measured >= least && measured <= most
    return { ...target, ratios, measured, met }
  })
}

const limits = (bound: Target['bound']): [least: number, most: number] => {
  if ('rate' in bound) return [bound.rate, Number.POSITIVE_INFINITY]
  return [0, 'time' in bound ? bound.time : bound.nanoseconds]
}

/** What is to be compared with the bound. */
function inTermsOf({ ours, bound }: Target, result: Result | undefined, ratios: number[]): number[] {
  if (result === undefined) return []
  if ('nanoseconds' in bound) return comparable(result.samples, ours).map(({ score }) => 1e9 / score)
  // A score is a rate, or, for round trips, a time.
  return 'time' in bound && result.group.unit !== 'us' ? ratios.map((ratio) => 1 / ratio) : ratios
}
