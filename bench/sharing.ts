// What suite.ts lists of queues, channels, broadcasts, locks and pools.
import { FanOut } from './benchmarks/fan-out.js'
import { exchanges, InThread, lock, tryLock } from './benchmarks/in-thread.js'
import { NativeProgram, type Program } from './benchmarks/native-program.js'
import { piscinaPool, sabwayPool, TaskPool } from './benchmarks/task-pools.js'
import { ThreadPair } from './benchmarks/thread-pair.js'
import { along, type Group, throughput, work } from './harness/measure.js'

export const SHARING_PATHS = {
  nativeQueue: 'queue, two threads put and two take, native',
  numbers: 'queue, main to worker, numbers',
  bytes: 'queue, main to worker, Uint8Array',
  priorities: 'queue of 8 priorities, two threads put and take, native',
  prioritiesAcross: 'queue of 8 priorities, two threads put and two take, native',
  channel: 'channel of 64, between two threads, native',
  select: 'select over four channels of 64, between two threads, native',
  broadcast: 'broadcast, main to three workers',
  emptyTasks: 'tasks without a value, two workers',
  tasks: 'tasks of 4 KiB, two workers',
  lock: 'lock and unlock, uncontended, JS',
  read: 'read lock and unlock, one thread, native',
  readers: 'read lock and unlock, two threads, native',
  barrier: 'barrier, two threads, native',
  pool: 'acquire and release a block of 64 B, native',
} as const

const PATHS = SHARING_PATHS

const QUEUE: Program = { name: 'queue', beside: 'queue.cc' }
export const SABWAY_QUEUE = 'sabway queue'
export const BOOST_QUEUE = 'boost::lockfree::queue'
export const NIKOLAEV = 'xenium nikolaev_bounded_queue'
export const ATOMIC_QUEUE = 'atomic_queue AtomicQueue'
/** Debian 12 has 0.0.2, without this queue. */
const NEW_XENIUM = 'a xenium that is newer than 0.0.2, https://github.com/mpoeter/xenium'
const NATIVE_QUEUES: [string, Program][] = [
  [BOOST_QUEUE, { ...QUEUE, define: 'BOOST', debian: 'libboost-dev' }],
  [NIKOLAEV, { ...QUEUE, define: 'XENIUM', debian: NEW_XENIUM }],
  ['xenium vyukov_bounded_queue, not lock-free', { ...QUEUE, define: 'VYUKOV', debian: 'libxenium-dev' }],
  [ATOMIC_QUEUE, { ...QUEUE, define: 'ATOMIC', debian: 'libatomic-queue-dev' }],
]

const native = (what: string, ours: [string, Program][], theirs: [string, Program][]) => [
  ...ours.map(([name, program]) => new NativeProgram(name, true, program, what)),
  ...theirs.map(([name, program]) => new NativeProgram(name, false, program, what)),
]

export const QUEUE_OF_NUMBERS = 'sabway MultiProducerQueue, numbers'
export const QUEUE_OF_BYTES = 'sabway MultiProducerQueue'
export const POSTED_NUMBERS = 'postMessage of numbers'
export const POSTED_BYTES = 'postMessage copy'
export const MULTITHREADING = 'multithreading channel'
/** Numbers are counted as a double has bytes. */
export const [NUMBER, BYTES] = [8, 64]

const pairs = (path: string, size: number, transports: string[]): Group =>
  throughput(
    path,
    size,
    transports.map((transport) => new ThreadPair(transport, 'send', { size, lead: 0 })),
  )

export const LEVELS = 'sabway priority queue'
export const TBB_PRIORITIES = 'oneTBB concurrent_priority_queue'
export const SABWAY_CHANNEL = 'sabway channel'
export const GO = 'Go, goroutines'
export const GO_THREADS = 'Go, each in a thread of its own'
const SUBSCRIBERS = 3
export const EMPTY = 0
export const FOUR_KIB = 4096
export const SABWAY_POOL = 'SharedPool'
export const PISCINA = 'piscina'

/** `what`: of channel.c and, for goroutines, of channel.go. */
const channels = (path: string, what: string, locked: string): Group => {
  const go: Program = { name: 'channel', go: true, debian: 'golang-go' }
  return work(path, [
    new NativeProgram(SABWAY_CHANNEL, true, { name: 'channel' }, what),
    new NativeProgram(GO, false, go, what),
    new NativeProgram(GO_THREADS, false, go, locked),
  ])
}

const tasks = (path: string, size: number): Group =>
  work(path, [
    new TaskPool(SABWAY_POOL, true, sabwayPool, size),
    new TaskPool(PISCINA, false, () => piscinaPool(1), size),
    new TaskPool('piscina, 64 tasks at a time', false, () => piscinaPool(64), size),
  ])

/** `what`: of queue.c. */
const priorities = (path: string, what: string): Group => {
  const tbb: Program = { ...QUEUE, define: 'TBB', library: 'tbb', debian: 'libtbb-dev' }
  return work(path, native(what, [[LEVELS, { name: 'queue', define: 'LEVELS' }]], [[TBB_PRIORITIES, tbb]]))
}

export const queueGroups = (): Group[] => [
  work(
    PATHS.nativeQueue,
    native(
      'across',
      [
        [SABWAY_QUEUE, { name: 'queue' }],
        ['sabway queue, 64-bit integers, in blocks', { name: 'queue', define: 'WIDE' }],
      ],
      NATIVE_QUEUES,
    ),
  ),
  pairs(PATHS.numbers, NUMBER, [QUEUE_OF_NUMBERS, POSTED_NUMBERS, MULTITHREADING]),
  pairs(PATHS.bytes, BYTES, [QUEUE_OF_BYTES, POSTED_BYTES]),
  priorities(PATHS.priorities, 'pairs2'),
  priorities(PATHS.prioritiesAcross, 'across'),
  channels(PATHS.channel, 'one', 'threads'),
  channels(PATHS.select, 'select', 'select-threads'),
  throughput(PATHS.broadcast, BYTES, [
    new FanOut('SharedBroadcast', true, SUBSCRIBERS, BYTES),
    new FanOut('BroadcastChannel', false, SUBSCRIBERS, BYTES),
  ]),
]

// ---- locks ----

export const [RWLOCK, PTHREAD_RWLOCK] = ['sabway rwlock', 'pthread_rwlock, shared by processes']
export const [BARRIER, PTHREAD_BARRIER] = ['sabway barrier', 'pthread_barrier, shared by processes']
export const EXCHANGES = 'Atomics.compareExchange twice'
const SYNC: Program = { name: 'sync' }

const beside = (path: string, ours: [name: string, what: string], theirs: [name: string, what: string]): Group =>
  work(path, [new NativeProgram(ours[0], true, SYNC, ours[1]), new NativeProgram(theirs[0], false, SYNC, theirs[1])])

export const lockGroups = (): Group[] => [
  work(PATHS.lock, [
    new InThread('lock', true, lock),
    new InThread('tryLock', true, tryLock),
    new InThread(EXCHANGES, false, exchanges),
  ]),
  beside(PATHS.read, [RWLOCK, 'read1'], [PTHREAD_RWLOCK, 'pread1']),
  beside(PATHS.readers, [RWLOCK, 'read2'], [PTHREAD_RWLOCK, 'pread2']),
  beside(PATHS.barrier, [BARRIER, 'barrier2'], [PTHREAD_BARRIER, 'pbarrier2']),
]

// ---- pools ----

export const [CELLS, MALLOC] = ['sabway pool', 'malloc and free']

export const poolGroups = (): Group[] => [
  work(PATHS.pool, [
    new NativeProgram(CELLS, true, { name: 'pool' }, 'sabway'),
    new NativeProgram(MALLOC, false, { name: 'pool' }, 'malloc'),
  ]),
  tasks(PATHS.emptyTasks, EMPTY),
  tasks(PATHS.tasks, FOUR_KIB),
]

// ---- curves ----

const THREADS = [1, 2, 3, 4, 6, 8]

/** With more threads than processors, too: none may collapse there. */
export const sharingCurves = (): Group[] => [
  ...THREADS.map((threads) =>
    along(
      'queue, each thread puts and takes, native',
      threads,
      'threads',
      native(`pairs${threads}`, [[SABWAY_QUEUE, { name: 'queue' }]], NATIVE_QUEUES),
    ),
  ),
  ...THREADS.map((threads) =>
    along('lock and unlock, native', threads, 'threads', [
      new NativeProgram('sabway mutex', true, SYNC, `mutex${threads}`),
      new NativeProgram('robust pthread mutex, shared by processes', false, SYNC, `pmutex${threads}`),
    ]),
  ),
]
