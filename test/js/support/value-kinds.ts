// Kinds of values, and what is known of each beside what structuredClone makes of it.
import { File } from 'node:buffer'
import { createHash, createSecretKey, webcrypto } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { open } from 'node:fs/promises'
import { BlockList, createServer, SocketAddress } from 'node:net'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel } from 'sabway'
import * as namespace from './bytes.js'
import { keep } from './channels.js'

const cryptoKey = await webcrypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
const file = await open(fileURLToPath(import.meta.url))
after(() => file.close())

export interface Row {
  /** Code, which is also run in another realm; or a function for what belongs to the host. */
  make: string | (() => unknown)
  /** Why both codecs refuse what structuredClone takes, on some Node or other. */
  refused?: string
  /** Why `msgpack` keeps more than structuredClone does: all of it. */
  more?: string
}

const ERRORS_WHOLE = 'structuredClone reduces errors; which parts it keeps differs by version of V8'
const SHARED = 'memory that is shared is no message'
const CHANGES = 'the value changed while it was read'
const HOST = 'only the host could clone it, and no message can'

const plain = (make: string): Row => ({ make })
const error = (make: string): Row => ({ make, more: ERRORS_WHOLE })
const shared = (make: string): Row => ({ make, refused: SHARED })
const host = (make: () => unknown): Row => ({ make, refused: HOST })

export const detach = (buffer: ArrayBuffer): void => void structuredClone(buffer, { transfer: [buffer] })

/** An empty module: its magic number and version. */
const WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

const closing = <T extends { close(): void }>(value: T): T => {
  value.close()
  return value
}

export const TABLE: Record<string, Row> = {
  undefined: plain('undefined'),
  null: plain('null'),
  booleans: plain('[true, false]'),
  'numbers of every size': plain(
    '[0, 1, -1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32, -(2**31), -(2**31) - 1, 2**53, 1.5, 5e-324, 1.7976931348623157e308]',
  ),
  '-0': plain('-0'),
  '-0 inside': plain('[-0, 0, { zero: -0 }, new Map([[1, -0]])]'),
  NaN: plain('NaN'),
  infinities: plain('[Infinity, -Infinity]'),
  'an empty string': plain('""'),
  'strings of every script': plain('["ascii", "gr\\u00fc\\u00dfe", "\\u65e5\\u672c", "\\u{1f422}", "\\0\\x7f\\x80"]'),
  'a lone surrogate': plain('"\\ud800"'),
  'lone surrogates within': plain('["a\\udc00b", "\\ud83d", "\\ude00\\ud83d"]'),
  'a byte order mark': plain('["\\ufeff", "\\ufeffx", "x\\ufeff"]'),
  'bigints of every size': plain(
    '[0n, -1n, 2n**63n - 1n, 2n**63n, -(2n**63n), -(2n**63n) - 1n, 2n**64n, 10n**500n, -(10n**500n)]',
  ),
  'a symbol': plain('Symbol("s")'),
  'a registered symbol': plain('Symbol.for("s")'),
  'a function': plain('(function () {})'),
  'a class': plain('(class {})'),
  'a method': plain('({ act() {} })'),
  'an empty object': plain('({})'),
  'an object': plain('({ a: 1, b: { c: [2] } })'),
  'keys in their order': plain('({ z: 1, a: 2, 10: 3, 2: 4, "-1": 5, "": 6, "01": 7 })'),
  'two objects of the same keys in another order': plain('[{ a: 1, b: 2 }, { b: 1, a: 2 }, { a: 3, b: 4 }]'),
  'objects that share a first key': plain('Array.from({ length: 30 }, (_, i) => ({ id: i, ["k" + (i % 15)]: i }))'),
  'an own key __proto__': plain('JSON.parse(\'{"__proto__": {"x": 1}, "b": 2}\')'),
  'own keys of Object.prototype': plain('({ constructor: 1, toString: 2, hasOwnProperty: 3, __defineGetter__: 4 })'),
  'a key with a lone surrogate': plain('({ "\\ud800": 1, a: 2 })'),
  'a key with a byte order mark': plain('({ "\\ufeffkey": 1, key: 2 })'),
  "keys that look like the codec's own": plain('({ 0: 0, 1: [1, 2], 15: [15, 0], length: 3 })'),
  "arrays that look like the codec's own": plain('[[0], [2, 1], [14], [15, 0], [12, 3], [255]]'),
  'an object without a prototype': plain('Object.assign(Object.create(null), { a: 1 })'),
  'an empty object without a prototype': plain('Object.create(null)'),
  'inherited properties': plain('Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true } })'),
  'properties that do not enumerate': plain('Object.defineProperty({ a: 1 }, "hidden", { value: 2 })'),
  'symbol keys': plain('({ a: 1, [Symbol("s")]: 2, [Symbol.iterator]: 3 })'),
  getters: plain('({ get a() { return 1 }, b: 2 })'),
  'a getter that throws': plain('({ get a() { throw new RangeError("no") } })'),
  'a getter that deletes what follows': {
    make: '({ get a() { delete this.b; return 1 }, b: 2 })',
    refused: CHANGES,
  },
  'a getter that adds': plain('({ get a() { this.c = 3; return 1 }, b: 2 })'),
  'a frozen object': plain('Object.freeze({ a: Object.freeze([1]) })'),
  'a sealed array': plain('Object.seal([1, 2])'),
  'an instance of a class': plain('new (class Point { x = 1; #secret = 2; get y() { return 3 } })()'),
  'an instance with a tag': plain('new (class { x = 1; get [Symbol.toStringTag]() { return "Map" } })()'),
  'an object that calls itself Map': plain('({ [Symbol.toStringTag]: "Map", a: 1 })'),
  'a Map that calls itself Object': plain(
    'Object.defineProperty(new Map([[1, 2]]), Symbol.toStringTag, { value: "Object" })',
  ),
  'a Map with another prototype': plain('Object.setPrototypeOf(new Map([[1, 2]]), null)'),
  'a Date with another prototype': plain('Object.setPrototypeOf(new Date(5), Object.prototype)'),
  'an object with the prototype of a Map': {
    make: 'Object.create(Map.prototype)',
    refused: 'it is no Map, and structuredClone makes an empty object of it',
  },
  'an object with the prototype of a Date': plain('Object.create(Date.prototype)'),
  'an object with the prototype of an Error': plain('Object.create(Error.prototype)'),
  'an object with a toJSON': plain('({ toJSON: 1, a: 2 })'),
  'an object with then': plain('({ then: 1 })'),
  arguments: { make: '(function () { return arguments })(1, 2)', refused: 'structuredClone makes an object of it' },
  'an array': plain('[1, "two", [3]]'),
  'an empty array': plain('[]'),
  'an array with holes': plain('[1, , 3, , ]'),
  'an array of holes': plain('new Array(5)'),
  'undefined beside a hole': plain('[undefined, , undefined]'),
  'a sparse array': plain('Object.assign([], { 4000000000: 1 })'),
  'an array of the greatest length': plain('(() => { const a = []; a.length = 2 ** 32 - 1; return a })()'),
  'an array with more properties': plain('Object.assign([1, 2], { name: "n", "-1": 0 })'),
  'a large array with one hole': plain('(() => { const a = Array(1000).fill(0); delete a[500]; return a })()'),
  'a large array with more properties': plain('Object.assign(Array(1000).fill(0), { x: 1 })'),
  'a large array with an own property and a hole': plain(
    '(() => { const a = Array(1000).fill(0); delete a[999]; a.length = 1000; a.x = 1; return a })()',
  ),
  'an array of a subclass': plain('new (class List extends Array { extra = 1 })(1, 2, 3)'),
  'an array with an accessor': plain('Object.defineProperty([1, 2], 0, { get: () => 7, enumerable: true })'),
  'an array that a getter shortens': {
    make: '(() => { const a = [0, 1, 2]; Object.defineProperty(a, 0, { get() { a.length = 1; return 7 }, enumerable: true, configurable: true }); return a })()',
    refused: CHANGES,
  },
  'the match of a pattern': plain('/(?<year>\\d+)/.exec("in 2024")'),
  "a template's strings": plain('((strings) => strings)`a`'),
  'a cycle': plain('(() => { const a = { list: [] }; a.self = a; a.list.push(a, a.list); return a })()'),
  'a cycle through a Map and a Set': plain(
    '(() => { const m = new Map(), s = new Set([m]); m.set(m, s).set(s, m); return m })()',
  ),
  'a cycle through an Error': error(
    '(() => { const holder = {}; holder.e = new Error("e", { cause: holder }); return holder })()',
  ),
  'shared references': plain(
    '(() => { const s = { n: 1 }, d = new Date(1), u = new Uint8Array(2), r = /x/, b = Object(1); return [s, s, d, d, u, u, r, r, b, b, { s, d, u, r, b }] })()',
  ),
  'a Map': plain('new Map([[1, "one"], ["k", new Map()], [null, undefined], [NaN, -0]])'),
  'a Map with objects as keys': plain('(() => { const k = {}; return new Map([[k, k], [[], new Set([k])]]) })()'),
  'a Map with more properties': plain('Object.assign(new Map([[1, 2]]), { extra: 1 })'),
  'a subclass of Map': plain(
    'new (class M extends Map { get(k) { return "lie" } forEach() {} get size() { return 9 } })([[1, 2]])',
  ),
  'a Set': plain('new Set([1, "1", NaN, undefined, null, {}])'),
  'a subclass of Set': plain('new (class S extends Set { *[Symbol.iterator]() { yield "lie" } })([1, 2])'),
  'a Date': plain('new Date(1234567890123)'),
  'dates at the ends of time': plain('[new Date(8.64e15), new Date(-8.64e15), new Date(-1), new Date(0)]'),
  'an invalid Date': plain('new Date(NaN)'),
  'a subclass of Date': plain('new (class D extends Date { getTime() { return 1 } valueOf() { return 2 } })(1000)'),
  'a RegExp': plain('/a.c(?<n>x)/gi'),
  'a RegExp with every flag': plain('new RegExp("x", "dgimsuy")'),
  'a RegExp with lastIndex': plain('(() => { const r = /x/g; r.lastIndex = 5; return r })()'),
  'an empty RegExp and a slash': plain('[new RegExp(""), /[/]\\//, new RegExp("\\n")]'),
  'a RegExp that lies about its flags': plain('Object.defineProperty(/x/, "flags", { value: "g" })'),
  'a RegExp with a lone surrogate': plain('new RegExp("\\ud800")'),
  'boxed primitives': plain(
    '[Object(1), Object(-0), Object(NaN), Object("text"), Object("\\ud800"), Object(true), Object(false), Object(5n)]',
  ),
  'a boxed symbol': plain('Object(Symbol("s"))'),
  'a boxed string with more properties': plain('Object.assign(Object("ab"), { x: 1 })'),
  'a subclass of Number': plain('new (class N extends Number { valueOf() { return 9 } })(3)'),
  'an Error': error('new Error("plain")'),
  'errors of every class': error(
    '[new EvalError("a"), new RangeError("b"), new ReferenceError("c"), new SyntaxError("d"), new TypeError("e"), new URIError("f")]',
  ),
  'an Error without a message': error('new Error()'),
  'an Error with a cause': error('new Error("outer", { cause: new TypeError("inner", { cause: [1] }) })'),
  'an Error with a cause of undefined': error('new Error("outer", { cause: undefined })'),
  'an Error with a name of its own': error('Object.assign(new Error("m"), { name: "MyError" })'),
  'an Error with another stack': error('Object.assign(new Error("m"), { stack: "at home" })'),
  'an Error with a lone surrogate': error('new Error("\\ud800")'),
  'an AggregateError': error('new AggregateError([new Error("one"), 2, { three: 3 }], "several")'),
  'an ArrayBuffer': plain('Uint8Array.of(1, 2, 3).buffer'),
  'an empty ArrayBuffer': plain('new ArrayBuffer(0)'),
  'a resizable ArrayBuffer': plain('new ArrayBuffer(8, { maxByteLength: 100 })'),
  'a DataView': plain('new DataView(Uint8Array.of(1, 2, 3, 4).buffer)'),
  'an empty view': plain('[new Uint8Array(0), new Float64Array(0), new DataView(new ArrayBuffer(0))]'),
  'a detached ArrayBuffer': {
    make: () => {
      const buffer = new ArrayBuffer(8)
      detach(buffer)
      return buffer
    },
  },
  'a view of a detached ArrayBuffer': {
    make: () => {
      const view = new Uint8Array(8)
      detach(view.buffer)
      return { view }
    },
  },
  'a DataView of a detached ArrayBuffer': {
    make: () => {
      const view = new DataView(new ArrayBuffer(8))
      detach(view.buffer as ArrayBuffer)
      return view
    },
  },
  'a SharedArrayBuffer': shared('new SharedArrayBuffer(8)'),
  'a WeakMap': plain('new WeakMap()'),
  'a WeakSet': plain('new WeakSet()'),
  'a WeakRef': plain('new WeakRef({})'),
  'a FinalizationRegistry': plain('new FinalizationRegistry(() => {})'),
  'a Promise': plain('Promise.resolve(1)'),
  'a Proxy': plain('new Proxy({ a: 1 }, {})'),
  'a Proxy of an array': plain('[new Proxy([1], {})]'),
  'a revoked Proxy': plain(
    '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy } })()',
  ),
  'a Proxy as a cause': plain('new Error("e", { cause: new Proxy({}, {}) })'),
  'a generator': plain('(function* () {})()'),
  'an async generator': plain('(async function* () {})()'),
  'an iterator of an array': { make: '[1][Symbol.iterator]()', refused: 'structuredClone makes an empty object of it' },
  'an iterator of a Map': plain('new Map([[1, 2]]).entries()'),
  'an iterator of a string': { make: '"x"[Symbol.iterator]()', refused: 'structuredClone makes an empty object of it' },
  Math: plain('Math'),
  JSON: plain('JSON'),
  Atomics: plain('Atomics'),
  'an Intl.NumberFormat': {
    make: 'new Intl.NumberFormat("en")',
    refused: 'structuredClone makes an empty object of it',
  },
  'a WebAssembly.Module': host(() => new WebAssembly.Module(WASM)),
  'a WebAssembly.Instance': host(() => new WebAssembly.Instance(new WebAssembly.Module(WASM))),
  'a WebAssembly.Memory': host(() => new WebAssembly.Memory({ initial: 1 })),
  'a shared WebAssembly.Memory': host(() => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })),
  'a WebAssembly.Table': host(() => new WebAssembly.Table({ initial: 1, element: 'anyfunc' })),
  'a WebAssembly.Global': host(() => new WebAssembly.Global({ value: 'i32' }, 1)),
  'a Buffer': { make: () => Buffer.from('pooled') },
  'a Buffer of another size': { make: () => [Buffer.alloc(10, 1), Buffer.alloc(10_000, 2), Buffer.alloc(0)] },
  'a Blob': host(() => new Blob(['x'])),
  'a File': host(() => new File(['x'], 'name')),
  'a KeyObject': host(() => createSecretKey(Buffer.alloc(16))),
  'a URL': host(() => new URL('https://example.test/')),
  URLSearchParams: host(() => new URLSearchParams('a=1')),
  Headers: host(() => new Headers({ a: 'b' })),
  FormData: host(() => new FormData()),
  Request: host(() => new Request('https://example.test/')),
  Response: host(() => new Response('x')),
  'a DOMException': host(() => new DOMException('m', 'AbortError')),
  'an AbortController': host(() => new AbortController()),
  'an AbortSignal': host(() => new AbortController().signal),
  'an Event': host(() => new Event('x')),
  'an EventTarget': host(() => new EventTarget()),
  'a MessagePort': host(() => closing(new MessageChannel().port1)),
  'a MessageChannel': host(() => {
    const channel = new MessageChannel()
    closing(channel.port1)
    return channel
  }),
  'a BroadcastChannel': host(() => closing(new BroadcastChannel('codec-values'))),
  'a ReadableStream': host(() => new ReadableStream()),
  'a WritableStream': host(() => new WritableStream()),
  'a TransformStream': host(() => new TransformStream()),
  'a TextEncoder': host(() => new TextEncoder()),
  'a TextDecoder': host(() => new TextDecoder()),
  'a BlockList': host(() => new BlockList()),
  'a SocketAddress': host(() => new SocketAddress({})),
  performance: host(() => performance),
  globalThis: host(() => globalThis),
  process: host(() => process),
  'a module namespace': host(() => namespace),
  'a CryptoKey': host(() => cryptoKey),
  'a FileHandle': host(() => file),
  'a Server': { make: () => createServer() },
  'a Readable': host(() => Readable.from([])),
  'a Hash': { make: () => createHash('sha1') },
  'an EventEmitter with a listener': { make: () => new EventEmitter().on('x', () => {}) },
  'a channel': host(() => keep(new SharedMemoryChannel(4096, 4096))),
}
