// The codec 'msgpack': plain JavaScript, so it is the one that every host has, and the one for a peer that is not trusted. A value
// becomes one flat list (codec-list.ts), and msgpackr writes and reads that list. Of msgpackr only numbers, strings, booleans,
// null, undefined, big integers and arrays are used: its ways for classes, cycles and records lose or guess, and recurse.
import { Packr } from 'msgpackr'
import {
  ArraysIn,
  ArraysOut,
  decoding,
  encoding,
  type Format,
  MSGPACK_ID,
  noPortsIn,
  noPortsOut,
  ownHead,
  PREFIX,
  V8_FIRST_BYTE,
} from './codec-format.js'
import { listOf, valueIn } from './codec-list.js'

/** msgpackr's option for `pack`: leave so many bytes in front. */
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
      const list: unknown = packr.unpack(head)
      if (!Array.isArray(list)) throw new Error("it was not encoded with the codec 'msgpack'")
      return valueIn(list, arrays, ports)
    })
  },
}
