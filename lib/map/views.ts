// Typed arrays and DataViews as bytes in shared memory: a word that says which one it is, and its
// bytes behind that. What comes back has memory of its own, and is of the platform's class.
import { isGone, typedArrayName } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { viewNumber, viewType } from '../codec/arrays.js'

/** The memory of a region, and a place in it: see values.ts. */
interface Views {
  readonly bytes: Uint8Array
  readonly integers: BigInt64Array
}
interface Place {
  readonly at: number
  length: number
  need(bytes: number): void
}

/** Bytes in front of those of the array: so many that they are aligned for any element. */
const HEAD = 8

type Getter = (this: unknown) => unknown
const getter = (prototype: object, name: string): Getter =>
  Object.getOwnPropertyDescriptor(prototype, name)!.get as Getter
/** The built-in getters, which are of a view's internal slots, whatever its class says. */
const gettersOf = (prototype: object) => ({
  buffer: getter(prototype, 'buffer'),
  offset: getter(prototype, 'byteOffset'),
  length: getter(prototype, 'byteLength'),
})
const OF_ARRAYS = /* @__PURE__ */ gettersOf(/* @__PURE__ */ Object.getPrototypeOf(Uint8Array.prototype))
const OF_DATA_VIEWS = /* @__PURE__ */ gettersOf(DataView.prototype)

/** Errors: ERR_SABWAY_INVALID_ARGUMENT: its memory was transferred away, or is smaller now. */
function bytesOf(view: ArrayBufferView, isArray: boolean): Uint8Array {
  const of = isArray ? OF_ARRAYS : OF_DATA_VIEWS
  try {
    if (!isArray || !isGone(view))
      return new Uint8Array(
        of.buffer.call(view) as ArrayBuffer,
        of.offset.call(view) as number,
        of.length.call(view) as number,
      )
  } catch {
    // A DataView whose memory is gone has no length.
  }
  return check.refuse(
    'ERR_SABWAY_INVALID_ARGUMENT',
    'value must have memory, which was not transferred away, or resized to less than the view',
    view,
  )
}

/**
 * Put a typed array or a DataView in its place. Errors: ERR_SABWAY_INVALID_ARGUMENT,
 * ERR_SABWAY_NOT_ENCODABLE: of a type that this version does not know; as Heap.alloc.
 */
export function putView(views: Views, place: Place, view: ArrayBufferView): void {
  const name = typedArrayName(view)
  const bytes = bytesOf(view, name !== undefined)
  const number = viewNumber(name ?? 'DataView')
  const length = HEAD + bytes.length
  place.need(length)
  views.integers[place.at >>> 3] = BigInt(number)
  views.bytes.set(bytes, place.at + HEAD)
  place.length = length
}

/**
 * The array or DataView of so many bytes, its head included. Errors: ERR_SABWAY_CORRUPT,
 * ERR_SABWAY_NOT_DECODABLE: there is no such type here.
 */
export function takeView(views: Views, at: number, length: number): ArrayBufferView {
  if (length < HEAD) throw new SabwayError('ERR_SABWAY_CORRUPT', `an array takes ${length} bytes`)
  const { name, View } = viewType(Number(views.integers[at >>> 3]))
  if (name === undefined) throw new SabwayError('ERR_SABWAY_CORRUPT', 'a value is an array of a type that there is not')
  if (View === undefined)
    throw new SabwayError('ERR_SABWAY_NOT_DECODABLE', `the value is a ${name}, which this platform does not have`)
  const { BYTES_PER_ELEMENT: width = 1 } = View as { BYTES_PER_ELEMENT?: number }
  const bytes = views.bytes.slice(at + HEAD, at + length)
  if (bytes.length % width !== 0) throw new SabwayError('ERR_SABWAY_CORRUPT', `a ${name} of ${bytes.length} bytes`)
  return new View(bytes.buffer as ArrayBuffer, 0, bytes.length / width)
}
