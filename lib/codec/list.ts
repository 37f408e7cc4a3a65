// A value as one flat list, and back. The list holds the value, then what is in its objects, object
// by object in the order in which they were first met: nothing recurses, so a value may be as deep
// as memory allows, and may contain itself.
//
// An item of the list is a primitive, which stands for itself, or an array, which begins with one
// of the numbers below:
//
//   [OBJECT, ...keys]      an object: its keys
//   [OBJECT, shape]        an object: the number of a list of keys that several objects have
//   [PAIRS, n]             an object with a key that no plain string can carry: n keys, each
//                          before its value
//   [ARRAY, n]             an array: n items
//   [SPARSE, length, n]    an array with holes or more properties: n keys, each before its value
//   [MAP, n]  [SET, n]     n keys, each before its value; n items
//   [DATE, time]  [REGEXP, flags]  [BOXED]  [ERROR, class, has]
//                          the items that follow at once are in `primitives` below
//   [VIEW, type, bytes]  [BUFFER, bytes, max?]  [TEXT, bytes]
//                          their bytes follow the list, in this order
//   [PORT, number]  [MINUS_ZERO]  [AGAIN, i]
//                          a MessagePort; -0; the object that was met as the i-th
import { typedArrayName } from '../base/brand.js'
import { type ArraysIn, type ArraysOut, refuse, viewNumber } from './arrays.js'
import type { PortsIn, PortsOut } from './format.js'
import { isDense, kindOf, partsOf } from './kinds.js'

const OBJECT = 0
const PAIRS = 1
const ARRAY = 2
const SPARSE = 3
const MAP = 4
const SET = 5
const DATE = 6
const REGEXP = 7
const BOXED = 8
const ERROR = 9
const VIEW = 10
const BUFFER = 11
const TEXT = 12
const PORT = 13
const MINUS_ZERO = 14
const AGAIN = 15

/** Only ever add at the end: the index is in the messages. */
const ERRORS: readonly (readonly [string, ErrorConstructor | undefined])[] = [
  ['Error', Error],
  ['EvalError', EvalError as ErrorConstructor],
  ['RangeError', RangeError as ErrorConstructor],
  ['ReferenceError', ReferenceError as ErrorConstructor],
  ['SyntaxError', SyntaxError as ErrorConstructor],
  ['TypeError', TypeError as ErrorConstructor],
  ['URIError', URIError as ErrorConstructor],
  ['AggregateError', AggregateError as unknown as ErrorConstructor],
]

/**
 * Bits that say which properties an error has. These three follow the error at once, as strings.
 */
const TEXTS_OF_ERRORS = [
  [1, 'name'],
  [2, 'message'],
  [4, 'stack'],
] as const
/** Bits of the properties of an error that are values like any others. */
const VALUES_OF_ERRORS = [
  [8, 'cause'],
  [16, 'errors'],
] as const

const { hasOwn } = Object
const isWellFormed = (String.prototype as { isWellFormed?(): boolean }).isWellFormed
const LONE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** UTF-8 has no lone surrogates, and decoders take a byte order mark away. */
function isPlainText(text: string): boolean {
  if (text.charCodeAt(0) === 0xfeff) return false
  return isWellFormed === undefined ? !LONE.test(text) : isWellFormed.call(text)
}

// ---- out ----

/** Errors: ERR_SABWAY_NOT_ENCODABLE, and what getters throw. */
export function listOf(value: unknown, arrays: ArraysOut, ports: PortsOut): unknown[] {
  return new Lister(arrays, ports).list(value)
}

/**
 * Contents that are still to be written: of an object by its keys, of an array by its indices, else
 * these items.
 */
interface Open {
  readonly object: Record<string, unknown>
  readonly keys: readonly string[] | null
  /** Each key before its value. */
  readonly named: boolean
  readonly length: number
}

/**
 * How many lists of keys with the same first key get a number; objects with other lists are written
 * with their keys.
 */
const SHAPES_OF_A_KEY = 8

class Lister {
  private readonly out: unknown[] = []
  private readonly met = new Map<object, number>()
  private readonly open: Open[] = []
  private readonly shapes: (readonly string[])[] = []
  private readonly shapesOf = new Map<string, number[]>()

  constructor(
    private readonly arrays: ArraysOut,
    private readonly ports: PortsOut,
  ) {}

  list(value: unknown): unknown[] {
    this.put(value)
    for (let i = 0; i < this.open.length; i++) {
      const { object, keys, named, length } = this.open[i]!
      if (keys === null) {
        for (let at = 0; at < length; at++) this.property(object, at)
      } else {
        for (const key of keys) {
          if (named) this.put(key)
          this.property(object, key)
        }
      }
    }
    return this.out
  }

  private property(object: Record<string, unknown>, key: string | number): void {
    const value = object[key]
    if (value === undefined && !hasOwn(object, key)) refuse('a property was deleted while the value was read')
    this.put(value)
  }

  private put(value: unknown): void {
    if (typeof value === 'string') {
      if (isPlainText(value)) this.out.push(value)
      else this.text(value)
    } else if (typeof value === 'number') this.out.push(value === 0 && 1 / value < 0 ? [MINUS_ZERO] : value)
    else if (typeof value === 'object' && value !== null) this.object(value)
    else if (typeof value === 'function' || typeof value === 'symbol') refuse(`a ${typeof value} could not be cloned`)
    else this.out.push(value)
  }

  private text(text: string): void {
    const units = new Uint16Array(text.length)
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
    this.out.push([TEXT, this.arrays.add(units.buffer)])
  }

  private object(object: object): void {
    const known = this.met.get(object)
    if (known !== undefined) {
      this.out.push([AGAIN, known])
      return
    }
    const kind = kindOf(object)
    if (kind === 'port') {
      this.out.push([PORT, this.ports.numberOf(object as MessagePort)])
      return
    }
    this.met.set(object, this.met.size)
    if (kind === 'object') this.plain(object)
    else if (kind === 'array') this.array(object as unknown[])
    else if (kind === 'map' || kind === 'set') this.collection(object, kind)
    else if (kind === 'view') this.view(object as ArrayBufferView)
    else if (kind === 'buffer') this.buffer(object as ArrayBuffer)
    else if (kind === 'error') this.error(object as Error)
    else if (kind === 'regexp') {
      this.out.push([REGEXP, FLAGS.map(([flag, is]) => (is.call(object) ? flag : '')).join('')])
      this.put(sourceOf.call(object))
    } else if (kind === 'boxed') {
      this.out.push([BOXED])
      this.put(unboxed(object))
    } else this.out.push([DATE, Date.prototype.getTime.call(object)])
  }

  private later(item: unknown[], object: object, keys: readonly string[] | null, named = false, length = 0): void {
    this.out.push(item)
    this.open.push({ object: object as Record<string, unknown>, keys, named, length })
  }

  private plain(object: object): void {
    const keys = Object.keys(object)
    if (keys.length === 0) {
      this.out.push([OBJECT])
      return
    }
    const alike = this.shapesOf.get(keys[0]!)
    for (const shape of alike ?? []) {
      if (!same(this.shapes[shape]!, keys)) continue
      this.later([OBJECT, shape], object, keys)
      return
    }
    if (!keys.every(isPlainText)) {
      this.later([PAIRS, keys.length], object, keys, true)
      return
    }
    if (alike === undefined) this.shapesOf.set(keys[0]!, [this.shapes.length])
    else if (alike.length < SHAPES_OF_A_KEY) alike.push(this.shapes.length)
    this.shapes.push(keys)
    this.later([OBJECT, ...keys], object, keys)
  }

  private array(array: unknown[]): void {
    const { length } = array
    if (isDense(array)) this.later([ARRAY, length], array, null, false, length)
    else {
      const keys = Object.keys(array)
      this.later([SPARSE, length, keys.length], array, keys, true)
    }
  }

  private collection(object: object, kind: 'map' | 'set'): void {
    const parts = partsOf(object, kind)
    const { length } = parts
    this.later(kind === 'map' ? [MAP, length / 2] : [SET, length], parts, null, false, length)
  }

  private view(view: ArrayBufferView): void {
    const type = viewNumber(typedArrayName(view) ?? 'DataView')
    const { buffer, byteOffset, byteLength } = view
    // Once encoded, a view that has lost its memory could not be told from an empty one.
    if (byteLength === 0 && isDetached(buffer)) refuse('an ArrayBuffer that was transferred away could not be cloned')
    this.out.push([VIEW, type, this.arrays.add(buffer, byteOffset, byteLength)])
  }

  private buffer(buffer: ArrayBuffer): void {
    if (isDetached(buffer)) refuse('an ArrayBuffer that was transferred away could not be cloned')
    const { resizable, maxByteLength } = buffer as { resizable?: boolean; maxByteLength?: number }
    const length = this.arrays.add(buffer)
    if (resizable) this.arrays.reserve(maxByteLength!)
    this.out.push(resizable ? [BUFFER, length, maxByteLength] : [BUFFER, length])
  }

  private error(error: Error): void {
    const { name, stack } = error as { name: unknown; stack: unknown }
    const type = errorNumber(error)
    const message = hasOwn(error, 'message') ? String(error.message) : undefined
    const texts: unknown[] = [
      typeof name === 'string' && name !== ERRORS[type]![0] ? name : undefined,
      message,
      typeof stack === 'string' ? stack : undefined,
    ]
    const values: unknown[] = []
    let has = 0
    texts.forEach((text, i) => {
      if (text !== undefined) has |= 1 << i
    })
    for (const [bit, key] of VALUES_OF_ERRORS) {
      if (!hasOwn(error, key)) continue
      has |= bit
      values.push((error as unknown as Record<string, unknown>)[key])
    }
    this.later([ERROR, type, has], values, null, false, values.length)
    for (const text of texts) if (text !== undefined) this.put(text)
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer as ArrayBuffer)
    return false
  } catch {
    return true
  }
}

const getterOf = (name: string): (() => unknown) => Object.getOwnPropertyDescriptor(RegExp.prototype, name)!.get!
const sourceOf = getterOf('source')
const FLAGS = (
  [
    ['d', 'hasIndices'],
    ['g', 'global'],
    ['i', 'ignoreCase'],
    ['m', 'multiline'],
    ['s', 'dotAll'],
    ['u', 'unicode'],
    ['v', 'unicodeSets'],
    ['y', 'sticky'],
  ] as const
)
  .filter(([, name]) => name in RegExp.prototype)
  .map(([flag, name]) => [flag, getterOf(name)] as const)

function unboxed(object: object): unknown {
  for (const { prototype } of [Number, String, Boolean, BigInt] as { prototype: object }[]) {
    try {
      return prototype.valueOf.call(object)
    } catch {
      // The object is a box of another type.
    }
  }
  return refuse('a boxed value could not be cloned')
}

/**
 * The built-in class of an error, of whichever realm: by its name, else by the names of its
 * prototypes.
 */
function errorNumber(error: Error): number {
  for (let each: object | null = error; each !== null; each = Object.getPrototypeOf(each) as object | null) {
    const { name } = each as { name?: unknown }
    const number = ERRORS.findIndex(([known]) => known === name)
    if (number >= 0) return number
  }
  return 0
}

// ---- in ----

/**
 * The value of a list that a peer wrote: anything may be in it. Errors: whatever; nothing but the
 * value is touched.
 */
export function valueIn(list: readonly unknown[], arrays: ArraysIn, ports: PortsIn): unknown {
  return new Unlister(list, arrays, ports).value()
}

class Unlister {
  private at = 0
  private readonly met: object[] = []
  private readonly open: (() => void)[] = []
  private readonly shapes: (readonly string[])[] = []

  constructor(
    private readonly list: readonly unknown[],
    private readonly arrays: ArraysIn,
    private readonly ports: PortsIn,
  ) {}

  value(): unknown {
    const value = this.next()
    for (let i = 0; i < this.open.length; i++) this.open[i]!()
    if (this.at !== this.list.length) throw new Error('its list is longer than its value')
    return value
  }

  private next(): unknown {
    if (this.at >= this.list.length) throw new Error('its list is shorter than its value')
    const item = this.list[this.at++]
    if (typeof item !== 'object' || item === null) return item
    if (!Array.isArray(item)) throw new Error('its list has an item of no kind')
    return this.made(item)
  }

  private text(): string {
    const text = this.next()
    if (typeof text !== 'string') throw new Error('its list has no text where there must be one')
    return text
  }

  private begun<T extends object>(object: T, fill?: () => void): T {
    this.met.push(object)
    if (fill !== undefined) this.open.push(fill)
    return object
  }

  /** A number of items that the list can still have. */
  private count(value: unknown): number {
    if (!isCount(value) || value > this.list.length) throw new Error('its list is shorter than it says')
    return value
  }

  private index(value: unknown): number {
    if (!isCount(value)) throw new Error('its list has no number where there must be one')
    return value
  }

  private made(item: readonly unknown[]): unknown {
    const [kind, first, second] = item
    switch (kind) {
      case OBJECT:
        return this.object(item)
      case PAIRS:
        return this.pairs({}, this.count(first))
      case ARRAY:
        return this.array(this.count(first))
      case SPARSE:
        return this.pairs(sparse(first), this.count(second))
      case MAP: {
        const n = this.count(first)
        const map = new Map<unknown, unknown>()
        return this.begun(map, () => {
          for (let i = 0; i < n; i++) map.set(this.next(), this.next())
        })
      }
      case SET: {
        const n = this.count(first)
        const set = new Set<unknown>()
        return this.begun(set, () => {
          for (let i = 0; i < n; i++) set.add(this.next())
        })
      }
      case DATE:
        return this.begun(new Date(first as number))
      case REGEXP: {
        return this.begun(new RegExp(this.text(), String(first)))
      }
      case BOXED: {
        return this.begun(Object(this.primitive()) as object)
      }
      case ERROR:
        return this.error(first, second as number)
      case VIEW:
        return this.begun(this.arrays.view(this.index(first), this.index(second)))
      case BUFFER:
        return this.begun(resized(this.arrays, this.index(first), second))
      case TEXT:
        return textOf(new Uint16Array(this.arrays.take(this.index(first))))
      case PORT:
        return this.ports.portOf(this.index(first))
      case MINUS_ZERO:
        return -0
      case AGAIN: {
        const object = isCount(first) ? this.met[first] : undefined
        if (object === undefined) throw new Error('it refers to an object that it does not have')
        return object
      }
      default:
        throw new Error('its list has an item of no kind that is known')
    }
  }

  /** What was boxed: no object. */
  private primitive(): unknown {
    const value = this.next()
    if (value === undefined || typeof value === 'object') throw new Error('it boxes no primitive')
    return value
  }

  private object(item: readonly unknown[]): object {
    if (item.length === 1) return this.begun({})
    let keys: readonly string[]
    if (typeof item[1] === 'number') {
      keys = this.shapes[item[1]]!
      if (keys === undefined) throw new Error('it refers to keys that it does not have')
    } else {
      keys = item.slice(1) as string[]
      if (!keys.every((key) => typeof key === 'string')) throw new Error('it has keys that are no text')
      this.shapes.push(keys)
    }
    const object: Record<string, unknown> = {}
    return this.begun(object, () => {
      for (const key of keys) define(object, key, this.next())
    })
  }

  private pairs<T extends object>(object: T, n: number): T {
    return this.begun(object, () => {
      for (let i = 0; i < n; i++) define(object as Record<string, unknown>, this.text(), this.next())
    })
  }

  private array(n: number): unknown[] {
    const array: unknown[] = []
    return this.begun(array, () => {
      for (let i = 0; i < n; i++) array.push(this.next())
    })
  }

  private error(type: unknown, has: number): Error {
    const entry = isCount(type) ? ERRORS[type] : undefined
    if (entry === undefined || !isCount(has)) throw new Error('it has an error of no kind that is known')
    const Class = entry[1] ?? Error
    const error = bare(Class)
    const place = this.met.push(error)
    for (const [bit, key] of TEXTS_OF_ERRORS) if (has & bit) hidden(error, key, this.text())
    if (this.met.length !== place) throw new Error('it has an error of no kind that is known')
    this.open.push(() => {
      for (const [bit, key] of VALUES_OF_ERRORS) if (has & bit) hidden(error, key, this.next())
    })
    return error
  }
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0

/** A key is a key, `__proto__` too. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

function hidden(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true })
}

/** An error that has nothing yet: the stack would be this one's. */
function bare(Class: ErrorConstructor): Error {
  const error = Class === (AggregateError as unknown) ? new AggregateError([]) : new Class()
  for (const key of Object.getOwnPropertyNames(error)) if (key !== 'stack') delete (error as never)[key]
  hidden(error, 'stack', undefined)
  return error
}

/** An array of a length of which nothing follows, so it must not cost memory. */
function sparse(length: unknown): unknown[] {
  if (!isCount(length) || length >= 2 ** 32) throw new Error('it has an array of no length')
  const array: unknown[] = []
  if (length > 16) array.length = 2 ** 32 - 1 // from here on V8 keeps it as a table
  array.length = length
  return array
}

function resized(arrays: ArraysIn, length: number, most: unknown): ArrayBuffer {
  const bytes = arrays.take(length)
  if (most === undefined) return bytes
  arrays.reserve(most)
  const buffer = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(length, {
    maxByteLength: most,
  })
  new Uint8Array(buffer).set(new Uint8Array(bytes))
  return buffer
}

function textOf(units: Uint16Array): string {
  const parts: string[] = []
  for (let at = 0; at < units.length; at += 4096) parts.push(String.fromCharCode(...units.subarray(at, at + 4096)))
  return parts.join('')
}
