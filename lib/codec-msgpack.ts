// The codec 'msgpack': MessagePack by msgpackr, with the extensions it has for Map, Set, Date, BigInt, Error, typed arrays and
// cycles. Where there is no V8 serializer, and where the other side is not to be trusted: it is plain JavaScript.
import type * as msgpackr from 'msgpackr'
import { type Format, MSGPACK_ID, noPortsIn, noPortsOut, orNot, type PortsIn, type PortsOut } from './codec.js'
import { copyOut } from './copy.js'
import { SabwayError } from './errors.js'
import { MessagePort } from './host.js'

/** Of MessagePack's extension types: a MessagePort, by number. */
const PORT = 0x50

let portsOut: PortsOut = noPortsOut
let portsIn: PortsIn = noPortsIn

const refuse = (what: string) => (): never => {
  throw new SabwayError('ERR_SABWAY_NOT_ENCODABLE', what)
}

/** The library is given, not imported: in Node it is loaded when it is first needed. */
export function msgpackWith({ addExtension, Packr }: Pick<typeof msgpackr, 'addExtension' | 'Packr'>): Format {
  addExtension({
    Class: MessagePort!,
    type: PORT,
    pack(port: MessagePort) {
      const bytes = new Uint8Array(4)
      new DataView(bytes.buffer).setUint32(0, portsOut.numberOf(port))
      return bytes
    },
    unpack: (bytes: Uint8Array) => portsIn.portOf(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)),
  } as never)
  addExtension({
    Class: SharedArrayBuffer,
    type: PORT + 1,
    pack: refuse('a SharedArrayBuffer does not travel through a ring; share it once, with postMessage'),
    unpack: () => null,
  } as never)
  const packr = new Packr({
    structuredClone: true,
    useBigIntExtension: true,
    writeFunction: refuse('a function could not be cloned'),
  } as never)
  return msgpackFormat(packr)
}

const msgpackFormat = (packr: msgpackr.Packr): Format => ({
  name: 'msgpack',
  id: MSGPACK_ID,
  encode(value, ports = noPortsOut) {
    portsOut = ports
    try {
      return [orNot('ENCODABLE', () => packr.pack(value))]
    } finally {
      portsOut = noPortsOut
    }
  },
  decode(message, ports = noPortsIn) {
    portsIn = ports
    try {
      const copy = copyOut(message, 0, message.length) // strings and arrays are read more than once
      return orNot('DECODABLE', () => packr.unpack(copy))
    } finally {
      portsIn = noPortsIn
    }
  },
})
