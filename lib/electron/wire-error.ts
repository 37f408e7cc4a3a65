// Errors on their way between main, preload and page.
import { adopt, detailOf, isOurs, SabwayError } from '../base/errors.js'
import { reason } from '../base/shown.js'
import type { Refusal } from './messages.js'

/** What was thrown, in parts that survive every kind of cloning. */
export function toWire(thrown: unknown): Refusal {
  const error = adopt(thrown)
  if (!isOurs(error)) return { code: 'ERR_SABWAY_INVALID_STATE', detail: reason(error) }
  return { code: error.code, detail: detailOf(error) }
}

/** The error that those parts make. */
export const fromWire = ({ code, detail }: Refusal): SabwayError => new SabwayError(code, detail)
