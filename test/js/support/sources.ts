// The memories and classes that people's messages have: whatever sends bytes is to send the same
// ones from all of them.
import { haveAddon } from './host.js'

/** Makes a message of these bytes. */
export type Source = (bytes: Uint8Array) => Uint8Array

/** Filled from the bytes, through a view of its own. */
function filled(view: Uint8Array, bytes: Uint8Array): Uint8Array {
  new Uint8Array(view.buffer, view.byteOffset, bytes.length).set(bytes)
  return view
}

class Plain extends Uint8Array {}

const wrong = (): never => {
  throw new Error('a method of the message was called')
}

/** Whose every method and property says something else than Uint8Array's. */
class Hostile extends Uint8Array {}

for (const name of ['slice', 'subarray', 'set', 'fill', 'copyWithin', Symbol.iterator])
  Object.defineProperty(Hostile.prototype, name, { value: wrong })
for (const [name, value] of Object.entries({ length: 3, byteLength: 5, byteOffset: 1, buffer: new ArrayBuffer(7) }))
  Object.defineProperty(Hostile.prototype, name, { value })
Object.defineProperty(Hostile, Symbol.species, { get: wrong })

function hostile(bytes: Uint8Array): Uint8Array {
  const memory = new ArrayBuffer(bytes.length + 8)
  new Uint8Array(memory, 8).set(bytes)
  return new Hostile(memory, 8, bytes.length)
}

function ownProperties(bytes: Uint8Array): Uint8Array {
  const message = Uint8Array.from(bytes)
  for (const name of ['length', 'byteLength', 'byteOffset']) Object.defineProperty(message, name, { value: 2 })
  for (const name of ['slice', 'set', 'subarray']) Object.defineProperty(message, name, { value: wrong })
  return message
}

type Resizable = new (length: number, options: { maxByteLength: number }) => ArrayBuffer
type Growable = new (length: number, options: { maxByteLength: number }) => SharedArrayBuffer
const ResizableBuffer = ArrayBuffer as unknown as Resizable
const GrowableBuffer = SharedArrayBuffer as unknown as Growable

const wasm = (shared: boolean) => new WebAssembly.Memory({ initial: 2, maximum: 2, shared }).buffer

/** Of Node alone. */
const nodeSources = (): Record<string, Source> => ({
  'a Buffer from the pool': (bytes) => Buffer.from(bytes),
  'a Buffer with memory of its own': (bytes) => filled(Buffer.allocUnsafeSlow(bytes.length), bytes),
  'a Buffer over shared memory': (bytes) =>
    filled(Buffer.from(new SharedArrayBuffer(bytes.length + 8), 4, bytes.length), bytes),
  'a Uint8Array of another realm': (bytes) => filled(foreign('new Uint8Array(length)', bytes.length), bytes),
  'shared memory of another realm': (bytes) =>
    filled(foreign('new Uint8Array(new SharedArrayBuffer(length))', bytes.length), bytes),
  'a subclass of another realm': (bytes) =>
    filled(foreign('new (class extends Uint8Array { slice() { return this } })(length)', bytes.length), bytes),
})

let realm: object | undefined

function foreign(code: string, length: number): Uint8Array {
  const vm = process.getBuiltinModule('node:vm')
  realm ??= vm.createContext()
  return vm.runInContext(`(length) => ${code}`, realm)(length) as Uint8Array
}

/** By what they are. */
export const sources: Record<string, Source> = {
  'a Uint8Array': (bytes) => Uint8Array.from(bytes),
  'a view with an offset': (bytes) => filled(new Uint8Array(new ArrayBuffer(bytes.length + 9), 5, bytes.length), bytes),
  'a subclass': (bytes) => filled(new Plain(bytes.length), bytes),
  'a hostile subclass': hostile,
  'a Uint8Array with properties of its own': ownProperties,
  'shared memory': (bytes) => filled(new Uint8Array(new SharedArrayBuffer(bytes.length)), bytes),
  'shared memory at an offset': (bytes) =>
    filled(new Uint8Array(new SharedArrayBuffer(bytes.length + 16), 3, bytes.length), bytes),
  'a resizable buffer': (bytes) =>
    filled(new Uint8Array(new ResizableBuffer(bytes.length + 4, { maxByteLength: 1 << 20 }), 4, bytes.length), bytes),
  'a view that tracks a resizable buffer': (bytes) =>
    filled(new Uint8Array(new ResizableBuffer(bytes.length, { maxByteLength: 1 << 20 })), bytes),
  'growable shared memory': (bytes) =>
    filled(new Uint8Array(new GrowableBuffer(bytes.length + 4, { maxByteLength: 1 << 20 }), 4, bytes.length), bytes),
  'a view that tracks growable shared memory': (bytes) =>
    filled(new Uint8Array(new GrowableBuffer(bytes.length, { maxByteLength: 1 << 20 })), bytes),
  'wasm memory': (bytes) => filled(new Uint8Array(wasm(false), 16, bytes.length), bytes),
  'shared wasm memory': (bytes) => filled(new Uint8Array(wasm(true), 11, bytes.length), bytes),
  ...(haveAddon ? nodeSources() : {}),
}

/** Lengths on both sides of each way to copy. */
export const LENGTHS = [0, 1, 7, 16, 17, 32, 33, 64, 65, 255, 256, 300, 4095, 4096, 5000]
