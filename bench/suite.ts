// Everything that is measured: groups of benchmarks that are compared with each other.
import type { Benchmark } from './benchmarks/benchmark.js'
import * as containers from './benchmarks/containers.js'
import {
  channels,
  churn,
  exchanges,
  InThread,
  lock,
  messageChannels,
  pairs,
  queue,
  sabway,
  sends,
  thing,
  tryLock,
} from './benchmarks/in-thread.js'
import { MapThreads } from './benchmarks/map-threads.js'
import * as maps from './benchmarks/maps.js'
import { SourceDrain, SourceLoop, ThreadsafeFunction, ToSink } from './benchmarks/native.js'
import { NativeProgram, type Program } from './benchmarks/native-program.js'
import { CallPerMessage, Futex, NativeEcho, Synckit } from './benchmarks/native-round-trips.js'
import { ForkFrames, FRAME, NativeFrames, ProcessPair } from './benchmarks/process-pair.js'
import * as records from './benchmarks/records.js'
import { ThreadPair } from './benchmarks/thread-pair.js'
import { along, type Group, throughput, work } from './harness/measure.js'
import { label, SIZES } from './harness/messages.js'
import { peerGroups } from './peers.js'
import { lockGroups, poolGroups, queueGroups, sharingCurves } from './sharing.js'
import { crowds, sendBatches, sendOne } from './transports/sabway.js'
import type { Role } from './transports/transport.js'

const BETWEEN_THREADS = [
  'sabway trySend, drain',
  'sabway sendBatch, drain',
  'sabway sendBatch, drain all',
  'sabway send, startReceiving (own copies)',
  'ringbuf.js',
  'postMessage copy',
  'postMessage transfer',
  'postMessage, own batches',
]

const ROUND_TRIP = 64
const UNALIGNED = 65_536
/** A round trip between sleeping event loops takes over a millisecond with the pause before it. */
const SLEEPING = 3

export const SABWAY_HEAP = 'sabway heap'
const MIMALLOC = { name: 'heap', define: 'MIMALLOC', library: 'mimalloc', debian: 'libmimalloc-dev' }
const GLIBC = { name: 'heap', define: 'GLIBC' }
const BOOST = { name: 'heap', define: 'BOOST', beside: 'boost.cc', debian: 'libboost1.81-dev' }
const NATIVE_MAP = { name: 'map', beside: 'map.cc' }
export const CUCKOO = 'libcuckoo cuckoohash_map'
export const ONE_TBB = 'oneTBB concurrent_hash_map'
const NATIVE_MAPS: [string, Program][] = [
  [CUCKOO, { ...NATIVE_MAP, define: 'CUCKOO', debian: 'libcuckoo-dev' }],
  [ONE_TBB, { ...NATIVE_MAP, define: 'TBB', library: 'tbb', debian: 'libtbb-dev' }],
  ['xenium vyukov_hash_map', { ...NATIVE_MAP, define: 'XENIUM', debian: 'libxenium-dev' }],
]
const TBB_VECTOR = { name: 'vector', define: 'TBB', beside: 'vector.cc', library: 'tbb', debian: 'libtbb-dev' }

export const PATHS = {
  toWorker: 'main to worker',
  fromWorker: 'worker to main',
  toNative: 'JS to native',
  fromNative: 'native to JS',
  spinning: 'round trip, spinning',
  loops: 'round trip, sleeping event loops',
  idle: 'round trip, beside idle receivers',
  idleBetweenProcesses: 'round trip between processes, beside idle receivers',
  batching: 'batching, main to worker',
  blocking: 'round trip, blocking threads',
  echo: 'round trip, blocking thread and native thread',
  waking: 'round trip, sleeping native thread',
  native: 'round trip, sleeping event loop and native thread',
  unaligned: 'unaligned source, main to worker',
  processes: 'process to process',
  spinningProcesses: 'round trip between processes, spinning',
  loopsBetweenProcesses: 'round trip between processes, sleeping event loops',
  frames: 'frames from a native thread to another process',
  pairs: 'allocate and free 64 B, JS',
  churn: 'churn of 10,000 blocks of 64 B, JS',
  live: 'free the oldest of 64 B and allocate, JS',
  liveRandom: 'free any of 64 B and allocate, JS',
  nativePairs: 'allocate and free 64 B, native',
  nativeChurn: 'churn of 10,000 blocks of 64 B, native',
  handed: 'allocate 64 B, free in another thread, native',
  lock: 'lock and unlock, JS, uncontended',
  mutex: 'lock and unlock, native, uncontended',
  channels: 'make a channel and clean it up',
  among: 'trySend 64 B, drain, among the channels of a region',
  mapGet: 'map get, number keys, 100,000 entries',
  mapUpdate: 'map set of a key that is there, number keys, 100,000 entries',
  mapAdd: 'map add, number keys, 100,000 entries',
  mapTextGet: 'map get, 16-character keys, 100,000 entries',
  mapTextNew: 'map set of a new key, 16-character keys, 100,000 entries',
  mapDelete: 'map delete, number keys, 100,000 entries',
  mapNew: 'map set of a new key, number keys, 100,000 entries',
  mapTextUpdate: 'map set of a key that is there, 16-character keys, 100,000 entries',
  mapNative: 'map get, 64-bit integers, native, 100,000 entries',
  mapNativeMixed: 'map, two threads, 90 % get and 10 % set, native, 100,000 entries',
  mapThreads: 'map, 90 % get and 10 % set, number keys, 100,000 entries, JS threads',
  push: 'vector: push',
  nativePush: 'vector: push, native',
  nativePushBoth: 'vector: push, native, two threads',
  iterate: 'vector: iterate, 100,000 numbers',
  get: 'vector: get by index, 100,000 numbers',
  set: 'vector: set by index, 100,000 numbers',
  insert: 'list: insert',
  deleteFirst: 'list: delete the first of 10,000, insert',
  walk: 'list: iterate, 10,000 elements',
  setString: 'string: set, 20 characters',
  readString: 'string: get, 20 characters',
  field: 'object field write and read, JS',
  floatField: 'object field of f64 write and read, JS',
  otherField: 'object field write and read, JS, beside a proxy',
  rows: 'a field of each object of an array, JS',
  change: 'change two fields under the lock, JS',
} as const

/** The transport of `crowds` that the others are measured by. */
export const ALONE = 'sabway event loops, alone'

/** The same channel between two threads of one process. */
export const IN_PROCESS = 'sabway in one process'

function threads(path: string, role: Role): Group[] {
  return SIZES.map((size) =>
    throughput(
      path,
      size,
      BETWEEN_THREADS.map((transport) => new ThreadPair(transport, role, { size, lead: 0 })),
    ),
  )
}

function native(): Group[] {
  const to = SIZES.map((size) =>
    throughput(PATHS.toNative, size, [
      new ToSink('sabway trySend', size, sendOne),
      new ToSink('sabway sendBatch', size, sendBatches),
      new ThreadPair('ringbuf.js', 'send', { size, lead: 0 }, 'ringbuf.js, JS to JS'),
    ]),
  )
  const from = SIZES.map((size) =>
    throughput(PATHS.fromNative, size, [
      new SourceDrain(size),
      new SourceLoop(size, false),
      new SourceLoop(size, true),
      new ThreadsafeFunction(size),
    ]),
  )
  return [...to, ...from]
}

const roundTrip = (path: string, durationFactor: number, benchmarks: Benchmark[]): Group => ({
  name: `${path}, ${label(ROUND_TRIP)}`,
  path,
  size: ROUND_TRIP,
  unit: 'us',
  benchmarks,
  durationFactor,
})

function roundTrips(): Group[] {
  const load = { size: ROUND_TRIP, lead: 0 }
  const pair = (transport: string, ours?: boolean) => new ThreadPair(transport, 'ping', load, transport, ours)
  const group = (path: string, durationFactor: number, transports: string[]) =>
    roundTrip(
      path,
      durationFactor,
      transports.map((transport) => pair(transport)),
    )
  return [
    group(PATHS.spinning, 1, ['sabway spinning', 'ringbuf.js']),
    roundTrip(
      PATHS.idle,
      SLEEPING,
      Object.keys(crowds).map((name) => pair(name, name !== ALONE)),
    ),
    group(PATHS.loops, SLEEPING, ['sabway event loops', 'sabway event loops, park', 'postMessage event loops']),
    roundTrip(PATHS.blocking, 1, [
      pair('sabway receiveSync, balanced'),
      pair('sabway receiveSync, park'),
      pair('sabway receiveSync, spin', false), // what balanced is measured by
      pair('MessagePort polled'),
      new Synckit(),
    ]),
    roundTrip(PATHS.echo, 1, [
      new NativeEcho('receiveSync', 'balanced'),
      new NativeEcho('receiveSync', 'park'),
      new NativeEcho('receiveSync', 'spin', false),
      new Futex(true),
    ]),
    roundTrip(PATHS.waking, SLEEPING, [new NativeEcho('wake, then spin', 'park'), new Futex(false)]),
    roundTrip(PATHS.native, SLEEPING, [
      new NativeEcho('event loop', 'balanced'),
      new NativeEcho('event loop', 'park'),
      new CallPerMessage(),
    ]),
  ]
}

/** What the channel's own batching gains over a call and a publish for each message. */
function batching(): Group[] {
  const transports = ['sabway trySend, drain', 'sabway batch, drain', 'sabway sendBatch, drain']
  return [16, 64].map((size) =>
    throughput(
      PATHS.batching,
      size,
      transports.map((transport) => new ThreadPair(transport, 'send', { size, lead: 0 })),
    ),
  )
}

function unaligned(): Group {
  const transport = 'sabway trySend, drain'
  const offsets = [1, 3, 5].map(
    (lead) => new ThreadPair(transport, 'send', { size: UNALIGNED, lead }, `offset ${lead}`),
  )
  const aligned = new ThreadPair(transport, 'send', { size: UNALIGNED, lead: 0 }, 'aligned', false)
  return throughput(PATHS.unaligned, UNALIGNED, [...offsets, aligned])
}

function processes(): Group[] {
  const floods = [64, 4096, 65_536].map((size) => {
    const load = { size, lead: 0 }
    return throughput(PATHS.processes, size, [
      new ProcessPair('sabway trySend, drain', 'send', load),
      new ProcessPair('sabway send, startReceiving (own copies)', 'send', load),
      new ThreadPair('sabway trySend, drain', 'send', load, IN_PROCESS, false),
      new ProcessPair("fork, 'advanced'", 'send', load),
      new ProcessPair('unix socket', 'send', load),
      new ProcessPair('unix socket, own batches', 'send', load),
    ])
  })
  const load = { size: ROUND_TRIP, lead: 0 }
  return [
    ...floods,
    roundTrip(PATHS.spinningProcesses, 1, [
      new ProcessPair('sabway spinning', 'ping', load),
      new ThreadPair('sabway spinning', 'ping', load, IN_PROCESS, false),
    ]),
    roundTrip(PATHS.loopsBetweenProcesses, SLEEPING, [
      new ProcessPair('sabway event loops', 'ping', load),
      new ProcessPair("fork, 'advanced', event loops", 'ping', load),
      new ProcessPair('unix socket, event loops', 'ping', load),
    ]),
    roundTrip(
      PATHS.idleBetweenProcesses,
      SLEEPING,
      Object.keys(crowds).map((name) => new ProcessPair(name, 'ping', load, name, name !== ALONE)),
    ),
    throughput(PATHS.frames, FRAME, [new NativeFrames(), new ForkFrames()]),
  ]
}

/** With Sabway's heap, and with what it is measured by. */
const allocators = (path: string, what: string, programs: Program[]): Group =>
  work(
    path,
    [{ name: 'heap' }, ...programs].map(
      (program) =>
        new NativeProgram(program.define?.toLowerCase() ?? SABWAY_HEAP, program.define === undefined, program, what),
    ),
  )

function heaps(): Group[] {
  return [
    work(PATHS.pairs, [
      new InThread(SABWAY_HEAP, true, () => pairs(sabway)),
      new InThread('@thi.ng/malloc', false, () => pairs(thing)),
    ]),
    work(PATHS.churn, [
      new InThread(SABWAY_HEAP, true, () => churn(sabway, 10_000)),
      new InThread('@thi.ng/malloc', false, () => churn(thing, 10_000)),
    ]),
    ...[PATHS.live, PATHS.liveRandom].map((path) => {
      const next = path === PATHS.live ? queue : churn
      return work(path, [
        new InThread('100,000 live', true, () => next(sabway, 100_000)),
        new InThread('100 live', false, () => next(sabway, 100)),
      ])
    }),
    allocators(PATHS.nativePairs, 'pairs', [MIMALLOC]),
    allocators(PATHS.nativeChurn, 'churn', [MIMALLOC]),
    allocators(PATHS.handed, 'handed', [GLIBC, BOOST]),
    work(PATHS.lock, [
      new InThread('lock', true, lock),
      new InThread('tryLock', true, tryLock),
      new InThread('Atomics.compareExchange twice', false, exchanges),
    ]),
    work(PATHS.mutex, [
      new NativeProgram('sabway mutex', true, { name: 'mutex' }, 'sabway'),
      new NativeProgram('robust pthread mutex, shared by processes', false, { name: 'mutex' }, 'pthread'),
    ]),
    work(PATHS.channels, [
      new InThread('in a region that is there', true, channels),
      new InThread('MessageChannel', false, messageChannels),
    ]),
    work(PATHS.among, [
      new InThread('the 501st of 1,000', true, () => sends(1000)),
      new InThread('the only one', false, () => sends(1)),
    ]),
  ]
}

export const SHARED_MAP = 'SharedMap'
export const NATIVE_INTEGERS = 'sabway map'
export const ONE_THREAD = '1 thread'
export const TWO_THREADS = '2 threads'

/** Native programs, with the same work on each of the maps. */
const nativeMaps = (path: string, what: string, numbers: string): Group =>
  work(path, [
    new NativeProgram(NATIVE_INTEGERS, true, { name: 'map' }, what),
    new NativeProgram('sabway map, the integers as numbers', true, { name: 'map' }, numbers),
    ...NATIVE_MAPS.map(([name, program]) => new NativeProgram(name, false, program, what)),
  ])

function mapGroups(): Group[] {
  const { ENTRIES } = maps
  const { add, deletes, get, setNew, update, numericMap, objectsMap, plainMap, sharedMap, staticMap, writeOnceMap } =
    maps
  type Peer = [name: string, make: (entries: number) => maps.MapLike | Promise<maps.MapLike>]
  const objects: Peer = ['shared-memory-objects', objectsMap]
  const fixed: Peer = ['sharedmap', staticMap]
  const once: Peer = ['shared-memory-datastructures', writeOnceMap]
  const beside = (path: string, act: typeof get, keys: maps.Keys, peers: Peer[], mine = sharedMap) =>
    work(path, [
      new InThread(SHARED_MAP, true, () => act(mine, keys, ENTRIES)),
      new InThread('Map', false, () => act(plainMap, keys, ENTRIES)),
      ...peers.map(([name, make]) => new InThread(name, false, () => act(make, keys, ENTRIES))),
    ])
  return [
    beside(PATHS.mapGet, get, 'numbers', [objects]),
    beside(PATHS.mapUpdate, update, 'numbers', [objects]),
    beside(PATHS.mapAdd, add, 'numbers', [], numericMap),
    beside(PATHS.mapNew, setNew, 'numbers', [objects]),
    beside(PATHS.mapDelete, deletes, 'numbers', [objects]),
    beside(PATHS.mapTextGet, get, 'texts', [fixed, once]),
    beside(PATHS.mapTextNew, setNew, 'texts', [fixed, once]),
    beside(PATHS.mapTextUpdate, update, 'texts', [fixed]),
    nativeMaps(PATHS.mapNative, 'get', 'numbers'),
    nativeMaps(PATHS.mapNativeMixed, 'mixed', 'mixed-numbers'),
    work(PATHS.mapThreads, [new MapThreads(TWO_THREADS, true, 2), new MapThreads(ONE_THREAD, false, 1)]),
  ]
}

export const OBJECTS = 'shared-memory-objects'
/** It has no other way to read elements. */
export const ITERATED = 'shared-memory-objects, iterated'
export const ARRAY = 'Array'

function inContainers(): Group[] {
  const c = containers
  return [
    work(PATHS.push, [
      new InThread('SharedVector', true, c.push),
      new InThread('SharedVector, pushAll of 100', true, c.pushAll),
      new InThread(ARRAY, false, c.arrayPush),
      new InThread(OBJECTS, false, c.theirPush),
    ]),
    ...Object.entries({ push: PATHS.nativePush, both: PATHS.nativePushBoth }).map(([what, path]) =>
      work(path, [
        new NativeProgram('sabway vector', true, { name: 'vector' }, what),
        new NativeProgram('oneTBB concurrent_vector', false, TBB_VECTOR, what),
      ]),
    ),
    work(PATHS.iterate, [
      new InThread('SharedVector', true, c.iterate),
      new InThread(ARRAY, false, c.arrayIterate),
      new InThread(OBJECTS, false, c.theirIterate),
    ]),
    work(PATHS.get, [
      new InThread('SharedVector', true, c.get),
      new InThread(ARRAY, false, c.arrayGet),
      new InThread(ITERATED, false, c.theirIterate),
    ]),
    work(PATHS.set, [new InThread('SharedVector', true, c.set), new InThread(ARRAY, false, c.arraySet)]),
    work(PATHS.insert, [new InThread('SharedList', true, c.insert), new InThread(OBJECTS, false, c.theirInsert)]),
    work(PATHS.deleteFirst, [
      new InThread('SharedList', true, c.deleteFirst),
      new InThread(OBJECTS, false, c.theirDeleteFirst),
    ]),
    work(PATHS.walk, [new InThread('SharedList', true, c.walk), new InThread(OBJECTS, false, c.theirWalk)]),
    work(PATHS.setString, [
      new InThread('SharedString', true, c.setString),
      new InThread(OBJECTS, false, c.theirSetString),
    ]),
    work(PATHS.readString, [
      new InThread('SharedString', true, c.readString),
      new InThread(OBJECTS, false, c.theirReadString),
    ]),
  ]
}

function inRecords(): Group[] {
  const here = (name: string, ours: boolean, prepare: () => (count: number) => void) =>
    new InThread(name, ours, prepare)
  return [
    work(PATHS.field, [here('SharedObject', true, records.field), here('typed array', false, records.element)]),
    work(PATHS.floatField, [
      here('SharedObject', true, records.floatField),
      here('typed array', false, records.floatElement),
    ]),
    work(PATHS.otherField, [
      here('SharedObject', true, records.field),
      here('@bnaya/objectbuffer', false, records.otherField),
    ]),
    work(PATHS.rows, [
      here('SharedStructArray, columns', true, records.column),
      here('SharedStructArray, rows', true, records.rows),
      here('typed array', false, records.elements),
    ]),
    work(PATHS.change, [
      here('lock', true, records.change),
      here('snapshot', true, records.snapshots),
      here('Mutex', false, lock),
    ]),
  ]
}

// ---- curves ----

const COUNTS = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
const THREADS = [1, 2, 3, 4, 6, 8]

/** What a call costs with so many entries, and with so many threads. */
function curves(): Group[] {
  const { get, plainMap, sharedMap, update } = maps
  const ofMap = (name: string, act: typeof get) =>
    COUNTS.map((entries) =>
      along(name, entries, 'entries', [
        new InThread(SHARED_MAP, true, () => act(sharedMap, 'numbers', entries)),
        new InThread('Map', false, () => act(plainMap, 'numbers', entries)),
      ]),
    )
  return [
    ...ofMap('map get', get),
    ...ofMap('map set', update),
    ...COUNTS.map((entries) =>
      along('vector get', entries, 'entries', [
        new InThread('SharedVector', true, () => containers.getAny(entries)),
        new InThread(ARRAY, false, () => containers.arrayGetAny(entries)),
      ]),
    ),
    ...THREADS.map((threads) =>
      along('map, 90 % get and 10 % set', threads, 'threads', [new MapThreads(SHARED_MAP, true, threads)]),
    ),
  ]
}

/**
 * Throughput and round trips between threads are 'throughput' and 'latency', and both of them
 * undefined.
 */
export type Subject = (typeof SUBJECTS)[number] | undefined

export const SUBJECTS = [
  'throughput',
  'latency',
  'processes',
  'heap',
  'maps',
  'containers',
  'queues',
  'locks',
  'pools',
  'p2p',
  'curves',
] as const

export function groupsOf(subject: Subject): Group[] {
  if (subject === 'processes') return processes()
  if (subject === 'heap') return heaps()
  if (subject === 'maps') return mapGroups()
  if (subject === 'curves') return [...curves(), ...sharingCurves()]
  if (subject === 'queues') return queueGroups()
  if (subject === 'locks') return lockGroups()
  if (subject === 'pools') return poolGroups()
  if (subject === 'p2p') return peerGroups()
  if (subject === 'containers') return [...inContainers(), ...inRecords()]
  const groups = [
    ...threads(PATHS.toWorker, 'send'),
    ...threads(PATHS.fromWorker, 'receive'),
    ...native(),
    ...roundTrips(),
    ...batching(),
    unaligned(),
  ]
  return groups.filter(({ unit }) => subject === undefined || (unit === 'us') === (subject === 'latency'))
}

export const allGroups = (): Group[] => [undefined, ...SUBJECTS].flatMap(groupsOf)
