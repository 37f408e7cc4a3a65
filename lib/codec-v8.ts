// The codec 'v8': V8's own serializer, for whatever a structured clone can carry. Typed arrays do not pass through it: it writes
// which and how long they are, and their bytes follow as parts of their own, so each is copied once into the ring and once out.
//
//   u32 length of what V8 wrote | V8's bytes | padding to 8 | bytes of the first array | padding to 8 | ...
import v8 from 'node:v8'
import { type Format, noPortsIn, noPortsOut, orNot, type PortsIn, type PortsOut, V8_ID } from './codec.js'
import { SabwayError } from './errors.js'
import { isMessagePort } from './host.js'

/** What a host object is: the index of a view's type in VIEWS, or this. */
const PORT = 255
const PREFIX = 4

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

const refuse = (why: string): never => {
  throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', why)
}

class Writer extends v8.Serializer {
  readonly views: Uint8Array[] = []

  constructor(private readonly ports: PortsOut) {
    super()
    // @ts-expect-error it is there, but not in the types
    this._setTreatArrayBufferViewsAsHostObjects(true)
  }

  _writeHostObject(object: object): void {
    if (isMessagePort(object)) {
      this.writeUint32(PORT)
      this.writeUint32(this.ports.numberOf(object))
      return
    }
    const type = ArrayBuffer.isView(object) ? NAMES.indexOf(Object.prototype.toString.call(object).slice(8, -1)) : -1
    if (type < 0) refuse(`${Object.prototype.toString.call(object)} is bound to this thread`)
    const { buffer, byteOffset, byteLength } = object as ArrayBufferView
    if (buffer instanceof SharedArrayBuffer) this._getSharedArrayBufferId()
    this.writeUint32(type)
    this.writeUint32(byteLength)
    this.views.push(new Uint8Array(buffer, byteOffset, byteLength))
  }

  _getSharedArrayBufferId(): number {
    return refuse('a SharedArrayBuffer does not travel through a ring; share it once, with postMessage')
  }

  /** V8 asks for the error to throw. */
  _getDataCloneError(why: string): SabwayError {
    return new SabwayError('ERR_SABWAY_NOT_ENCODABLE', why.length <= 100 ? why : `${why.slice(0, 100)}...`)
  }
}

class Reader extends v8.Deserializer {
  private at: number

  constructor(
    private readonly message: Uint8Array,
    head: Uint8Array,
    private readonly ports: PortsIn,
  ) {
    super(head)
    this.at = PREFIX + head.length
  }

  _readHostObject(): object {
    const type = this.readUint32()
    const number = this.readUint32()
    if (type === PORT) return this.ports.portOf(number)
    const View = VIEWS[type]
    if (View === undefined) throw new Error(`an array of type ${NAMES[type] ?? type}, which is not here`)
    const start = (this.at + 7) & ~7
    if (number > this.message.length - start) throw new Error('its arrays are longer than the message')
    this.at = start + number
    const copy = new Uint8Array(number)
    copy.set(this.message.subarray(start, this.at))
    const width = (View as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1
    return new View(copy.buffer, 0, number / width)
  }
}

export const v8Format: Format = {
  name: 'v8',
  id: V8_ID,
  encode(value, ports = noPortsOut) {
    return orNot('ENCODABLE', () => {
      const writer = new Writer(ports)
      const prefix = new Uint8Array(PREFIX)
      writer.writeRawBytes(prefix)
      writer.writeHeader()
      writer.writeValue(value)
      const head = writer.releaseBuffer()
      head.writeUInt32LE(head.length - PREFIX, 0)
      return [head, ...writer.views]
    })
  },
  decode(message, ports = noPortsIn) {
    return orNot('DECODABLE', () => {
      if (message.length < PREFIX) throw new Error('it is too short for a value')
      const length = new DataView(message.buffer, message.byteOffset).getUint32(0, true)
      if (length > message.length - PREFIX) throw new Error('it is shorter than it says')
      // A copy: V8 must not read what the peer can still change.
      const head = Buffer.allocUnsafe(length)
      head.set(message.subarray(PREFIX, PREFIX + length))
      const reader = new Reader(message, head, ports)
      reader.readHeader()
      return reader.readValue()
    })
  },
}
