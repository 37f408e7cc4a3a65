// Regions over SharedArrayBuffers that the program has: which of them can be one, how a region is
// written into one, and the native core on it. Loaded with the addon.
//
//   first word   state
//   0            nothing is there: `claim` -> claimed
//   CLAIMED      a thread looks whether the buffer is empty, and writes a region
//   SW_MAGIC     a region
//
// A crash behind `claim` leaves a buffer that is refused until the program fills it with zeros.
import { addon } from '../base/addon.js'
import { isArrayBuffer, isMemory, isSharedArrayBuffer } from '../base/brand.js'
import * as check from '../base/check.js'
import { type Core, type CoreHost, coreCode, type GuardedCore, NO_HOST } from '../base/core.js'
import { adopting, coreError, SabwayError } from '../base/errors.js'
import { type BufferMemory, bytesOf } from '../base/region-memory.js'
import { SW_HEAP_AT, SW_MAGIC, SW_PAGE, sw_channel, sw_region_header } from '../generated/abi.js'

const CLAIMED = 1
const MAGIC = sw_region_header.magic >>> 2
/** What a region relies on to be zero: all that lies in front of the first ring's messages. */
const ZEROED = SW_HEAP_AT + sw_channel.sizeof

/** Is there the addon in this thread? */
export const hasAddon = (): boolean => addon() !== null

/**
 * The native core on a region's bytes. Errors: ERR_SABWAY_NOT_A_REGION,
 * ERR_SABWAY_INVALID_ARGUMENT (the memory's address).
 */
export function directCore(bytes: Uint8Array<SharedArrayBuffer>, host: CoreHost): Core {
  if (bytes.length < SW_HEAP_AT) {
    throw new SabwayError('ERR_SABWAY_NOT_A_REGION', `its memory has ${bytes.length} bytes, and none is so small`)
  }
  const functions = adopting(() => addon()!.directCore(bytes, host.wake))
  return coreCode.of((name) => functions[name]!)
}

/**
 * The buffer as a region's memory. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT
 * (it can grow).
 */
export function memoryOf(buffer: unknown): BufferMemory {
  if (!isSharedArrayBuffer(buffer)) {
    return check.refuse('ERR_SABWAY_INVALID_TYPE', `buffer must be a SharedArrayBuffer${hintFor(buffer)}`, buffer)
  }
  if (isGrowable(buffer)) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      'a SharedArrayBuffer that can grow is no place for a region, which has one size; make it without maxByteLength',
    )
  }
  return { buffer }
}

function hintFor(value: unknown): string {
  if (isMemory(value)) return ': pass the `buffer` of a shared WebAssembly.Memory'
  if (ArrayBuffer.isView(value)) return ': a region takes a whole buffer, not a view of one'
  return isArrayBuffer(value) ? ', which other threads can use, too' : ''
}

/** Whatever a class of the program's says, where the scope has the built-in one by name. */
function isGrowable(buffer: SharedArrayBuffer): boolean {
  const { prototype } = (globalThis as Partial<typeof globalThis>).SharedArrayBuffer ?? {}
  const growable = prototype && Object.getOwnPropertyDescriptor(prototype, 'growable')?.get
  return (growable?.call(buffer) ?? (buffer as { growable?: boolean }).growable) === true
}

/** A region that is vacant. Errors: as `createIn`. */
export const overWhole = <R>(buffer: unknown, join: (memory: BufferMemory) => R): R =>
  createIn(buffer, SW_HEAP_AT + SW_PAGE, (core, pages) => core.sw_region_format_empty(0, pages, 0), join)

/**
 * Write a region into a buffer that is empty: `format` does, into so many pages. It takes the whole
 * pages of the buffer, `needed` bytes at least. Errors: as `memoryOf`, ERR_SABWAY_OUT_OF_RANGE,
 * ERR_SABWAY_INVALID_STATE (something is there already).
 */
export function createIn<R>(
  buffer: unknown,
  needed: number,
  format: (core: GuardedCore, pages: number) => number,
  join: (memory: BufferMemory) => R,
): R {
  const memory = memoryOf(buffer)
  const bytes = bytesOf(memory)
  if (bytes.length < needed) {
    throw new SabwayError(
      'ERR_SABWAY_OUT_OF_RANGE',
      `the buffer has room for ${bytes.length} bytes in pages of ${SW_PAGE}; this needs ${needed}`,
    )
  }
  const { guarded } = directCore(bytes, NO_HOST)
  const zeroed = bytes.subarray(0, ZEROED)
  claim(zeroed)
  try {
    const status = format(guarded, bytes.length / SW_PAGE)
    if (status !== 0) throw coreError(status, 'while making a region')
    return join(memory)
  } catch (error) {
    zeroed.fill(0)
    throw error
  }
}

/** Be the one that writes a region into the buffer. */
function claim(zeroed: Uint8Array<SharedArrayBuffer>): void {
  const words = new Int32Array(zeroed.buffer, 0, (sw_region_header.magic >>> 2) + 1)
  const first = Atomics.compareExchange(words, MAGIC, 0, CLAIMED)
  if (first === SW_MAGIC || first === CLAIMED) throw new SabwayError('ERR_SABWAY_INVALID_STATE', TAKEN)
  if (first !== 0) throw occupied(zeroed, 4 * MAGIC)
  const rest = 4 * MAGIC + 4
  const found = addon()!.firstSet(zeroed.subarray(rest))
  if (found < 0) return
  Atomics.store(words, MAGIC, 0)
  throw occupied(zeroed, rest + found)
}

const TAKEN =
  'a region is in this buffer already: to join it pass its `handle` to Region.open or SharedMemoryChannel.attach; if it is used no more, fill the buffer with zeros'

const occupied = (bytes: Uint8Array, at: number): SabwayError =>
  new SabwayError(
    'ERR_SABWAY_INVALID_STATE',
    `a region takes all of the buffer, and there is something in it: byte ${at} is ${bytes[at]}; fill it with zeros first`,
  )
