// What the codecs that come with Sabway share: how they refuse, and how arrays follow a head.
//
//   u32 length of the head | the head | padding to 8
//   | bytes of the first array | padding to 8 | bytes of the second | ...
import { lengthOf, plain } from '../base/brand.js'
import { SabwayError } from '../base/errors.js'
import type { PortsIn, PortsOut } from './format.js'

export function refuse(why: string): never {
  throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', why)
}

export const SHARED_MEMORY = 'a SharedArrayBuffer does not travel through a ring; share it once, with postMessage'

export const noPortsOut: PortsOut = {
  numberOf: () =>
    refuse('a MessagePort travels only through channel.port(), and in the transfer list: postMessage(value, [port])'),
}
export const noPortsIn: PortsIn = {
  portOf() {
    throw new SabwayError('ERR_SABWAY_NOT_DECODABLE', 'it names a MessagePort, which only channel.port() can receive')
  },
}

// ---- arrays behind a head ----

export const PREFIX = 4

type ViewType = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView

/** Only ever add at the end: the index is in the messages. */
const NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'DataView',
  'Float16Array', // from Node 24 on
]
const VIEWS = NAMES.map((name) => (globalThis as unknown as Record<string, ViewType | undefined>)[name])

/** The number by which a view's type travels: its name is that of a typed array, or 'DataView'. */
export function viewNumber(name: string): number {
  const number = NAMES.indexOf(name)
  return number < 0 ? refuse(`arrays of type ${name} are not known to this version`) : number
}

/** The name of the type with that number, and its class where this platform has it. */
export const viewType = (number: number): { name: string | undefined; View: ViewType | undefined } => ({
  name: NAMES[number],
  View: VIEWS[number],
})

/**
 * How many bytes the resizable buffers of one message may grow to, all together: address space is
 * set aside for them when they are made.
 */
const MOST_RESERVED = 2 ** 32

/** The bytes that follow the head. They are not copied before the message is sent. */
export class ArraysOut {
  private readonly arrays: Uint8Array[] = []
  private readonly lengths: number[] = []
  private reserved = 0

  /** Returns the number of bytes. Errors: TypeError when the memory was transferred away. */
  add(buffer: ArrayBufferLike, offset?: number, length?: number): number {
    const bytes = new Uint8Array(buffer as ArrayBuffer, offset, length)
    this.arrays.push(bytes)
    this.lengths.push(bytes.length)
    return bytes.length
  }

  reserve(most: number): void {
    this.reserved += most
    if (this.reserved > MOST_RESERVED) refuse('resizable buffers of one message may grow to 4 GiB, all together')
  }

  /** The message: `head` has room for the prefix in front. */
  behind(head: Uint8Array): Uint8Array[] {
    new DataView(head.buffer, head.byteOffset).setUint32(0, head.length - PREFIX, true)
    // A getter of the value may have shrunk or transferred what was looked at before.
    this.arrays.forEach((array, i) => {
      if (lengthOf(array) !== this.lengths[i]) refuse('memory of an array was taken away while the value was read')
    })
    return [head, ...this.arrays]
  }
}

/** Reads what ArraysOut wrote. Each array gets a buffer of its own. */
export class ArraysIn {
  readonly head: Uint8Array
  private at: number
  private reserved = 0

  constructor(private readonly message: Uint8Array) {
    if (message.length < PREFIX) throw new Error('it is too short for a value')
    const length = new DataView(message.buffer, message.byteOffset).getUint32(0, true)
    if (length > message.length - PREFIX) throw new Error('it is shorter than it says')
    this.at = PREFIX + length
    this.head = message.subarray(PREFIX, this.at)
  }

  reserve(most: unknown): void {
    this.reserved += Number(most)
    if (!(this.reserved <= MOST_RESERVED)) throw new Error('its buffers would grow beyond what a message may have')
  }

  take(length: number): ArrayBuffer {
    const start = this.at + (-this.at & 7)
    if (!(length >= 0 && length <= this.message.length - start))
      throw new Error('its arrays are longer than the message')
    this.at = start + length
    const copy = new Uint8Array(length)
    copy.set(this.message.subarray(start, this.at))
    return copy.buffer
  }

  view(type: number, length: number): ArrayBufferView {
    const View = VIEWS[type]
    if (View === undefined) throw new Error(`an array of type ${NAMES[type] ?? type}, which is not available here`)
    const width = (View as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    return new View(this.take(length), 0, length / width)
  }
}

/** A copy of the head, which the peer cannot change while it is read. */
export function ownHead(head: Uint8Array): Uint8Array {
  const copy = new Uint8Array(head.length)
  copy.set(plain(head))
  return copy
}
