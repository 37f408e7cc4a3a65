// What defineObject is given, and what follows of it: where each field is, and a hash by which two
// threads know that they mean the same.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'

/** The types of numbers, with the values and the arrays that they have in JavaScript. */
interface Numbers {
  i8: { value: number; array: Int8Array }
  u8: { value: number; array: Uint8Array }
  i16: { value: number; array: Int16Array }
  u16: { value: number; array: Uint16Array }
  i32: { value: number; array: Int32Array }
  u32: { value: number; array: Uint32Array }
  f32: { value: number; array: Float32Array }
  f64: { value: number; array: Float64Array }
  i64: { value: bigint; array: BigInt64Array }
  u64: { value: bigint; array: BigUint64Array }
}

interface Scalars {
  bool: { value: boolean; array: Uint8Array }
  pointer: { value: number; array: Uint32Array }
  string: { value: string; array: never }
}

/** The type of a number in shared memory. */
export type NumberType = keyof Numbers
/** The type of a field that is one value. */
export type ScalarType = NumberType | keyof Scalars
/** The type of a field: one value, or so many numbers. */
export type FieldType = ScalarType | readonly [NumberType, number]
/** Names of fields, and their types. */
export type ObjectDefinition = { readonly [name: string]: FieldType }

type Of<T, Part extends 'value' | 'array'> = T extends NumberType
  ? Numbers[T][Part]
  : T extends keyof Scalars
    ? Scalars[T][Part]
    : never

/** What a field is in JavaScript: a value, or a typed array over the shared memory. */
export type FieldValue<F> = F extends readonly [infer T, number] ? Of<T, 'array'> : Of<F, 'value'>
/** What a field can be given. */
export type FieldInput<F> = F extends readonly [infer T, number] ? ArrayLike<Of<T, 'value'>> : Of<F, 'value'>
/** What a copy of a field is. */
export type FieldCopy<F> = F extends readonly [infer T, number] ? Of<T, 'value'>[] : Of<F, 'value'>

/** The fields of an object. */
export type Fields<D> = {
  -readonly [Name in keyof D as D[Name] extends ScalarType ? Name : never]: FieldValue<D[Name]>
} & { readonly [Name in keyof D as D[Name] extends ScalarType ? never : Name]: FieldValue<D[Name]> }
/** Values for some of the fields. */
export type FieldInputs<D> = { readonly [Name in keyof D]?: FieldInput<D[Name]> }
/** Copies of all fields. */
export type FieldCopies<D> = { -readonly [Name in keyof D]: FieldCopy<D[Name]> }
/** Names of fields that are one number. */
export type NumberField<D> = { [Name in keyof D]: D[Name] extends NumberType | 'pointer' ? Name : never }[keyof D] &
  string
/** The whole columns of an array of objects. */
export type Columns<D> = { readonly [Name in keyof D as D[Name] extends 'string' ? never : Name]: Column<D[Name]> }
/** The typed array of a field, of one object or of all. */
export type Column<F> = Of<F extends readonly [infer T, number] ? T : F, 'array'>

/** The typed arrays that fields are seen through, by the type of the field. */
export const VIEW_OF = {
  i8: 'i8',
  u8: 'u8',
  i16: 'i16',
  u16: 'u16',
  i32: 'i32',
  u32: 'u32',
  f32: 'f32',
  f64: 'f64',
  i64: 'i64',
  u64: 'u64',
  bool: 'u8',
  pointer: 'u32',
  string: 'u64',
} as const satisfies Record<ScalarType, NumberType>

const BYTES: Record<NumberType, number> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  f64: 8,
  i64: 8,
  u64: 8,
}
/** A class of typed arrays over memory of either kind. */
type ArrayClass = new (
  buffer: ArrayBuffer | SharedArrayBuffer,
  byteOffset?: number,
  length?: number,
) => Numbers[NumberType]['array']

export const ARRAYS = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
} as { readonly [Type in NumberType]: ArrayClass & { readonly BYTES_PER_ELEMENT: number } }

const MOST_FIELDS = 1000
const MOST_NUMBERS = 2 ** 20
const LONGEST_NAME = 100

export interface Field {
  readonly name: string
  readonly type: ScalarType
  /** Numbers that it has, as an array; 0: it is one value. */
  readonly length: number
  /** Of one value. */
  readonly bytes: number
  /** Bytes from the object's first one. */
  readonly offset: number
  /** Its number, in the order of `Shape.fields`. */
  readonly index: number
}

/** All that follows of a definition. */
export interface Shape {
  /** In the order of memory. */
  readonly fields: readonly Field[]
  readonly byName: ReadonlyMap<string, Field>
  /** Of one object, as an element of an array of objects. */
  readonly stride: number
  readonly hash: readonly [number, number]
  /** Values of one object. */
  readonly values: number
  /** How many of its fields, the first ones, are texts. */
  readonly texts: number
}

/** 1 or 0. Texts come first, so that the core finds them. */
const isText = ({ type }: Pick<Field, 'type'>): number => Number(type === 'string')

/** How many values the field has. */
export const valuesOf = ({ length }: Field): number => (length === 0 ? 1 : length)

/** All bytes of the field, in one object. */
export const bytesOf = (field: Field): number => field.bytes * valuesOf(field)

/**
 * `reserved`: is it a name that no field can have? Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
 */
export function shapeOf(definition: unknown, reserved: (name: string) => boolean): Shape {
  if (typeof definition !== 'object' || definition === null || check.isArray(definition))
    check.refuse(
      'ERR_SABWAY_INVALID_TYPE',
      "a definition is an object such as { position: ['f32', 3], hp: 'i32' }",
      definition,
    )
  const names = check.reading('the definition', () => Object.keys(definition))
  if (names.length === 0 || names.length > MOST_FIELDS)
    check.refuse('ERR_SABWAY_OUT_OF_RANGE', `an object has 1 to ${MOST_FIELDS} fields`, names.length)
  const given = names.map((name) => {
    check.text(name, 'the name of a field', LONGEST_NAME)
    if (reserved(name))
      throw new SabwayError(
        'ERR_SABWAY_INVALID_ARGUMENT',
        `no field can be called ${check.shown(name)}, which every object has; choose another name`,
      )
    return { name, ...typeOf(name, check.fields(definition, 'definition', [name])[name]) }
  })
  // By alignment, so that there are no gaps, then by name: two definitions with the same fields are
  // one, whatever their order.
  given.sort((a, b) => isText(b) - isText(a) || b.bytes - a.bytes || (a.name < b.name ? -1 : 1))
  let end = 0
  const fields = given.map((field, index) => {
    const offset = end
    end += bytesOf(field as Field)
    return { ...field, offset, index }
  })
  const widest = fields[0]!.bytes
  const text = fields.map(({ name, type, length }) => JSON.stringify([name, type, length])).join()
  return {
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    stride: Math.ceil(end / widest) * widest,
    hash: [hashOf(text, 0x811c9dc5), hashOf(text, 0x01234567)],
    texts: fields.filter(isText).length,
    values: fields.reduce((sum, field) => sum + valuesOf(field), 0),
  }
}

function typeOf(name: string, given: unknown): Pick<Field, 'type' | 'length' | 'bytes'> {
  const expected = `the type of ${check.shown(name)} must be one of ${Object.keys(VIEW_OF).join(', ')}, or [type, length]`
  if (check.isArray(given)) {
    const { 0: type, 1: length, length: parts } = check.fields(given, expected, ['0', '1', 'length'])
    if (typeof type !== 'string' || !Object.hasOwn(BYTES, type) || parts !== 2)
      check.refuse('ERR_SABWAY_INVALID_TYPE', `${expected} with a type of numbers`, type)
    const bytes = BYTES[type as NumberType]
    return {
      type: type as NumberType,
      length: check.integer(length, `the length of ${check.shown(name)}`, 1, MOST_NUMBERS),
      bytes,
    }
  }
  if (typeof given !== 'string' || !Object.hasOwn(VIEW_OF, given))
    check.refuse('ERR_SABWAY_INVALID_TYPE', expected, given)
  return { type: given as ScalarType, length: 0, bytes: BYTES[VIEW_OF[given as ScalarType]] }
}

/** FNV-1a over the text's code units, from a basis. */
function hashOf(text: string, basis: number): number {
  let hash = basis
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
