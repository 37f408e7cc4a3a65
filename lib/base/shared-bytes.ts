/**
 * A Uint8Array over the region's SharedArrayBuffer. In TypeScript from 5.7 on the same as
 * Uint8Array<SharedArrayBuffer>, which older versions do not know.
 */
export interface SharedBytes extends Uint8Array {
  readonly buffer: SharedArrayBuffer
  subarray(begin?: number, end?: number): SharedBytes
  valueOf(): this
}
