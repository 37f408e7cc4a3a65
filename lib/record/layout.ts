// Where the fields of objects are in the bytes of a record: of one object, or of many in rows.
//
//   rows       one object behind the other, `stride` bytes each
//   columns    all values of one field behind each other, then those of the next; each column
//              begins at a multiple of 64 bytes
import { type Field, type Shape, valuesOf } from './definition.js'

/** How an array of objects lies in memory. */
export type StructLayout = 'rows' | 'columns'

/** By their number in sw_record_plan.layout. */
export const LAYOUTS: readonly StructLayout[] = ['rows', 'columns']

const COLUMN_ALIGN = 64

export interface Layout {
  /**
   * By the number of the field: bytes from the record's first one to the field of the first object.
   */
  readonly starts: readonly number[]
  /** From the field of one object to that of the next. */
  readonly strides: readonly number[]
  /** In all, a multiple of 8. */
  readonly bytes: number
}

const upTo = (multiple: number, bytes: number): number => Math.ceil(bytes / multiple) * multiple

export function layoutOf({ fields, stride }: Shape, rows: number, layout: StructLayout): Layout {
  if (layout === 'rows') {
    return {
      starts: fields.map(({ offset }) => offset),
      strides: fields.map(() => stride),
      bytes: upTo(8, rows * stride),
    }
  }
  const strides = fields.map((field) => field.bytes * valuesOf(field))
  let end = 0
  const starts = strides.map((each) => {
    const start = end
    end += upTo(COLUMN_ALIGN, rows * each)
    return start
  })
  return { starts, strides, bytes: end }
}

/** Bytes from the record's first one to the value number `n` of a field of that object. */
export const placeOf = ({ starts, strides }: Layout, { index, bytes }: Field, row: number, n = 0): number =>
  starts[index]! + row * strides[index]! + n * bytes
