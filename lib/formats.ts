// The codecs that come with Sabway, by their names and by their numbers.
import { type Format, MSGPACK_ID, V8_ID } from './codec-format.js'
import { msgpackFormat } from './codec-msgpack.js'
import { v8Format } from './codec-v8.js'
import { SabwayError } from './errors.js'
import { shown } from './shown.js'

const NAMES = () => (v8Format() === null ? ['structured', 'msgpack'] : ['structured', 'v8', 'msgpack'])

/** Pages have no V8 serializer, and what main makes is often for them. */
const isElectron = (): boolean =>
  (globalThis as { process?: { versions?: { electron?: string } } }).process?.versions?.electron !== undefined

/** The format of that name; 'structured' is the first that is here. Errors: ERR_SABWAY_INVALID_ARGUMENT. */
export function formatNamed(name: string): Format {
  if (name === 'msgpack') return msgpackFormat
  if (name === 'structured') return (isElectron() ? null : v8Format()) ?? msgpackFormat
  const format = name === 'v8' ? v8Format() : null
  if (format) return format
  const remedy = name === 'v8' ? "; every host has 'msgpack': let both sides use it" : ''
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `codec ${shown(name)} is not here; there are 'bytes', ${NAMES().map(shown).join(', ')}, and codecs of your own: { name, encode, decode }${remedy}`,
  )
}

/** The format with that number in frames. Errors: ERR_SABWAY_NOT_DECODABLE. */
export function formatWithId(id: number): Format {
  if (id === MSGPACK_ID) return msgpackFormat
  const format = id === V8_ID ? v8Format() : undefined
  if (format) return format
  throw new SabwayError(
    'ERR_SABWAY_NOT_DECODABLE',
    format === undefined
      ? `no codec has the number ${id}; is the other side a port of Sabway, too?`
      : "it was encoded with 'v8', which is not here; let both sides use the codec 'msgpack'",
  )
}
