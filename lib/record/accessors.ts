// The accessors that the fields of an object have: one for each type, so that each of them reads
// and writes one typed array. They are what the fast path is made of: a look whether the object was
// freed, and one access of memory.
import * as check from '../base/check.js'
import { ARRAYS, type Field, type ScalarType, VIEW_OF } from './definition.js'
import { type VersionedText, versionAt } from './texts.js'
import { refuseValue, type Views } from './values.js'

/**
 * An object, or one of an array of objects in rows: its bytes are in one place. The names are such
 * that no field is likely to have them.
 */
export interface Placed {
  readonly regionViews: Views
  /** Offset of its first byte in the region. */
  readonly fieldsAt: number
  /**
   * The words of the region, as signed integers, the one that tells whether the object was freed,
   * and what is there.
   */
  readonly regionWords: Int32Array
  readonly lifeIndex: number
  readonly lifeWord: number
  /** Errors: ERR_SABWAY_FREED. */
  gone(): never
  textAt(at: number): VersionedText
  setText(at: number, text: string): void
}

/**
 * With what was made of fields before, by their numbers: typed arrays, and texts that were read.
 */
interface HasFields extends Placed {
  readonly fieldArrays: (object | undefined)[]
}

interface Accessor {
  get(this: HasFields): unknown
  set(this: HasFields, value: never): void
}

const isGone = (of: Placed): boolean => of.regionWords[of.lifeIndex] !== of.lifeWord

/** Of a field `n` elements of its own size behind the object's first byte. */
const ACCESSORS: { readonly [Type in Exclude<ScalarType, 'string'>]: (name: string, n: number) => Accessor } = {
  i8: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.i8[this.fieldsAt + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || (value << 24) >> 24 !== value) refuseValue(value, 'i8', name)
      if (isGone(this)) this.gone()
      this.regionViews.i8[this.fieldsAt + n] = value
    },
  }),
  u8: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u8[this.fieldsAt + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || (value & 0xff) !== value) refuseValue(value, 'u8', name)
      if (isGone(this)) this.gone()
      this.regionViews.u8[this.fieldsAt + n] = value
    },
  }),
  bool: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u8[this.fieldsAt + n] !== 0
    },
    set(value: boolean) {
      if (typeof value !== 'boolean') refuseValue(value, 'bool', name)
      if (isGone(this)) this.gone()
      this.regionViews.u8[this.fieldsAt + n] = value ? 1 : 0
    },
  }),
  i16: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.i16[(this.fieldsAt >>> 1) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || (value << 16) >> 16 !== value) refuseValue(value, 'i16', name)
      if (isGone(this)) this.gone()
      this.regionViews.i16[(this.fieldsAt >>> 1) + n] = value
    },
  }),
  u16: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u16[(this.fieldsAt >>> 1) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || (value & 0xffff) !== value) refuseValue(value, 'u16', name)
      if (isGone(this)) this.gone()
      this.regionViews.u16[(this.fieldsAt >>> 1) + n] = value
    },
  }),
  i32: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionWords[(this.fieldsAt >>> 2) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || (value | 0) !== value) refuseValue(value, 'i32', name)
      if (isGone(this)) this.gone()
      this.regionWords[(this.fieldsAt >>> 2) + n] = value
    },
  }),
  u32: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u32[(this.fieldsAt >>> 2) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || value >>> 0 !== value) refuseValue(value, 'u32', name)
      if (isGone(this)) this.gone()
      this.regionViews.u32[(this.fieldsAt >>> 2) + n] = value
    },
  }),
  pointer: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u32[(this.fieldsAt >>> 2) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number' || value >>> 0 !== value) refuseValue(value, 'pointer', name)
      if (isGone(this)) this.gone()
      this.regionViews.u32[(this.fieldsAt >>> 2) + n] = value
    },
  }),
  f32: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.f32[(this.fieldsAt >>> 2) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number') refuseValue(value, 'f32', name)
      if (isGone(this)) this.gone()
      this.regionViews.f32[(this.fieldsAt >>> 2) + n] = value
    },
  }),
  f64: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.f64[(this.fieldsAt >>> 3) + n]!
    },
    set(value: number) {
      if (typeof value !== 'number') refuseValue(value, 'f64', name)
      if (isGone(this)) this.gone()
      this.regionViews.f64[(this.fieldsAt >>> 3) + n] = value
    },
  }),
  i64: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.i64[(this.fieldsAt >>> 3) + n]!
    },
    set(value: bigint) {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) refuseValue(value, 'i64', name)
      if (isGone(this)) this.gone()
      this.regionViews.i64[(this.fieldsAt >>> 3) + n] = value
    },
  }),
  u64: (name, n) => ({
    get() {
      if (isGone(this)) this.gone()
      return this.regionViews.u64[(this.fieldsAt >>> 3) + n]!
    },
    set(value: bigint) {
      if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) refuseValue(value, 'u64', name)
      if (isGone(this)) this.gone()
      this.regionViews.u64[(this.fieldsAt >>> 3) + n] = value
    },
  }),
}

function arrayAccessor({ name, type, length, offset, index }: Field): Accessor {
  const Type = ARRAYS[VIEW_OF[type]]
  return {
    get() {
      if (isGone(this)) this.gone()
      this.fieldArrays[index] ??= new Type(this.regionWords.buffer as SharedArrayBuffer, this.fieldsAt + offset, length)
      return this.fieldArrays[index]
    },
    set(value: unknown) {
      check.refuse(
        'ERR_SABWAY_INVALID_TYPE',
        `${name} is an array in shared memory: set its elements, or use ${name}.set(values)`,
        value,
      )
    },
  }
}

/** A text is read again when it has been replaced. */
function textAccessor({ name, offset, index }: Field): Accessor {
  return {
    get() {
      if (isGone(this)) this.gone()
      const at = this.fieldsAt + offset
      const known = this.fieldArrays[index] as VersionedText | undefined
      if (known !== undefined && known.version === versionAt(this.regionWords, at)) return known.text
      const read = this.textAt(at)
      this.fieldArrays[index] = read
      return read.text
    },
    set(value: unknown) {
      if (typeof value !== 'string') refuseValue(value, 'string', name)
      this.setText(this.fieldsAt + offset, value as string)
    },
  }
}

/** Give a class the fields of its objects. */
export function defineFields(prototype: object, fields: readonly Field[]): void {
  for (const field of fields) {
    const { name, type, length, offset, bytes } = field
    const accessor =
      length !== 0
        ? arrayAccessor(field)
        : type === 'string'
          ? textAccessor(field)
          : ACCESSORS[type](name, offset / bytes)
    Object.defineProperty(prototype, name, { ...accessor, enumerable: true, configurable: true })
  }
}
