// Which codec the values of a map, queue or broadcast go through: its number in the control block.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { formatFor, partsFor } from '../channel/parts.js'
import type { Format } from '../codec/format.js'

const OWN_CODEC = 0x80000000

/**
 * The number of a codec in the control block; of one of the program's own it is a hash of its name.
 */
export function codecNumber(format: Format | null): number {
  if (format === null) return 0
  if (format.id !== 0) return format.id
  let hash = 0
  for (let i = 0; i < format.name.length; i++) hash = (Math.imul(hash, 31) + format.name.charCodeAt(i)) | 0
  return (hash | OWN_CODEC) >>> 0
}

const nameOfCodec = (number: number): string | undefined =>
  number === 0 ? 'bytes' : partsFor('a codec').nameOfFormat(number)

/**
 * The format of the map, or of what else `what` says, whose codec has that number. Errors:
 * ERR_SABWAY_INVALID_ARGUMENT.
 */
export function formatIn(number: number, asked: unknown, what = 'map'): Format | null {
  const shared = nameOfCodec(number)
  if (asked === undefined || asked === 'bytes') return shared === undefined ? null : formatFor(undefined, shared)
  const format = typeof asked === 'string' && shared !== undefined ? formatFor(asked, shared) : formatFor(asked)
  if (codecNumber(format) === number) return format
  throw new SabwayError(
    'ERR_SABWAY_INVALID_ARGUMENT',
    `the ${what} was made with ${shared === undefined ? 'a codec of your own' : shared === 'bytes' ? 'no codec' : `codec '${shared}'`}, not with ${check.shown(format?.name)}; all participants must use the same`,
  )
}
