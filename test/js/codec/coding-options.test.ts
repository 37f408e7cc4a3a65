// The options by which queues, channels, broadcasts, maps and managers compress and encrypt what
// goes through them.
import assert from 'node:assert/strict'
import {
  type CodingOptions,
  ConcurrentHashMap,
  LockFreeQueue,
  MultiProducerQueue,
  PriorityQueue,
  Region,
  RingBufferChannel,
  SharedBroadcast,
  SharedChannel,
  SharedMap,
  SharedMemoryManager,
} from 'sabway'
import 'sabway/codecs'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

const key = new Uint8Array(32).fill(7)
const secret = 'a text that stands nowhere else, '.repeat(100)
const VALUES = [1, -0.5, true, null, 12n, secret, new Uint8Array([1, 2]), new Float32Array([1.5]), { secret }]

interface Pipe {
  put(value: unknown): unknown
  take(): unknown
  memory(): object
}

/** One of each class, as a pipe for values: made, or opened by what another gave. */
type Make = (home: Region, given: object, open?: object) => Pipe
const KINDS: Record<string, Make> = {
  LockFreeQueue: (home, given, open) => {
    const made = new LockFreeQueue(home, given, open)
    return {
      put: (value: unknown) => made.enqueue(value),
      take: () => made.dequeue(),
      memory: () => made.getSharedMemory(),
    }
  },
  RingBufferChannel: (home, given, open) => {
    const made = new RingBufferChannel(home, given, open)
    return {
      put: (value: unknown) => made.enqueue(value),
      take: () => made.dequeue(),
      memory: () => made.getSharedMemory(),
    }
  },
  MultiProducerQueue: (home, given, open) => {
    const made = new MultiProducerQueue(home, given, open)
    return {
      put: (value: unknown) => made.tryEnqueue(value),
      take: () => made.tryDequeue(),
      memory: () => made.getSharedMemory(),
    }
  },
  PriorityQueue: (home, given, open) => {
    const made = new PriorityQueue(home, given, open)
    return {
      put: (value: unknown) => made.tryEnqueue(value, 1),
      take: () => made.tryDequeue(),
      memory: () => made.getSharedMemory(),
    }
  },
  SharedChannel: (home, given, open) => {
    const made = new SharedChannel(home, given, open)
    return {
      put: (value: unknown) => made.trySend(value),
      take: () => made.tryReceive(),
      memory: () => made.getSharedMemory(),
    }
  },
  SharedBroadcast: (home, given, open) => {
    const { capacity: _, ...options } = given as { capacity?: number }
    const made = new SharedBroadcast(home, ('generation' in given ? given : options) as object, open)
    made.subscribe()
    return {
      put: (value: unknown) => made.tryBroadcast(value),
      take: () => made.tryReceive(),
      memory: () => made.getSharedMemory(),
    }
  },
  SharedMap: (home, given, open) => {
    const made = new SharedMap(home, { codec: 'structured', ...given } as object, open)
    return {
      put: (value: unknown) => made.set('key', value),
      take: () => made.get('key'),
      memory: () => made.getSharedMemory(),
    }
  },
  ConcurrentHashMap: (home, given, open) => {
    const { capacity: _, ...options } = { codec: 'structured', ...given } as object as { capacity?: number }
    const made = new ConcurrentHashMap(home, ('generation' in given ? given : options) as object, open)
    return {
      put: (value: unknown) => made.set('key', value),
      take: () => made.get('key'),
      memory: () => made.getSharedMemory(),
    }
  },
}

const holds = ({ bytes }: { bytes: Uint8Array }, text: string): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(text)

for (const [name, make] of Object.entries(KINDS)) {
  describe(`the coding options of a ${name}`, () => {
    let region: Region
    const bytes = () => new Uint8Array(region.buffer as unknown as ArrayBuffer)
    beforeEach(() => {
      region = closeLater(Region.create({ size: 2 ** 21 }))
    })

    it('encrypt all values, and nothing without the key reads or makes one', () => {
      const options = { enableEncryption: true, encryptionKey: key, encryptionContext: name }
      const pipe = make(region, { capacity: 4, ...options })
      const other = make(region, pipe.memory(), options)
      for (const value of VALUES) {
        pipe.put(value)
        assert.deepEqual(other.take(), value)
        assert.equal(holds({ bytes: bytes() }, secret), false)
      }
      const wrong = make(region, pipe.memory(), { ...options, encryptionKey: new Uint8Array(32) })
      pipe.put(5)
      throwsError(() => wrong.take(), 'ERR_SABWAY_FORGED', /key/)
      pipe.put(5)
      const without = make(region, pipe.memory())
      throwsError(() => without.take(), 'ERR_SABWAY_NOT_DECODABLE', /codec/)
      throwsError(
        () => make(region, pipe.memory(), { enableCompression: true }),
        'ERR_SABWAY_INVALID_ARGUMENT',
        /all participants must use the same/,
      )
    })

    it('compress what is long enough', () => {
      const options = { enableCompression: true, compressionThreshold: 100 }
      const pipe = make(region, { capacity: 4, ...options })
      const other = make(region, pipe.memory(), options)
      for (const value of VALUES) {
        pipe.put(value)
        assert.equal(holds({ bytes: bytes() }, secret), false)
        assert.deepEqual(other.take(), value)
      }
      pipe.put('short')
      assert.equal(other.take(), 'short')
    })

    it('are refused where they make no sense', () => {
      const refused = (options: CodingOptions<never>, code: string) =>
        assert.throws(() => make(region, { capacity: 4, ...options }), { code: `ERR_SABWAY_${code}` })
      refused({ enableEncryption: true }, 'INVALID_ARGUMENT')
      refused({ enableCompression: 1 as never }, 'INVALID_TYPE')
      refused({ encryptionKey: new Uint8Array(31) }, 'OUT_OF_RANGE')
      refused({ compressionThreshold: -1 }, 'OUT_OF_RANGE')
      make(region, { capacity: 4, enableCompression: false, enableEncryption: false })
    })
  })
}

describe('the coding options', () => {
  const options = { enableEncryption: true, encryptionKey: key }

  it('are given beside the memory of what has a region of its own', () => {
    const queue = new MultiProducerQueue<string>(10, options)
    const channel = new SharedChannel<string>({ maxMessages: 10, compressionThreshold: 100, ...options })
    const broadcast = new SharedBroadcast<string>(options)
    const map = new SharedMap<string, string>(10, options)
    const queue2 = new MultiProducerQueue<string>(queue.getSharedMemory(), options)
    const channel2 = new SharedChannel<string>(channel.getSharedMemory(), { compressionThreshold: 1, ...options })
    const broadcast2 = new SharedBroadcast<string>(broadcast.getSharedMemory(), options)
    const map2 = new SharedMap<string, string>(map.getSharedMemory(), options as never)
    broadcast2.subscribe()
    queue.tryEnqueue(secret)
    channel.trySend(secret)
    broadcast.tryBroadcast(secret)
    map.set('key', secret)
    assert.deepEqual(
      [queue2.tryDequeue(), channel2.tryReceive(), broadcast2.tryReceive(), map2.get('key')],
      new Array(4).fill(secret),
    )
    for (const each of [queue2, channel2, broadcast2, map2]) each.region!.close()
    for (const each of [queue, channel, broadcast, map]) each.free()
  })

  it('of a manager are for what is copied to a buffer', () => {
    const config = { cleanupInterval: Number.POSITIVE_INFINITY }
    using plain = new SharedMemoryManager(config)
    using manager = new SharedMemoryManager({ ...config, enableCompression: true, ...options })
    using other = new SharedMemoryManager({ ...config, enableCompression: true, ...options })
    const buffer = manager.createBuffer(4096)
    const data = new TextEncoder().encode(secret)
    const taken = manager.copyToBuffer(data, buffer, 8)
    assert.ok(taken < 500, `${taken} bytes`)
    assert.deepEqual(other.copyFromBuffer(buffer, 8, taken), data)
    assert.equal(holds({ bytes: new Uint8Array(buffer as unknown as ArrayBuffer) }, 'nowhere'), false)
    plain.copyToBuffer(plain.copyFromBuffer(buffer, 8, taken), buffer, 1000)
    throwsError(() => other.copyFromBuffer(buffer, 1000, taken), 'ERR_SABWAY_FORGED', /./)
    throwsError(() => other.copyFromBuffer(buffer, 8, taken - 1), 'ERR_SABWAY_FORGED', /./)
    throwsError(() => manager.copyToBuffer(data, buffer, 4090), 'ERR_SABWAY_OUT_OF_RANGE', /do not fit/)
    using packed = new SharedMemoryManager({ ...config, compressionThreshold: 10 })
    const length = packed.copyToBuffer(data, buffer, 0)
    assert.deepEqual(packed.copyFromBuffer(buffer, 0, length), data)
    plain.copyToBuffer(new Uint8Array([1]), buffer, 14)
    throwsError(() => packed.copyFromBuffer(buffer, 0, length), 'ERR_SABWAY_NOT_COMPRESSED', /./)
    throwsError(() => new SharedMemoryManager({ enableEncryption: true }), 'ERR_SABWAY_INVALID_ARGUMENT', /needs/)
  })
})
