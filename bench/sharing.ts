// What suite.ts lists of queues, channels, broadcasts, locks and pools.
import { NativeProgram, type Program } from './benchmarks/native-program.js'
import { ThreadPair } from './benchmarks/thread-pair.js'
import { along, type Group, throughput, work } from './harness/measure.js'

export const SHARING_PATHS = {
  nativeQueue: 'queue, two threads put and two take, native',
  numbers: 'queue, main to worker, numbers',
  bytes: 'queue, main to worker, Uint8Array',
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
]

// ---- curves ----

const THREADS = [1, 2, 3, 4, 6, 8]

/** With more threads than processors, too: none may collapse there. */
export const sharingCurves = (): Group[] =>
  THREADS.map((threads) =>
    along(
      'queue, each thread puts and takes, native',
      threads,
      'threads',
      native(`pairs${threads}`, [[SABWAY_QUEUE, { name: 'queue' }]], NATIVE_QUEUES),
    ),
  )
