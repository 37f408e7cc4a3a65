// Values of fields: which are allowed, and how they are read, written and changed atomically.
import * as check from '../base/check.js'
import type { HeapRegion } from '../heap/heap-region.js'
import { ARRAYS, type Column, type NumberType, type ScalarType, VIEW_OF } from './definition.js'

/** The whole region, through a typed array of each kind. */
export type Views = { readonly [Type in NumberType]: Column<Type> }

const views = new WeakMap<HeapRegion, Views>()

export function viewsOf(region: HeapRegion): Views {
  let made = views.get(region)
  if (made === undefined) {
    const { buffer } = region.bytes
    const all = Object.entries(ARRAYS).map(([type, Type]) => [
      type,
      new Type(buffer, 0, Math.floor(buffer.byteLength / Type.BYTES_PER_ELEMENT)),
    ])
    made = Object.fromEntries(all) as Views
    views.set(region, made)
  }
  return made
}

// ---- what a field may be ----

const RANGES: { readonly [Type in ScalarType]?: readonly [number, number] } = {
  i8: [-0x80, 0x7f],
  u8: [0, 0xff],
  i16: [-0x8000, 0x7fff],
  u16: [0, 0xffff],
  i32: [-0x8000_0000, 0x7fff_ffff],
  u32: [0, 0xffff_ffff],
  pointer: [0, 0xffff_ffff],
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
export function checked<T>(value: T, type: ScalarType, name: string): T {
  const range = RANGES[type]
  if (range !== undefined) check.integer(value, name, range[0], range[1])
  else if (type === 'bool') check.flag(value, name)
  else if (type === 'string') {
    if (typeof value !== 'string') check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a string`, value)
  } else if (type === 'f32' || type === 'f64') {
    check.number(value, name)
  } else {
    if (typeof value !== 'bigint') check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a bigint`, value)
    const wrapped = type === 'i64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value)
    if (wrapped !== value)
      check.refuse('ERR_SABWAY_OUT_OF_RANGE', `${name} must be a bigint of 64 bits (${type})`, value)
  }
  return value
}

/** The same, where a fast look has found something wrong. */
export function refuseValue(value: unknown, type: ScalarType, name: string): never {
  checked(value, type, name)
  return check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be of type ${type}`, value)
}

/** Numbers for a field of `length`. Returns a copy. Errors: as `checked`. */
export function checkedList(values: unknown, type: ScalarType, length: number, name: string): (number | bigint)[] {
  const expected = `${name} must be an array of ${length} numbers (${type})`
  if (typeof values !== 'object' || values === null) check.refuse('ERR_SABWAY_INVALID_TYPE', expected, values)
  const { length: given } = check.fields(values, name, ['length'])
  if (given !== length) check.refuse('ERR_SABWAY_OUT_OF_RANGE', expected, given)
  return Array.from({ length }, (_, i) =>
    checked(check.fields(values, name, [String(i)])[i] as number | bigint, type, `${name}[${i}]`),
  )
}

// ---- one value, at a byte of the region ----

type Scalar = number | bigint | boolean

export function read(all: Views, type: ScalarType, at: number): Scalar {
  const view = all[VIEW_OF[type]]
  const value = view[at / view.BYTES_PER_ELEMENT]!
  return type === 'bool' ? value !== 0 : value
}

export function write(all: Views, type: ScalarType, at: number, value: Scalar): void {
  const view = all[VIEW_OF[type]] as { [index: number]: unknown; BYTES_PER_ELEMENT: number }
  view[at / view.BYTES_PER_ELEMENT] = type === 'bool' ? Number(value) : value
}

// ---- bits of values: an integer of the same width stands for a float ----

const double = new Float64Array(1)
const single = new Float32Array(double.buffer)
const halves = new Uint32Array(double.buffer)
const wide = new BigUint64Array(double.buffer)

/** The low 32 bits of a value, and in `highBits()` the high ones of one that has 64. */
export function bitsOf(value: Scalar, type: ScalarType): number {
  if (type === 'f64') double[0] = value as number
  else if (type === 'f32') single[0] = value as number
  else if (typeof value === 'bigint') wide[0] = value
  else return Number(value)
  return halves[0]!
}

/** Of the value that bitsOf was last given. */
export const highBits = (): number => halves[1]!

/** The integers that stand for values of the type in atomic operations. */
type Words = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array

const wordsOf = (all: Views, type: ScalarType): Words | BigInt64Array | BigUint64Array =>
  type === 'f32' ? all.i32 : type === 'f64' ? all.i64 : (all[VIEW_OF[type]] as Words)

function toWord(value: Scalar, type: ScalarType): number | bigint {
  if (type === 'f64') {
    double[0] = value as number
    return BigInt.asIntN(64, wide[0]!)
  }
  if (type !== 'f32') return typeof value === 'boolean' ? Number(value) : value
  single[0] = value as number
  return halves[0]! | 0
}

function fromWord(word: number | bigint, type: ScalarType): Scalar {
  if (type === 'bool') return word !== 0
  if (type === 'f64') {
    wide[0] = word as bigint
    return double[0]!
  }
  if (type !== 'f32') return word
  halves[0] = word as number
  return single[0]!
}

/** Sequentially consistent operations on one value; `at` as in `read`. */
export const atomics = {
  load(all: Views, type: ScalarType, at: number): Scalar {
    const words = wordsOf(all, type) as Int32Array
    return fromWord(Atomics.load(words, at / words.BYTES_PER_ELEMENT), type)
  },

  store(all: Views, type: ScalarType, at: number, value: Scalar): void {
    const words = wordsOf(all, type) as Int32Array
    Atomics.store(words, at / words.BYTES_PER_ELEMENT, toWord(value, type) as number)
  },

  exchange(all: Views, type: ScalarType, at: number, value: Scalar): Scalar {
    const words = wordsOf(all, type) as Int32Array
    return fromWord(Atomics.exchange(words, at / words.BYTES_PER_ELEMENT, toWord(value, type) as number), type)
  },

  /** What was there: what was expected, bit by bit, if and only if it was exchanged. */
  compareExchange(all: Views, type: ScalarType, at: number, expected: Scalar, value: Scalar): Scalar {
    const words = wordsOf(all, type) as Int32Array
    const old = toWord(expected, type) as number
    return fromWord(
      Atomics.compareExchange(words, at / words.BYTES_PER_ELEMENT, old, toWord(value, type) as number),
      type,
    )
  },

  /** Integers wrap around. What was there. */
  add(all: Views, type: ScalarType, at: number, value: number | bigint): Scalar {
    const words = wordsOf(all, type) as Int32Array
    const index = at / words.BYTES_PER_ELEMENT
    if (type !== 'f32' && type !== 'f64') return Atomics.add(words, index, value as number)
    for (let seen = Atomics.load(words, index); ; ) {
      const sum = toWord((fromWord(seen, type) as number) + (value as number), type) as number
      const found = Atomics.compareExchange(words, index, seen, sum)
      if (found === seen) return fromWord(seen, type)
      seen = found
    }
  },
}
