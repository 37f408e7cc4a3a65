// Atomic operations on floats in shared memory, which Atomics itself has for integers only. The
// names of the first four are those of the package @daneren2005/shared-memory-objects.

import { typedArrayName } from '../base/brand.js'
import * as check from '../base/check.js'

const double = new Float64Array(1)
const wide = new BigInt64Array(double.buffer)
const single = new Float32Array(1)
const word = new Int32Array(single.buffer)

/** The integer whose bits are those of the float. */
export function convertFloat32ToInt32(value: number): number {
  single[0] = check.number(value, 'value')
  return word[0]!
}

/** The float whose bits are those of the integer. */
export function convertInt32ToFloat32(value: number): number {
  word[0] = check.number(value, 'value')
  return single[0]!
}

/** Where floats of 32 bits are: as such, or as the integers with the same bits. */
export type Float32Words = Int32Array | Float32Array
/** Where floats of 64 bits are, likewise. */
export type Float64Words = BigInt64Array | Float64Array

/** Of arrays of floats: the integers in the same memory. */
const twins = new WeakMap<object, Int32Array | BigInt64Array>()

function integersOf<T extends Int32Array | BigInt64Array>(
  data: unknown,
  floats: 'Float32Array' | 'Float64Array',
  Type: { new (buffer: ArrayBuffer, at: number, length: number): T; readonly name: string },
): T {
  const name = typedArrayName(data)
  if (name === Type.name) return data as T
  if (name !== floats) check.refuse('ERR_SABWAY_INVALID_TYPE', `data must be a ${floats} or a ${Type.name}`, data)
  let twin = twins.get(data as object)
  if (twin === undefined) {
    const { buffer, byteOffset, length } = data as Float32Array<ArrayBuffer>
    twin = new Type(buffer, byteOffset, length)
    twins.set(data as object, twin)
  }
  return twin as T
}

const words32 = (data: Float32Words): Int32Array => integersOf(data, 'Float32Array', Int32Array as never)
const words64 = (data: Float64Words): BigInt64Array => integersOf(data, 'Float64Array', BigInt64Array as never)

const checkedIndex = (index: number, { length }: Float32Words | Float64Words): number =>
  check.integer(index, 'index', 0, length - 1)

/**
 * The float, and all that a participant wrote before it stored that. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE.
 */
export function loadFloat32(data: Float32Words, index: number): number {
  const words = words32(data)
  return convertInt32ToFloat32(Atomics.load(words, checkedIndex(index, words)))
}

/** Errors: as `loadFloat32`. */
export function storeFloat32(data: Float32Words, index: number, value: number): void {
  const words = words32(data)
  Atomics.store(words, checkedIndex(index, words), convertFloat32ToInt32(value))
}

/** Store a float. Returns what was there. Errors: as `loadFloat32`. */
export function exchangeFloat32(data: Float32Words, index: number, value: number): number {
  const words = words32(data)
  return convertInt32ToFloat32(Atomics.exchange(words, checkedIndex(index, words), convertFloat32ToInt32(value)))
}

/**
 * Add to a float, which is rounded to 32 bits. Returns what it was. Lock-free. Errors: as
 * `loadFloat32`.
 */
export function addFloat32(data: Float32Words, index: number, value: number): number {
  const words = words32(data)
  checkedIndex(index, words)
  check.number(value, 'value')
  for (let seen = Atomics.load(words, index); ; ) {
    word[0] = seen
    const old = single[0]!
    single[0] = old + value
    const found = Atomics.compareExchange(words, index, seen, word[0]!)
    if (found === seen) return old
    seen = found
  }
}

/** Add to a float of 64 bits. Returns what it was. Lock-free. Errors: as `loadFloat32`. */
export function addFloat64(data: Float64Words, index: number, value: number): number {
  const words = words64(data)
  checkedIndex(index, words)
  check.number(value, 'value')
  for (let seen = Atomics.load(words, index); ; ) {
    wide[0] = seen
    const old = double[0]!
    double[0] = old + value
    const found = Atomics.compareExchange(words, index, seen, wide[0]!)
    if (found === seen) return old
    seen = found
  }
}
