// Typed arrays and DataViews as values without a codec, and values that cannot be: what comes back
// is of the same class, with memory of its own.
import assert from 'node:assert/strict'
import {
  LockFreeQueue,
  MultiProducerQueue,
  PriorityQueue,
  Region,
  RingBufferChannel,
  SharedBroadcast,
  SharedChannel,
  SharedMap,
} from 'sabway'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

/** No value of these tests gets to it. */
const UNUSED = {
  name: 'unused',
  encode(): never {
    throw new Error('the codec was asked')
  },
  decode(): never {
    throw new Error('the codec was asked')
  },
}
const OPTIONS = { capacity: 4, codec: UNUSED }

interface Pipe {
  put(value: unknown): unknown
  take(): unknown
  size?: () => number
}
const PIPES: Record<string, (home: Region, options: object) => Pipe> = {
  LockFreeQueue: (home, options) => {
    const made = new LockFreeQueue(home, options)
    return { put: (value) => made.enqueue(value), take: () => made.dequeue(), size: () => made.getSize() }
  },
  RingBufferChannel: (home, options) => {
    const made = new RingBufferChannel(home, options)
    return { put: (value) => made.enqueue(value), take: () => made.dequeue(), size: () => made.getSize() }
  },
  MultiProducerQueue: (home, options) => {
    const made = new MultiProducerQueue(home, options)
    return { put: (value) => made.tryEnqueue(value), take: () => made.tryDequeue(), size: () => made.getSize() }
  },
  PriorityQueue: (home, options) => {
    const made = new PriorityQueue(home, options)
    return { put: (value) => made.tryEnqueue(value, 3), take: () => made.tryDequeue(), size: () => made.getSize() }
  },
  SharedChannel: (home, options) => {
    const made = new SharedChannel(home, options)
    return { put: (value) => made.trySend(value), take: () => made.tryReceive(), size: () => made.getLength() }
  },
  SharedBroadcast: (home, options) => {
    const made = new SharedBroadcast(home, { ...options, capacity: 2 ** 17 })
    made.subscribe()
    return { put: (value) => made.tryBroadcast(value), take: () => made.tryReceive() }
  },
  SharedMap: (home, options) => {
    const made = new SharedMap<string, unknown>(home, options)
    return { put: (value) => made.set('key', value), take: () => made.get('key'), size: () => made.size }
  },
}

const NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array',
]
type AnyView = new (memory: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView
const classes = NAMES.flatMap((name) => (globalThis as never as Record<string, AnyView | undefined>)[name] ?? [])
const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

/** Views of that class: whole, from the middle, empty, of shared memory, long. */
function viewsOf(Class: AnyView): ArrayBufferView[] {
  const fill = (bytes: Uint8Array) => bytes.map((_, i) => i + 1)
  const memory = fill(new Uint8Array(64)).buffer as ArrayBuffer
  const shared = new SharedArrayBuffer(64)
  new Uint8Array(shared).set(new Uint8Array(memory))
  const long = fill(new Uint8Array(40_000)).buffer as ArrayBuffer
  class Derived extends Class {}
  return [
    new Class(memory),
    new Class(memory, 16, 3),
    new Class(memory, 64, 0),
    new Class(shared as never, 8, 2),
    new Class(long),
    new Derived(memory, 8),
  ]
}

for (const [name, make] of Object.entries(PIPES)) {
  describe(`arrays through a ${name}`, () => {
    let region: Region
    beforeEach(() => {
      region = closeLater(Region.create({ size: 2 ** 22 }))
    })

    for (const Class of classes) {
      it(`${Class.name}s come back as such, without a codec`, () => {
        const pipe = make(region, OPTIONS)
        for (const view of viewsOf(Class)) {
          pipe.put(view)
          const taken = pipe.take() as ArrayBufferView
          assert.equal(Object.getPrototypeOf(taken), Class.prototype)
          assert.deepEqual(bytesOf(taken), bytesOf(view))
          assert.ok(taken.buffer instanceof ArrayBuffer)
          assert.notEqual(taken.buffer, view.buffer)
        }
      })
    }

    it('whose memory is gone are refused', () => {
      const pipe = make(region, OPTIONS)
      for (const Class of classes) {
        const memory = new ArrayBuffer(16)
        const view = new Class(memory)
        structuredClone(memory, { transfer: [memory] })
        throwsError(() => pipe.put(view), 'ERR_SABWAY_INVALID_ARGUMENT', /transferred/)
      }
      assert.equal(pipe.take(), undefined)
    })

    it('values that have no bytes are refused, with the reason, and nothing is put', () => {
      const pipe = make(region, { capacity: 4, codec: 'structured' })
      const circular: Record<string, unknown> = { name: 'circle' }
      circular.self = circular
      for (const value of [() => 1, Symbol('s'), new WeakMap(), { f: () => 1 }, [Promise.resolve()]])
        throwsError(() => pipe.put(value), 'ERR_SABWAY_NOT_ENCODABLE', /could not be cloned|cannot be|clone/)
      throwsError(() => pipe.put(undefined), 'ERR_SABWAY_INVALID_TYPE', /undefined/)
      assert.equal(pipe.take(), undefined)
      // 'structured' keeps a circle; a codec that cannot says why
      pipe.put(circular)
      const copy = pipe.take() as typeof circular
      assert.equal(copy.self, copy)
      const json = {
        name: 'json',
        encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
        decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)),
      }
      const other = make(region, { capacity: 4, codec: json })
      throwsError(() => other.put(circular), 'ERR_SABWAY_NOT_ENCODABLE', /circular|cyclic/i)
      assert.equal(other.size?.() ?? 0, 0)
      other.put({ a: 1 })
      assert.deepEqual(other.take(), { a: 1 })
    })
  })
}

describe('arrays in a map', () => {
  it('are compared by their class and contents', () => {
    const map = new SharedMap<string, unknown>(closeLater(Region.create({ size: 2 ** 22 })))
    map.set('key', new Float32Array([1, 2]))
    assert.equal(map.compareAndSet('key', new Int32Array(new Float32Array([1, 2]).buffer), 1), false)
    assert.equal(map.compareAndSet('key', new Float32Array([1, 3]), 1), false)
    assert.equal(map.compareAndSet('key', new Float32Array([1, 2]), new DataView(new ArrayBuffer(3))), true)
    assert.deepEqual([...map.values()], [new DataView(new ArrayBuffer(3))])
    throwsError(() => map.set('key', {}), 'ERR_SABWAY_INVALID_TYPE', /typed array or DataView.*codec/)
  })
})
