// How bytes get into and out of a region: the one place that knows what V8 is fast and slow at.
//
// Measured on Node 20 to 26 (docs/layout.md): up to a dozen bytes a loop wins; then TypedArray.set, which into shared memory
// moves 8 bytes at a time only where source and target agree modulo 8, and is 5 times slower where they do not; from some
// size on the addon's memcpy, which pays a call and then does not care.
import type { RegionBinding } from './addon.js'

const LOOP_UP_TO = 12
const NATIVE_FROM = 4096
const NATIVE_FROM_MISALIGNED = 256

/** Where the payload should start behind an 8-byte boundary, so that a copy without the addon finds both sides alike. */
export function lead(message: Uint8Array, length: number, binding: RegionBinding | null): number {
  return binding?.copyIn === undefined && length >= NATIVE_FROM_MISALIGNED ? message.byteOffset & 7 : 0
}

export function copyIn(
  bytes: Uint8Array,
  at: number,
  message: Uint8Array,
  length: number,
  binding: RegionBinding | null,
): void {
  if (length <= LOOP_UP_TO) {
    for (let i = 0; i < length; i++) bytes[at + i] = message[i]!
  } else if (length < NATIVE_FROM_MISALIGNED || binding?.copyIn === undefined) {
    bytes.set(message, at)
  } else if (length >= NATIVE_FROM || ((message.byteOffset ^ at) & 7) !== 0) {
    binding.copyIn(at, message)
  } else {
    bytes.set(message, at)
  }
}

const SLAB_BYTES = 1 << 16
const SLAB_UP_TO = 1 << 12

let slab = new ArrayBuffer(0)
let slabUsed = 0

/** Memory of its own for a received message; small ones share slabs, as Node's Buffers do. */
function allocate(length: number, misalignment: number): Uint8Array<ArrayBuffer> {
  if (length > SLAB_UP_TO) return new Uint8Array(new ArrayBuffer(length + misalignment), misalignment, length)
  if (slabUsed + misalignment + length > slab.byteLength) {
    slab = new ArrayBuffer(SLAB_BYTES)
    slabUsed = 0
  }
  const view = new Uint8Array(slab, slabUsed + misalignment, length)
  slabUsed = (slabUsed + misalignment + length + 7) & ~7
  return view
}

/** A copy of the region's bytes from start to end. */
export function copyOut(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = end - start
  const copy = allocate(length, start & 7)
  if (length <= LOOP_UP_TO) {
    for (let i = 0; i < length; i++) copy[i] = bytes[start + i]!
  } else {
    copy.set(bytes.subarray(start, end))
  }
  return copy
}
