// The codec 'v8': V8's own serializer, where the host has it. Typed arrays do not pass through it:
// it writes which and how long they are, and their bytes follow, so each is copied once into the
// ring and once out. What V8 would not write as it is goes as 'msgpack' writes it; V8's first byte
// tells the two apart.
import type * as nodeV8 from 'node:v8'
import { typedArrayName } from '../base/brand.js'
import { SabwayError } from '../base/errors.js'
import {
  ArraysIn,
  ArraysOut,
  noPortsIn,
  noPortsOut,
  ownHead,
  PREFIX,
  refuse,
  SHARED_MEMORY,
  viewNumber,
} from './arrays.js'
import { decoding, encoding, type Format, type PortsIn, type PortsOut, V8_FIRST_BYTE, V8_ID } from './format.js'
import { kindOf, suitsV8 } from './kinds.js'
import { msgpackFormat } from './msgpack.js'

/** What a host object is: the number of a view's type, or this. */
const PORT = 255

let found: Format | null | undefined

/**
 * Null where there is no serializer of V8's: in pages, in sandboxed preload scripts, and in hosts
 * that only name it.
 */
export function v8Format(): Format | null {
  if (found !== undefined) return found
  try {
    const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } }
    const format = v8With(process!.getBuiltinModule!('node:v8') as typeof nodeV8)
    const [head, bytes] = format.encode({ bytes: Uint8Array.of(1) })
    const message = new Uint8Array(((head!.length + 7) & ~7) + 1)
    message.set(head!)
    message.set(bytes!, message.length - 1)
    const { bytes: copy } = format.decode(message) as { bytes: Uint8Array }
    found = copy[0] === 1 ? format : null
  } catch {
    found = null
  }
  return found
}

function v8With({ Serializer, Deserializer }: typeof nodeV8): Format {
  class Writer extends Serializer {
    readonly arrays = new ArraysOut()

    constructor(private readonly ports: PortsOut) {
      super()
      // @ts-expect-error it is there, but not in the types
      this._setTreatArrayBufferViewsAsHostObjects(true)
    }

    _writeHostObject(object: object): void {
      if (ArrayBuffer.isView(object)) {
        this.writeUint32(viewNumber(typedArrayName(object) ?? 'DataView'))
        this.writeUint32(this.arrays.add(object.buffer, object.byteOffset, object.byteLength))
      } else if (kindOf(object) === 'port') {
        this.writeUint32(PORT)
        this.writeUint32(this.ports.numberOf(object as MessagePort))
      } else refuse('an object of the host could not be cloned; send what it is made of')
    }

    _getSharedArrayBufferId(): number {
      return refuse(SHARED_MEMORY)
    }

    /** V8 asks for the error to throw. */
    _getDataCloneError(why: string): SabwayError {
      return new SabwayError('ERR_SABWAY_NOT_ENCODABLE', why.length <= 100 ? why : `${why.slice(0, 100)}...`)
    }
  }

  class Reader extends Deserializer {
    constructor(
      private readonly arrays: ArraysIn,
      private readonly ports: PortsIn,
    ) {
      super(ownHead(arrays.head))
    }

    _readHostObject(): object {
      const type = this.readUint32()
      const number = this.readUint32()
      return type === PORT ? this.ports.portOf(number) : this.arrays.view(type, number)
    }
  }

  return {
    name: 'v8',
    id: V8_ID,
    encode(value, ports = noPortsOut) {
      return encoding(() => {
        if (!suitsV8(value)) return msgpackFormat.encode(value, ports)
        const writer = new Writer(ports)
        writer.writeRawBytes(new Uint8Array(PREFIX))
        writer.writeHeader()
        writer.writeValue(value)
        return writer.arrays.behind(writer.releaseBuffer())
      })
    },
    decode(message, ports = noPortsIn) {
      return decoding(() => {
        const arrays = new ArraysIn(message)
        if (arrays.head[0] !== V8_FIRST_BYTE) return msgpackFormat.decode(message, ports)
        const reader = new Reader(arrays, ports)
        reader.readHeader()
        return reader.readValue()
      })
    },
  }
}
