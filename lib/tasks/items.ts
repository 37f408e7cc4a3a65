// The bytes of the items of a pool's two queues: which task, what is said of it, and a value. The
// value is written as maps and queues write theirs, so that a number, a text or an array of numbers
// costs no serializer: V8's makes two objects for each message, which cost its collector more than
// all else of a short task.
//
//   0    the task's number, a double
//   8    what: one of those of wire.ts
//   9    the type of the value; NOTHING_SAID: there is none
//   16   its bytes
import { SabwayError } from '../base/errors.js'
import type { Codec } from '../codec/codec.js'
import type { Format } from '../codec/format.js'
import { putValue, takeValue, type ValuePlace, type Views, viewsOf } from '../map/values.js'

/** An item of the queue of tasks, or of that of answers. */
export type Item = [task: number, what: number, value?: unknown]

const WHAT = 8
const TYPE = 9
const VALUE = 16
const NOTHING_SAID = 0
/** Room for a value that a thread has, and as much as it keeps. */
const USUAL = 1024
const KEPT = 65536

/** Memory of this thread alone, where one item at a time is written or read. */
class Desk implements ValuePlace {
  readonly at = VALUE
  length = 0
  room: number
  /** The same object for good: what writes here holds it while it asks for more room. */
  readonly views: { -readonly [View in keyof Views]: Views[View] }

  constructor() {
    this.room = USUAL
    this.views = viewsOf(new Uint8Array(VALUE + this.room))
  }

  need(bytes: number): void {
    if (bytes > this.room) this.#make(Math.ceil(bytes / USUAL) * USUAL)
  }

  /** Before each use. */
  clear(): void {
    this.length = 0
    if (this.room > KEPT) this.#make(USUAL)
  }

  #make(room: number): void {
    this.room = room
    Object.assign(this.views, viewsOf(new Uint8Array(VALUE + room)))
  }
}

/** The codec of a pool's queues, for values that go through the given one where they need it. */
export function itemCodec(format: Format | null): Codec<never> {
  const desk = new Desk()
  const rules = { numeric: 0, format }
  const codec: Codec<Item> = {
    name: `tasks of ${format?.name ?? 'bytes'}`,
    encode([task, what, value]) {
      desk.clear()
      const type = value === undefined ? NOTHING_SAID : putValue(desk.views, desk, value, rules)
      const { bytes, doubles } = desk.views
      doubles[0] = task
      bytes[WHAT] = what
      bytes[TYPE] = type
      return bytes.subarray(0, VALUE + desk.length)
    },
    decode(message) {
      const length = message.length - VALUE
      if (length < 0) throw new SabwayError('ERR_SABWAY_NOT_DECODABLE', 'it is no item of a pool of tasks')
      desk.clear()
      desk.need(length)
      const { bytes, doubles } = desk.views
      bytes.set(message)
      const [task, what, type] = [doubles[0]!, bytes[WHAT]!, bytes[TYPE]!]
      return type === NOTHING_SAID ? [task, what] : [task, what, takeValue(desk.views, VALUE, length, type, format)]
    },
  }
  return codec as Codec<never>
}
