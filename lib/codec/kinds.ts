// What an object is to a structured clone. Its class may be of another realm, or pretend: what
// counts are the internal slots, which built-in getters and methods tell. What a structured clone
// refuses is refused here, and so is what only the host could clone.
import { isArrayBuffer, isSharedArrayBuffer } from '../base/brand.js'
import { isMessagePort } from '../base/host.js'
import { refuse, SHARED_MEMORY } from './arrays.js'

export type Kind =
  | 'object'
  | 'array'
  | 'map'
  | 'set'
  | 'date'
  | 'regexp'
  | 'error'
  | 'boxed'
  | 'view'
  | 'buffer'
  | 'port'

interface HostUtil {
  types: HostTypes
  inspect(value: unknown, options: object): string
}

interface HostTypes {
  isProxy(value: unknown): boolean
  isKeyObject?(value: unknown): boolean
  isNativeError(value: unknown): boolean
}

/** Only Node can tell a proxy from what it stands for. */
const util = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process?.getBuiltinModule?.(
  'node:util',
) as HostUtil | undefined
const types = util?.types

const tagOf = Object.prototype.toString
const { getPrototypeOf, getOwnPropertyDescriptor, hasOwn } = Object
const mapSize = getOwnPropertyDescriptor(Map.prototype, 'size')!.get!
const setSize = getOwnPropertyDescriptor(Set.prototype, 'size')!.get!
const sourceOf = getOwnPropertyDescriptor(RegExp.prototype, 'source')!.get!

/** Built-in code that throws unless the object has the slots of its kind. */
const PROOFS: readonly [tag: string, kind: Kind | 'shared', prove: (value: object) => unknown][] = [
  ['Map', 'map', (value) => mapSize.call(value)],
  ['Set', 'set', (value) => setSize.call(value)],
  ['Date', 'date', (value) => Date.prototype.getTime.call(value)],
  ['RegExp', 'regexp', (value) => sourceOf.call(value)],
  ['Number', 'boxed', (value) => Number.prototype.valueOf.call(value)],
  ['String', 'boxed', (value) => String.prototype.valueOf.call(value)],
  ['Boolean', 'boxed', (value) => Boolean.prototype.valueOf.call(value)],
  ['BigInt', 'boxed', (value) => BigInt.prototype.valueOf.call(value)],
]

function proves(prove: (value: object) => unknown, value: object): boolean {
  try {
    prove(value)
    return true
  } catch {
    return false
  }
}

/** Prototypes of classes whose objects are ordinary ones. */
const ordinary = new WeakSet<object>([Object.prototype])

const cannot = (name: string): never =>
  refuse(
    `a value of class ${name.slice(0, 60)} could not be cloned; send what it is made of, as plain objects and arrays`,
  )

/** Errors: ERR_SABWAY_NOT_ENCODABLE for what does not travel. */
export function kindOf(value: object): Kind {
  if (types?.isProxy(value)) refuse('a Proxy could not be cloned; send what it stands for')
  if (Array.isArray(value)) return 'array'
  if (ArrayBuffer.isView(value)) return 'view'
  const tag = tagOf.call(value)
  if (tag === '[object Object]') {
    const prototype = getPrototypeOf(value)
    if (prototype === null) return Object.keys(value).length === 0 ? (slotted(value) ?? 'object') : 'object'
    if (ordinary.has(prototype)) return 'object'
    return ofClass(value, prototype)
  }
  if (isMessagePort(value)) return 'port'
  const name = tag.slice(8, -1)
  for (const [each, kind, prove] of PROOFS) {
    if (each === name && proves(prove, value)) return kind as Kind
  }
  if (name === 'Error' && !(Symbol.toStringTag in value)) return 'error'
  return tagged(value, name)
}

/** An object of a class that gives itself no tag. */
function ofClass(value: object, prototype: object): Kind {
  const slots = slotted(value)
  if (slots !== undefined) return slots
  if (types?.isKeyObject?.(value) || isHostClass(prototype)) cannot(className(prototype))
  ordinary.add(prototype)
  return 'object'
}

/**
 * Whose tag says no kind that is kept: an ordinary object with a tag of the user's own, or one of
 * the host's.
 */
function tagged(value: object, name: string): Kind {
  const slots = slotted(value)
  if (slots !== undefined) return slots
  let holder: object | null = value
  while (holder !== null && !hasOwn(holder, Symbol.toStringTag)) holder = getPrototypeOf(holder) as object | null
  if (holder === null) return cannot(name) // arguments
  if (holder === value) {
    if (name === 'Module' && getPrototypeOf(value) === null) cannot('Module')
    return 'object'
  }
  // Built-in classes, those of the host, and those after WebIDL fix their tag; classes of users do
  // not.
  const { writable = true, enumerable } = getOwnPropertyDescriptor(holder, Symbol.toStringTag)!
  if ((!writable && !enumerable) || isHostClass(getPrototypeOf(value) as object)) cannot(name)
  return 'object'
}

/** By internal slots alone, whatever the object says of itself. */
function slotted(value: object): Kind | undefined {
  for (const [, kind, prove] of PROOFS) if (proves(prove, value)) return kind as Kind
  if (isArrayBuffer(value)) return 'buffer'
  if (isSharedArrayBuffer(value)) refuse(SHARED_MEMORY)
  if (types === undefined ? value instanceof Error : types.isNativeError(value)) {
    return tagOf.call(value) === '[object DOMException]' ? undefined : 'error'
  }
  return undefined
}

/** Has the class Node's own way of being cloned, or transferred? */
function isHostClass(prototype: object): boolean {
  for (let each: object | null = prototype; each !== null; each = getPrototypeOf(each) as object | null) {
    for (const symbol of Object.getOwnPropertySymbols(each)) {
      if (symbol.description?.startsWith('messaging_')) return true
    }
  }
  return false
}

function className(prototype: object): string {
  const maker = (prototype as { constructor?: unknown }).constructor
  return typeof maker === 'function' ? String(maker.name) : 'unknown'
}

/**
 * From this many elements on, Node's own way of telling is faster: listing the keys of a million
 * elements makes a million strings.
 */
const MANY = 64

/** Are the array's enumerable properties its elements, all of them? */
export function isDense(array: readonly unknown[]): boolean {
  const { length } = array
  if (length > MANY && util !== undefined) {
    for (let i = 0; i < length; i++) if (array[i] === undefined && !hasOwn(array, i)) return false
    const seen = util.inspect(array, { maxArrayLength: 0, depth: 0, customInspect: false })
    if (seen === `[ ... ${length} more items ]`) return true
  }
  const keys = Object.keys(array)
  return keys.length === length && (length === 0 || keys[length - 1] === String(length - 1))
}

/** Deeper values could be written here and yet not be read where the stack is smaller. */
const DEEP = 500

const getterOf = (Object.prototype as unknown as { __lookupGetter__(key: PropertyKey): unknown }).__lookupGetter__

/**
 * Will V8's serializer write the value as it is? It recurses, it calls getters a second time, and
 * which parts of an error it keeps differs by version. Errors: ERR_SABWAY_NOT_ENCODABLE for what
 * does not travel, of which V8 would make empty objects.
 */
export function suitsV8(value: unknown): boolean {
  const seen = new Set<object>()
  // In the order in which V8 meets the objects, so that the depth is the one to which it recurses.
  const todo: object[] = []
  const depths: number[] = []
  let depth = 0
  const later = (part: unknown) => {
    if (typeof part !== 'object' || part === null || seen.has(part)) return
    todo.push(part)
    depths.push(depth + 1)
  }
  later(value)
  for (let object = todo.pop(); object !== undefined; object = todo.pop()) {
    depth = depths.pop()!
    if (seen.has(object)) continue
    seen.add(object)
    const kind = kindOf(object)
    if (kind === 'error' || depth > DEEP) return false
    if (kind === 'array' && isDense(object as unknown[])) {
      const { length } = object as unknown[]
      for (let i = length - 1; i >= 0; i--) {
        if (length <= MANY && getterOf.call(object, i) !== undefined) return false
        later((object as unknown[])[i])
      }
    } else if (kind === 'object' || kind === 'array') {
      const keys = Object.keys(object)
      for (let i = keys.length - 1; i >= 0; i--) {
        if (getterOf.call(object, keys[i]!) !== undefined) return false
        later((object as Record<string, unknown>)[keys[i]!])
      }
    } else if (kind === 'map' || kind === 'set') partsOf(object, kind).reverse().forEach(later)
  }
  return true
}

/** What is in a Map, each key before its value, or in a Set. */
export function partsOf(object: object, kind: 'map' | 'set'): unknown[] {
  const parts: unknown[] = []
  if (kind === 'set') Set.prototype.forEach.call(object, (part) => parts.push(part))
  else Map.prototype.forEach.call(object, (part, key) => parts.push(key, part))
  return parts
}
