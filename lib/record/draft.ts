// What a change under the lock is given: the fields, each of whose writes can be undone.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { type Field, type FieldInputs, type Fields, type NumberType, type Shape, VIEW_OF } from './definition.js'
import { placeOf } from './layout.js'
import type { SharedRecord } from './record.js'
import { checkedList, read } from './values.js'

/** Numbers of a field, as an array has them. */
export interface DraftNumbers<Value> {
  readonly length: number
  [index: number]: Value
  /** Copy values to the elements from `offset` on. */
  set(values: ArrayLike<Value>, offset?: number): void
  [Symbol.iterator](): IterableIterator<Value>
}

/** The fields of an object while its lock is held. */
export type Draft<D> = {
  -readonly [Name in keyof Fields<D>]: Fields<D>[Name] extends string
    ? Fields<D>[Name]
    : Fields<D>[Name] extends ArrayLike<infer Value>
      ? DraftNumbers<Value>
      : Fields<D>[Name]
} & {
  /** Give some fields values. */
  assign(values: FieldInputs<D>): void
}

/** One object of a record, as its lock's holder has it. */
export class AnyDraft {
  /** @internal */ readonly record: SharedRecord
  /** @internal */ readonly row: number

  constructor(record: SharedRecord, row: number) {
    this.record = record
    this.row = row
  }

  /** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
  assign(values: object): void {
    for (const { field, values: list } of inputs(this.record.shape, values))
      list.forEach((value, n) => {
        this.record.change(field, this.row, n, value)
      })
  }
}

const classes = new WeakMap<Shape, typeof AnyDraft>()

/** The class of drafts of objects of that shape. */
export function draftClass(shape: Shape): typeof AnyDraft {
  let found = classes.get(shape)
  if (found === undefined) {
    found = class extends AnyDraft {}
    for (const field of shape.fields) Object.defineProperty(found.prototype, field.name, accessorOf(field))
    classes.set(shape, found)
  }
  return found
}

const valueAt = (record: SharedRecord, row: number, field: Field, n: number): unknown => {
  record.mustLive()
  const at = record.fieldsAt + placeOf(record.layout, field, row, n)
  return field.type === 'string' ? record.textAt(at).text : read(record.regionViews, field.type, at)
}

function accessorOf(field: Field): PropertyDescriptor & ThisType<AnyDraft> {
  const shape = { enumerable: true, configurable: true }
  if (field.length === 0)
    return {
      ...shape,
      get() {
        return valueAt(this.record, this.row, field, 0)
      },
      set(value) {
        this.record.change(field, this.row, 0, value)
      },
    }
  return {
    ...shape,
    get() {
      return numbersOf(this.record, this.row, field)
    },
    set(values) {
      numbersOf(this.record, this.row, field).set(checkedList(values, field.type, field.length, field.name), 0)
    },
  }
}

/** Each of them that is in vain has met a change under the lock. */
const SNAPSHOTS = 1000

const INDEX = /^(0|[1-9]\d*)$/

/** The elements of a field that is an array. A proxy: elements are asked for by any number. */
function numbersOf(record: SharedRecord, row: number, field: Field): DraftNumbers<number | bigint> {
  const { length, name, type } = field
  const at = (n: number) => valueAt(record, row, field, n) as number | bigint
  const target = {
    length,
    set(values: ArrayLike<number | bigint>, offset = 0): void {
      if (typeof values !== 'object' || values === null)
        check.refuse('ERR_SABWAY_INVALID_TYPE', `the values of ${name} must be an array`, values)
      const count = check.fields(values, name, ['length']).length as number
      check.integer(count, `the length of the values of ${name}`, 0, length)
      check.integer(offset, 'offset', 0, length - count)
      checkedList(values, type, count, name).forEach((value, i) => {
        record.change(field, row, offset + i, value)
      })
    },
    *[Symbol.iterator]() {
      for (let n = 0; n < length; n++) yield at(n)
    },
  }
  return new Proxy(target as never as DraftNumbers<number | bigint>, {
    get: (object, key) =>
      typeof key === 'string' && INDEX.test(key)
        ? Number(key) < length
          ? at(Number(key))
          : undefined
        : Reflect.get(object, key),
    has: (object, key) =>
      typeof key === 'string' && INDEX.test(key) ? Number(key) < length : Reflect.has(object, key),
    set(_object, key, value) {
      if (typeof key !== 'string' || !INDEX.test(key))
        check.refuse('ERR_SABWAY_INVALID_ARGUMENT', `only elements of ${name} can be set`, key)
      record.change(field, row, check.integer(Number(key), `the index in ${name}`, 0, length - 1), value)
      return true
    },
  })
}

/**
 * What `assign` and `values` were given, checked: all of it, before anything is changed. Errors:
 * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
 */
export function inputs(shape: Shape, given: unknown): { field: Field; values: readonly unknown[] }[] {
  const names = shape.fields.map(({ name }) => name)
  const found = check.options(given as Record<string, unknown>, 'the values', names)
  return Object.entries(found).map(([name, value]) => {
    const field = shape.byName.get(name)!
    const { type, length } = field
    return { field, values: length === 0 ? [checkedValue(value, field)] : checkedList(value, type, length, name) }
  })
}

const checkedValue = (value: unknown, { type, name }: Field): unknown => checkedList([value], type, 1, name)[0]

/**
 * Copies of all fields of an object, from a snapshot, in which the field is at `place`; undefined
 * when a text has been replaced since. `home`: where the field is in the region.
 */
export function copiesOf(
  record: SharedRecord,
  from: DataView,
  place: (field: Field) => number,
  home: (field: Field) => number,
): object | undefined {
  const copies: [string, unknown][] = []
  for (const field of record.shape.fields) {
    if (field.type !== 'string') copies.push([field.name, copyOfField(field, from, place(field))])
    else {
      const { text, version } = record.textAt(home(field))
      if (version !== from.getInt32(place(field) + 4, true)) return undefined
      copies.push([field.name, text])
    }
  }
  return Object.fromEntries(copies)
}

/** Take snapshots until one has all its texts. Errors: ERR_SABWAY_BUSY. */
export function untilCopied<T>(copy: () => T | undefined): T {
  for (let tries = 0; tries < SNAPSHOTS; tries++) {
    const copies = copy()
    if (copies !== undefined) return copies
  }
  throw new SabwayError('ERR_SABWAY_BUSY', 'its texts are replaced all the time; read them under the lock')
}

/** One number of a snapshot, at a byte of it. */
const READERS: { readonly [Type in NumberType]: (from: DataView, at: number) => number | bigint } = {
  i8: (from, at) => from.getInt8(at),
  u8: (from, at) => from.getUint8(at),
  i16: (from, at) => from.getInt16(at, true),
  u16: (from, at) => from.getUint16(at, true),
  i32: (from, at) => from.getInt32(at, true),
  u32: (from, at) => from.getUint32(at, true),
  f32: (from, at) => from.getFloat32(at, true),
  f64: (from, at) => from.getFloat64(at, true),
  i64: (from, at) => from.getBigInt64(at, true),
  u64: (from, at) => from.getBigUint64(at, true),
}

function copyOfField({ type, length, bytes }: Field, from: DataView, at: number): unknown {
  const reader = READERS[VIEW_OF[type]]
  if (length !== 0) return Array.from({ length }, (_, n) => reader(from, at + n * bytes))
  const value = reader(from, at)
  return type === 'bool' ? value !== 0 : value
}
