// What a value really is, in whichever realm it was made: jest, vm contexts and iframes have
// classes of their own, so `instanceof` refuses their values; and an object can pretend to be of a
// class. Built-in getters do neither.

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
const firstIndexOf = Uint8Array.prototype.indexOf as (this: unknown, value: number) => number
const arrayBufferBytes = getterOf(ArrayBuffer.prototype, 'byteLength')
/**
 * Not a getter, but used as one: a view can be made of memory of either kind, and runs no code of
 * the value's.
 */
const viewOf: Getter = function () {
  return new DataView(this as ArrayBuffer)
}
const memoryBuffer = typeof WebAssembly === 'undefined' ? undefined : getterOf(WebAssembly.Memory.prototype, 'buffer')

/**
 * 'Uint8Array' and so on for a typed array of any realm, or of a subclass; undefined for anything
 * else.
 */
export const typedArrayName = (value: unknown): string | undefined => nameOf.call(value) as string | undefined

/**
 * Elements of a typed array, whatever its class says of its length; 0 when its memory was
 * transferred away.
 */
export function lengthOf(array: ArrayBufferView): number {
  // Reading an element runs no code of a class. It has V8 learn here which arrays come, and then it
  // compiles the getter in place of a call, which would cost 3 ns a message.
  void (array as Uint8Array)[0]
  return elementsOf.call(array) as number
}

export const isUint8Array = (value: unknown): value is Uint8Array => nameOf.call(value) === 'Uint8Array'

export const isArrayBuffer = (value: unknown): value is ArrayBuffer => passes(arrayBufferBytes, value)

/**
 * Scopes that are not cross-origin isolated have no SharedArrayBuffer by name: it is the memory
 * that is no ArrayBuffer's.
 */
export const isSharedArrayBuffer = (value: unknown): value is SharedArrayBuffer =>
  !isArrayBuffer(value) && passes(viewOf, value)

export const isMemory = (value: unknown): value is WebAssembly.Memory => passes(memoryBuffer, value)

/**
 * The first custom section of that name in a compiled WebAssembly module of any realm; undefined
 * for anything else.
 */
export function sectionOf(value: unknown, name: string): Uint8Array | undefined {
  try {
    return new Uint8Array(WebAssembly.Module.customSections(value as WebAssembly.Module, name)[0] ?? new ArrayBuffer(0))
  } catch {
    return undefined // no WebAssembly, or no module
  }
}

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

/** Where a typed array starts in its memory, whatever its class says. */
export const byteOffsetOf = (array: ArrayBufferView): number => offsetOf.call(array) as number

/**
 * Is the array's memory transferred away, or its buffer resized to less than where it lies? Its
 * length is 0 then.
 */
export function isGone(array: ArrayBufferView): boolean {
  try {
    firstIndexOf.call(array, 0) // looks whether the array can be read, before it looks for the 0
    return false
  } catch {
    return true
  }
}

/**
 * May another thread make the array longer at any time? Small arrays make their buffer only when
 * they are asked for it.
 */
export const mayGrow = (array: ArrayBufferView): boolean =>
  (bufferOf.call(array) as { growable?: boolean }).growable === true

/**
 * The first `length` bytes as a plain Uint8Array of this realm, whatever methods the value's own
 * class has.
 */
export function plain(bytes: Uint8Array, length = lengthOf(bytes)): Uint8Array {
  return new Uint8Array(bufferOf.call(bytes) as ArrayBuffer, byteOffsetOf(bytes), length)
}

/** A copy of the first `length` bytes. A Buffer's own `slice` would be a view. */
export function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length)
  copy.set(plain(bytes, length))
  return copy
}
