// What a value really is, in whichever realm it was made: jest, vm contexts and iframes have classes of their own, so
// `instanceof` refuses their values; and an object can pretend to be of a class. Built-in getters do neither.

type Getter = (this: unknown) => unknown

function getterOf(prototype: object, name: PropertyKey): Getter {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get as Getter
}

/** Does the built-in getter take the value for one of its own? */
function passes(getter: Getter | undefined, value: unknown): boolean {
  try {
    if (getter === undefined) return false
    getter.call(value)
    return true
  } catch {
    return false
  }
}

const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as object
const nameOf = getterOf(typedArrays, Symbol.toStringTag)
const elementsOf = getterOf(typedArrays, 'length')
const offsetOf = getterOf(typedArrays, 'byteOffset')
const bufferOf = getterOf(typedArrays, 'buffer')
const arrayBufferBytes = getterOf(ArrayBuffer.prototype, 'byteLength')
// A page that is not cross-origin isolated has no SharedArrayBuffer by name.
const sharedBytes =
  typeof SharedArrayBuffer === 'undefined' ? undefined : getterOf(SharedArrayBuffer.prototype, 'byteLength')
const memoryBuffer = typeof WebAssembly === 'undefined' ? undefined : getterOf(WebAssembly.Memory.prototype, 'buffer')

/** 'Uint8Array' and so on for a typed array of any realm, or of a subclass; undefined for anything else. */
export const typedArrayName = (value: unknown): string | undefined => nameOf.call(value) as string | undefined

/** Elements of a typed array, whatever its class says of its length; 0 when its memory was transferred away. */
export const lengthOf = (array: ArrayBufferView): number => elementsOf.call(array) as number

export const isUint8Array = (value: unknown): value is Uint8Array => nameOf.call(value) === 'Uint8Array'

export const isArrayBuffer = (value: unknown): value is ArrayBuffer => passes(arrayBufferBytes, value)

export const isSharedArrayBuffer = (value: unknown): value is SharedArrayBuffer =>
  sharedBytes === undefined
    ? Object.prototype.toString.call(value) === '[object SharedArrayBuffer]'
    : passes(sharedBytes, value)

export const isMemory = (value: unknown): value is WebAssembly.Memory => passes(memoryBuffer, value)

/** What every AbortSignal has: jsdom and polyfills bring their own. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false
  try {
    const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
    return (
      typeof aborted === 'boolean' &&
      typeof addEventListener === 'function' &&
      typeof removeEventListener === 'function'
    )
  } catch {
    return false // a getter or a proxy threw
  }
}

/** Is it an error of any realm? */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
  } catch {
    return false // a proxy threw
  }
}

/** Has V8 thrown it because WebAssembly code of any realm trapped? */
export const isTrap = (value: unknown): boolean => isError(value) && value.name === 'RuntimeError'

/** The same bytes as a plain Uint8Array of this realm, whatever methods the value's own class has. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(
    bufferOf.call(bytes) as ArrayBuffer,
    offsetOf.call(bytes) as number,
    elementsOf.call(bytes) as number,
  )
}
