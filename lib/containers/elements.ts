// The elements of vectors and lists: numbers of a class of typed arrays, one or several each.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import {
  SW_COMPONENT_F16,
  SW_COMPONENT_F32,
  SW_COMPONENT_F64,
  SW_COMPONENT_I8,
  SW_COMPONENT_I16,
  SW_COMPONENT_I32,
  SW_COMPONENT_I64,
  SW_COMPONENT_U8,
  SW_COMPONENT_U8_CLAMPED,
  SW_COMPONENT_U16,
  SW_COMPONENT_U32,
  SW_COMPONENT_U64,
  SW_VECTOR_WIDEST,
} from '../generated/abi.js'
import type { HeapArray } from '../heap/allocated-memory.js'
import type { HeapMember } from '../heap/member.js'

/** The typed arrays whose numbers a vector or a list can have. Also Float16Array, where it is. */
export type ElementArray = HeapArray | Uint8ClampedArray

/** A class of typed arrays. */
export interface ElementType<T extends ElementArray = ElementArray> {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  new (length: number): T
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T
  from(values: Iterable<never>): T
}

/** One component of an element. */
export type Component<T extends ElementArray> = T extends BigInt64Array | BigUint64Array ? bigint : number

type Constructor = ElementType<Uint32Array>

/** By the numbers of the core. */
const TYPES = new Map<number, ElementType>([
  [SW_COMPONENT_U8, Uint8Array as never],
  [SW_COMPONENT_I8, Int8Array as never],
  [SW_COMPONENT_U8_CLAMPED, Uint8ClampedArray as never],
  [SW_COMPONENT_U16, Uint16Array as never],
  [SW_COMPONENT_I16, Int16Array as never],
  [SW_COMPONENT_U32, Uint32Array as never],
  [SW_COMPONENT_I32, Int32Array as never],
  [SW_COMPONENT_F32, Float32Array as never],
  [SW_COMPONENT_U64, BigUint64Array as never],
  [SW_COMPONENT_I64, BigInt64Array as never],
  [SW_COMPONENT_F64, Float64Array as never],
])
const Half = (globalThis as { Float16Array?: Constructor }).Float16Array
if (Half !== undefined) TYPES.set(SW_COMPONENT_F16, Half)

/** What the elements of a container are. */
export class Elements<T extends ElementArray> {
  readonly Type: ElementType<T>
  /** Of the core: enum sw_component. */
  readonly code: number
  /** Components of an element. */
  readonly count: number
  readonly isBig: boolean
  /** Can Atomics change a component? */
  readonly isAtomic: boolean

  private constructor(code: number, count: number) {
    this.Type = TYPES.get(code)! as ElementType<T>
    this.code = code
    this.count = count
    this.isBig = code === SW_COMPONENT_I64 || code === SW_COMPONENT_U64
    this.isAtomic = code % 16 < 2
  }

  /** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
  static of<T extends ElementArray>(type: unknown, dataLength: unknown): Elements<T> {
    // by its name: a test runner's realm has other classes of the same
    const name = typeof type === 'function' ? check.fields(type, 'type', ['name']).name : undefined
    const found = [...TYPES].find(([, each]) => each === type) ?? [...TYPES].find(([, each]) => each.name === name)
    if (found === undefined)
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'type must be a class of typed arrays such as Float32Array', type)
    const [code, { BYTES_PER_ELEMENT }] = found
    return new Elements(code, check.integer(dataLength, 'dataLength', 1, SW_VECTOR_WIDEST / BYTES_PER_ELEMENT))
  }

  /** What the word `shape` of a container says. Errors: ERR_SABWAY_UNSUPPORTED,
   * ERR_SABWAY_CORRUPT. */
  static in<T extends ElementArray>(shape: number): Elements<T> {
    const [code, count] = [shape & 0xff, shape >>> 16]
    if (code === SW_COMPONENT_F16 && Half === undefined)
      throw new SabwayError('ERR_SABWAY_UNSUPPORTED', 'the elements are of Float16Array, which is not here')
    const bytes = TYPES.get(code)?.BYTES_PER_ELEMENT
    if (bytes === undefined || count === 0 || count * bytes > SW_VECTOR_WIDEST)
      throw new SabwayError('ERR_SABWAY_CORRUPT', `no elements are described by ${shape}`)
    return new Elements(code, count)
  }

  /** Bytes of an element. */
  get bytes(): number {
    return this.count * this.Type.BYTES_PER_ELEMENT
  }

  /** One element in shared memory. */
  view(member: HeapMember, at: number): T {
    return new this.Type(member.region.bytes.buffer, at, this.count)
  }

  /**
   * Write an element: one number, or up to as many as it has components; the others become zero.
   * Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE.
   */
  write(to: T, values: unknown): void {
    const expected = this.isBig ? 'bigint' : 'number'
    if (typeof values === expected) {
      to.fill((this.isBig ? 0n : 0) as never)
      to[0] = values as never
      return
    }
    const given = this.numbers(values)
    to.fill((this.isBig ? 0n : 0) as never)
    to.set(given as never)
  }

  /**
   * The numbers of an element, of which there may be fewer than it has: a copy, which the program's
   * own code cannot change any more. Errors: as `write`.
   */
  numbers(values: unknown): unknown[] {
    const kind = this.isBig ? 'bigint' : 'number'
    const expected = `an element of ${this.Type.name} must be a ${kind} or an array of up to ${this.count}`
    if (typeof values !== 'object' || values === null) check.refuse('ERR_SABWAY_INVALID_TYPE', expected, values)
    const given = check.reading('an element', () =>
      check.isArray(values) || ArrayBuffer.isView(values) ? Array.from(values as never) : undefined,
    ) as unknown[] | undefined
    if (given === undefined) check.refuse('ERR_SABWAY_INVALID_TYPE', expected, values)
    if (given.length > this.count)
      throw new SabwayError('ERR_SABWAY_OUT_OF_RANGE', `${expected}, got ${given.length} numbers`)
    const other = given.findIndex((each) => typeof each !== kind)
    if (other !== -1) check.refuse('ERR_SABWAY_INVALID_TYPE', `component ${other} must be a ${kind}`, given[other])
    return given
  }

  /**
   * Many elements, one behind the other, as a private array. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT.
   */
  many(values: unknown): T {
    if (typeof values !== 'object' || values === null)
      check.refuse('ERR_SABWAY_INVALID_TYPE', 'values must be an array of numbers, or another iterable of them', values)
    const all = check.reading('values', () => {
      if (ArrayBuffer.isView(values)) return values as T
      return Array.from(values as Iterable<unknown>)
    })
    const expected = this.isBig ? 'bigint' : 'number'
    if (!ArrayBuffer.isView(all)) {
      const other = (all as unknown[]).findIndex((each) => typeof each !== expected)
      if (other !== -1)
        check.refuse('ERR_SABWAY_INVALID_TYPE', `value ${other} must be a ${expected}`, (all as unknown[])[other])
    }
    let copied: T
    try {
      copied = this.Type.from(all as never)
    } catch (cause) {
      throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `values must be ${expected}s`, { cause })
    }
    if (copied.length % this.count === 0) return copied
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `values must be whole elements of ${this.count} numbers, got ${copied.length} numbers`,
    )
  }
}
