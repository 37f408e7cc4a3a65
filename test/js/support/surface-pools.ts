// The rows of surface.ts for buffers and pools.
import type { SharedMemoryPool } from 'sabway'
import type { Row, Scene } from './surface.js'

type Try = Exclude<Row, string>[number]
const bytes = new Uint8Array([1, 2, 3])
const FOREVER = Number.POSITIVE_INFINITY

/** A call with odd options, and with each of them odd. */
const options = (names: readonly string[], needed: object, call: (options: never, scene: Scene) => unknown): Try[] => [
  (odd, scene) => call(odd, scene),
  ...names.map(
    (name): Try =>
      (odd, scene) =>
        call({ ...needed, [name]: odd } as never, scene),
  ),
]
const quiet = { cleanupInterval: FOREVER }
const manager = ({ sabway }: Scene) => new sabway.SharedMemoryManager(quiet)
const buffer = ({ sabway }: Scene) => new sabway.SharedMemoryBuffer(16)
const memoryPool = ({ sabway }: Scene) => new sabway.MemoryPool(quiet)
const objects = ({ sabway }: Scene) => new sabway.ObjectPool({ factory: () => ({}) })
const pool = ({ sabway, heap }: Scene): SharedMemoryPool =>
  new sabway.SharedMemoryPool(heap, { blockSize: 16, maxBlocks: 4 })

/** With a pool that is freed behind the call. */
const pooled =
  (call: (odd: never, pool: SharedMemoryPool) => unknown): Try =>
  (odd, scene) => {
    using made = pool(scene)
    return call(odd, made)
  }

const HEADER = ['magic', 'version', 'size', 'flags', 'checksum']
const factory = () => ({})

export const pools: Record<string, Row> = {
  'SharedMemoryManager#constructor': options(
    ['bufferSize', 'maxBuffers', 'cleanupInterval', 'onLeak', 'enableCompression', 'encryptionKey'],
    quiet,
    (config, { sabway }) => new sabway.SharedMemoryManager(config).close(),
  ),
  'SharedMemoryManager#createBuffer': [
    (odd, scene) => void manager(scene).createBuffer(odd),
    (odd, scene) => void manager(scene).createBuffer(8, odd),
  ],
  'SharedMemoryManager#getBuffer': [(odd, scene) => manager(scene).getBuffer(odd)],
  'SharedMemoryManager#releaseBuffer': [(odd, scene) => manager(scene).releaseBuffer(odd)],
  'SharedMemoryManager#copyToBuffer': [
    (odd, scene) => manager(scene).copyToBuffer(odd, new SharedArrayBuffer(8), 0),
    (odd, scene) => manager(scene).copyToBuffer(bytes, odd, 0),
    (odd, scene) => manager(scene).copyToBuffer(bytes, new SharedArrayBuffer(8), odd),
  ],
  'SharedMemoryManager#copyFromBuffer': [
    (odd, scene) => void manager(scene).copyFromBuffer(odd, 0, 1),
    (odd, scene) => void manager(scene).copyFromBuffer(new SharedArrayBuffer(8), odd, 1),
    (odd, scene) => void manager(scene).copyFromBuffer(new SharedArrayBuffer(8), 0, odd),
  ],
  'SharedMemoryBuffer#constructor': [
    (odd, { sabway }) => void new sabway.SharedMemoryBuffer(odd),
    ...options(HEADER, {}, (config, { sabway }) => void new sabway.SharedMemoryBuffer(16, config)),
  ],
  'SharedMemoryBuffer.over': [
    (odd, { sabway }) => void sabway.SharedMemoryBuffer.over(odd),
    ...options(HEADER, {}, (config, { sabway }) => {
      sabway.SharedMemoryBuffer.over(new SharedArrayBuffer(64), config)
    }),
  ],
  'SharedMemoryBuffer.open': [
    (odd, { sabway }) => void sabway.SharedMemoryBuffer.open(odd),
    ...options(HEADER, {}, (header, scene) => {
      scene.sabway.SharedMemoryBuffer.open(buffer(scene).memory, header)
    }),
  ],
  'SharedMemoryBuffer#setHeader': options(HEADER, {}, (header, scene) => buffer(scene).setHeader(header)),
  'SharedMemoryBuffer#write': [
    (odd, scene) => buffer(scene).write(odd, 0),
    (odd, scene) => buffer(scene).write(bytes, odd),
  ],
  'SharedMemoryBuffer#read': [
    (odd, scene) => void buffer(scene).read(odd, 1),
    (odd, scene) => void buffer(scene).read(0, odd),
  ],
  'SharedMemoryBuffer#clear': [
    (odd, scene) => buffer(scene).clear(odd, 1),
    (odd, scene) => buffer(scene).clear(0, odd),
  ],
  'MemoryPool#constructor': options(
    ['initialSize', 'maxSize', 'growthFactor', 'cleanupInterval'],
    quiet,
    (config, { sabway }) => new sabway.MemoryPool(config).close(),
  ),
  'MemoryPool#allocate': [
    (odd, { sabway }) => void new sabway.MemoryPool({ ...quiet, maxSize: 2 ** 20 }).allocate(odd),
  ],
  'MemoryPool#release': [(odd, scene) => memoryPool(scene).release(odd)],
  'MemoryPool#getPool': [(odd, scene) => void memoryPool(scene).getPool(odd)],
  'BufferPool#constructor': [(odd, { sabway }) => void new sabway.BufferPool(odd)],
  'BufferPool#getBuffer': [(odd, { sabway }) => void new sabway.BufferPool().getBuffer(odd)],
  'BufferPool#returnBuffer': [(odd, { sabway }) => new sabway.BufferPool().returnBuffer(odd)],
  'ObjectPool#constructor': options(
    ['factory', 'reset', 'validate', 'maxSize', 'slots'],
    { factory },
    (config, { sabway }) => void new sabway.ObjectPool(config),
  ),
  'ObjectPool#release': [(odd, scene) => objects(scene).release(odd)],
  'ObjectPool#acquireAsync': options(['timeout', 'signal'], {}, (patience, scene) =>
    objects(scene)
      .acquireAsync(patience)
      .then(() => {}),
  ),
  'SharedMemoryPool#constructor': [
    (odd, { sabway }) => void new sabway.SharedMemoryPool(odd),
    ...options(
      ['blockSize', 'initialBlocks', 'maxBlocks', 'growthFactor', 'cleanupInterval'],
      { blockSize: 16, maxBlocks: 4 },
      (config, { sabway, heap }) => new sabway.SharedMemoryPool(heap, config).free(),
    ),
  ],
  'SharedMemoryPool#take': [
    pooled((odd, made) => void made.take(odd)),
    ...(['index', 'life', 'holder'] as const).map((name) =>
      pooled((odd, made) => void made.take({ ...made.acquire().getSharedMemory(), [name]: odd })),
    ),
  ],
  'SharedMemoryPool#shrink': [pooled((odd, made) => made.shrink(odd))],
  'SharedMemoryPool#acquireAsync': options(['timeout', 'signal'], {}, (patience, scene) =>
    pool(scene)
      .acquireAsync(patience)
      .then(() => {}),
  ),
  'SharedMemoryPool#acquireSync': options(['timeout'], {}, (patience, scene) => {
    pool(scene).acquireSync(patience)
  }),
}

const TAG = 'Symbol(Symbol.toStringTag)'
const DISPOSE = 'Symbol(Symbol.dispose)'
const WITHOUT: Record<string, readonly string[]> = {
  SharedMemoryManager: ['listBuffers', 'getMemoryUsage', 'cleanup', 'getLeaks', 'close', 'toJSON', DISPOSE],
  SharedMemoryBuffer: [
    'memory',
    'getHeader',
    'validateHeader',
    'getSize',
    'getAvailableSpace',
    'isFull',
    'isEmpty',
    'toJSON',
  ],
  MemoryPool: ['getTotalAllocated', 'getPoolCount', 'stats', 'cleanup', 'close', 'toJSON', DISPOSE],
  BufferPool: ['clear', 'getTotalBuffers', 'getPoolSizes', 'toJSON'],
  ObjectPool: ['acquire', 'lease', 'clear', 'getSize', 'getAllocated', 'getAvailable', 'toJSON'],
  ObjectLease: ['value', 'release', DISPOSE],
  PoolBlock: ['index', 'pointer', 'bytes', 'getSharedMemory', 'release', 'toJSON', DISPOSE],
  SharedMemoryPool: [
    'blockSize',
    'maxBlocks',
    'acquire',
    'tryAcquire',
    'stats',
    'heap',
    'pointer',
    'getSharedMemory',
    'free',
    'isFreed',
    'toJSON',
    DISPOSE,
  ],
}
for (const [name, members] of Object.entries(WITHOUT)) {
  for (const each of [...members, TAG]) pools[`${name}#${each}`] = 'no parameters'
  pools[`${name}#cloneHint`] = 'internal'
}
for (const name of ['ObjectLease', 'PoolBlock']) pools[`${name}#constructor`] = 'internal'
pools['SharedMemoryPool.isPool'] = 'internal'
for (const each of ['generation', 'member', 'release', 'error', 'Symbol(nodejs.util.inspect.custom)'])
  pools[`SharedMemoryPool#${each}`] = 'internal'

/** One of each class: what an object itself has is seen there. */
export function poolInstances(scene: Scene): Record<string, object> {
  const shared = pool(scene)
  return {
    SharedMemoryManager: manager(scene),
    SharedMemoryBuffer: buffer(scene),
    MemoryPool: memoryPool(scene),
    BufferPool: new scene.sabway.BufferPool(),
    ObjectPool: objects(scene),
    ObjectLease: objects(scene).lease(),
    SharedMemoryPool: shared,
    PoolBlock: shared.acquire(),
  }
}
