// The codec 'msgpack': plain JavaScript, so it is the one that every host has, and the one for a
// peer that is not trusted. A value becomes one flat list (list.ts), and msgpackr writes and reads
// that list. Of msgpackr only numbers, strings, booleans, null, undefined, big integers and arrays
// are used: its ways for classes, cycles and records lose or guess, and recurse.
import { Packr } from 'msgpackr'
import { ArraysIn, ArraysOut, noPortsIn, noPortsOut, ownHead, PREFIX } from './arrays.js'
import { decoding, encoding, type Format, MSGPACK_ID, V8_FIRST_BYTE } from './format.js'
import { listOf, valueIn } from './list.js'

/** msgpackr's option for `pack`: leave bytes free in front, as many as it exceeds this by. */
const RESERVE_START = 2048

const packr = new Packr({ useRecords: false, useBigIntExtension: true, mapsAsObjects: false } as never)

export const msgpackFormat: Format = {
  name: 'msgpack',
  id: MSGPACK_ID,
  encode(value, ports = noPortsOut) {
    return encoding(() => {
      const arrays = new ArraysOut()
      return arrays.behind(packr.pack(listOf(value, arrays, ports), RESERVE_START + PREFIX))
    })
  },
  decode(message, ports = noPortsIn) {
    return decoding(() => {
      const arrays = new ArraysIn(message)
      const head = ownHead(arrays.head)
      if (head[0] === V8_FIRST_BYTE) throw new Error("it was encoded with 'v8'; let both sides use the codec 'msgpack'")
      requireList(head)
      return valueIn(packr.unpack(head) as unknown[], arrays, ports)
    })
  },
}

// ---- what may stand in a list ----

/** Bytes that follow the first byte of a number, from 0xca (a float of 32 bits) on. */
const NUMBERS = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8]
const UNDEFINED = 0x00
const BIG_INTEGER = 0x42

/**
 * Is it one array, of primitives and of arrays of primitives, and nothing behind? msgpackr alone
 * would also make what a peer defines itself, and would set memory aside for lengths that only
 * stand there. Errors: Error.
 */
function requireList(head: Uint8Array): void {
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  let at = 0
  /** The count of an array that begins here, else -1. */
  const opened = (): number => {
    const first = view.getUint8(at)
    if (first >= 0x90 && first <= 0x9f) {
      at += 1
      return first & 15
    }
    if (first !== 0xdc && first !== 0xdd) return -1
    const count = first === 0xdc ? view.getUint16(at + 1) : view.getUint32(at + 1)
    at += first === 0xdc ? 3 : 5
    return count
  }
  const count = opened()
  if (count < 0) throw new Error("it was not encoded with the codec 'msgpack'")
  for (let i = 0; i < count; i++) {
    const items = opened()
    if (items < 0) at = afterPrimitive(view, at)
    else for (let item = 0; item < items; item++) at = afterPrimitive(view, at)
  }
  if (at !== head.length) throw new Error('its list has another length than it says')
}

/** Where the next item begins. Errors: Error, RangeError. */
function afterPrimitive(view: DataView, at: number): number {
  const first = view.getUint8(at)
  if (first < 0x80 || first >= 0xe0 || first === 0xc0 || first === 0xc2 || first === 0xc3) return at + 1
  if (first >= 0xa0 && first < 0xc0) return at + 1 + (first & 31)
  if (first >= 0xca && first <= 0xd3) return at + 1 + NUMBERS[first - 0xca]!
  if (first === 0xd9) return at + 2 + view.getUint8(at + 1)
  if (first === 0xda) return at + 3 + view.getUint16(at + 1)
  if (first === 0xdb) return at + 5 + view.getUint32(at + 1)
  if (first >= 0xd4 && first <= 0xd8) return afterExtension(view, at + 1, 1 << (first - 0xd4))
  if (first === 0xc7) return afterExtension(view, at + 2, view.getUint8(at + 1))
  if (first === 0xc8) return afterExtension(view, at + 3, view.getUint16(at + 1))
  if (first === 0xc9) return afterExtension(view, at + 5, view.getUint32(at + 1))
  throw new Error('its list has an item of no kind that is known')
}

function afterExtension(view: DataView, at: number, length: number): number {
  const type = view.getUint8(at)
  if (type !== BIG_INTEGER && !(type === UNDEFINED && length === 1)) {
    throw new Error('its list has an item of no kind that is known')
  }
  return at + 1 + length
}
