import { adopt, detailOf, isOurs, SabwayError } from '../base/errors.js'
import { reason } from '../base/shown.js'
import type { Refusal } from './messages.js'

/** An error as it travels. */
export function refusal(thrown: unknown): Refusal {
  const error = adopt(thrown)
  if (!isOurs(error)) return { code: 'ERR_SABWAY_INVALID_STATE', detail: reason(error) }
  return { code: error.code, detail: detailOf(error) }
}

/** And as it arrives. */
export const refused = ({ code, detail }: Refusal): SabwayError => new SabwayError(code, detail)
