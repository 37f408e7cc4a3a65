// Values that programs pass by mistake, and some that nothing but a test would make. Each is made
// anew for every call, since a call may change or keep it.
import { createContext, runInContext } from 'node:vm'
import { Region, SharedMemoryChannel } from 'sabway'

const boom = (): never => {
  throw new RangeError('x'.repeat(1e5))
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function detached(array: Uint8Array<ArrayBuffer>): Uint8Array {
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

function closedChannel(): SharedMemoryChannel {
  const channel = new SharedMemoryChannel(4096, 4096)
  channel.cleanup()
  return channel
}

function closedRegion(): Region {
  const region = Region.create({ size: 2 ** 22 })
  region.close()
  return region
}

const realm = createContext({})
const channel = new SharedMemoryChannel(4096, 4096)
const region = Region.create({ size: 2 ** 22 })

const hostileOptions = {
  ownKeys: boom,
  get: boom,
  has: boom,
  getPrototypeOf: boom,
  getOwnPropertyDescriptor: boom,
}

export const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  NaN: () => Number.NaN,
  '-0': () => -0,
  '-1': () => -1,
  '0.5': () => 0.5,
  '2^31': () => 2 ** 31,
  '2^32': () => 2 ** 32,
  '2^53': () => 2 ** 53,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  '1e308': () => 1e308,
  'an empty string': () => '',
  'a digit as a string': () => '5',
  'a string with NUL': () => 'echo\0echo',
  'a lone surrogate': () => '\ud800',
  'a long string': () => 'x'.repeat(1e6),
  __proto__: () => '__proto__',
  'a symbol': () => Symbol('s'),
  'a symbol with a long description': () => Symbol('x'.repeat(1e6)),
  '0n': () => 0n,
  'a bigint of many digits': () => 10n ** 5000n,
  'a function': () => () => {},
  'a function with a long name': () => Object.defineProperty(() => {}, 'name', { value: 'x'.repeat(1e6) }),
  'a class': () => class {},
  'a generator function': () => function* () {},
  '{}': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an unknown name': () => ({ wiat: 1 }),
  'an unknown name that is long': () => ({ ['x'.repeat(1e6)]: 1 }),
  'a name with a throwing getter': () => ({
    get timeout() {
      return boom()
    },
    get side() {
      return boom()
    },
    get memory() {
      return boom()
    },
    get size() {
      return boom()
    },
    get builtin() {
      return boom()
    },
    get name() {
      return boom()
    },
    get transfer() {
      return boom()
    },
  }),
  'options of wrong types': () => ({ timeout: 'x'.repeat(1e6), size: Symbol('x'), side: {}, name: 5n, transfer: 5 }),
  'an object that no text can be made of': () => ({ toString: boom, valueOf: boom, [Symbol.toPrimitive]: boom }),
  'an object with a long tag': () => ({ [Symbol.toStringTag]: 'x'.repeat(1e6) }),
  'an object with a throwing tag': () => Object.defineProperty({}, Symbol.toStringTag, { get: boom }),
  'an object that is its own property': () => {
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    return loop
  },
  'a proxy': () => new Proxy({}, {}),
  'a proxy that throws': () => new Proxy({}, hostileOptions),
  'a proxy of a Uint8Array': () => new Proxy(new Uint8Array(4), {}),
  'a revoked proxy': () => revoked({}),
  'a revoked proxy of an array': () => revoked([]),
  'a revoked proxy of a function': () => revoked(() => {}),
  'an array': () => [],
  'an array of odd things': () => [null, undefined, Symbol('x'), revoked([])],
  'an array with holes': () => new Array(3),
  'a Date': () => new Date(),
  'an invalid Date': () => new Date(Number.NaN),
  'a RegExp': () => /x/,
  'a Map': () => new Map([['timeout', 5]]),
  'a Set': () => new Set([1]),
  'a WeakMap': () => new WeakMap(),
  'a Promise': () => Promise.resolve(5),
  'an Error': () => new Error('x'.repeat(1e5)),
  'a URL': () => new URL('file:///x'),
  'boxed values': () => Object('x'.repeat(1000)),
  'a Uint8Array': () => new Uint8Array(4),
  'a Uint8Array of another realm': () => runInContext('new Uint8Array(4)', realm),
  'a Buffer': () => Buffer.from('echo'),
  'a large Uint8Array': () => new Uint8Array(1e6),
  'a Uint8ClampedArray': () => new Uint8ClampedArray(4),
  'an Int8Array': () => new Int8Array(4),
  'a Uint16Array': () => new Uint16Array(4),
  'a Float64Array': () => new Float64Array(4),
  'a BigInt64Array': () => new BigInt64Array(4),
  'a detached Uint8Array': () => detached(new Uint8Array(4)),
  'a DataView': () => new DataView(new ArrayBuffer(8)),
  'an ArrayBuffer': () => new ArrayBuffer(8),
  'a SharedArrayBuffer': () => new SharedArrayBuffer(8),
  'a view of a SharedArrayBuffer': () => new Uint8Array(new SharedArrayBuffer(8)),
  'a memory that is not shared': () => new WebAssembly.Memory({ initial: 1 }),
  'a handle whose memory is not shared': () => ({
    sabway: 'channel',
    memory: new WebAssembly.Memory({ initial: 1 }),
  }),
  'a handle of no region': () => ({
    sabway: 'channel',
    memory: new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true }),
  }),
  'a handle with an odd codec': () => ({ ...channel.handle, codec: 'x'.repeat(1e6) }),
  'a handle with an odd token': () => ({ ...channel.handle, token: 'x'.repeat(1e6), copied: true }),
  'another channel': () => channel,
  "another channel's handle": () => channel.handle,
  'a closed channel': closedChannel,
  'a Region': () => region,
  'a closed Region': closedRegion,
  'a port': () => channel.port(),
  'an AbortSignal': () => new AbortController().signal,
  'an aborted AbortSignal': () => AbortSignal.abort('x'.repeat(1e5)),
  'an object like an AbortSignal': () => ({ aborted: false, addEventListener() {}, removeEventListener() {} }),
  'an EventTarget': () => new EventTarget(),
  'an Event': () => new Event('message'),
  'a frozen object': () => Object.freeze({ frozen: true }),
  'an options object of another realm': () => runInContext('({ timeout: 5 })', realm),
  globalThis: () => globalThis,
}
