import { isError } from '../brand.js'
import { adopt, SabwayError } from '../errors.js'
import { ERRORS } from '../generated/abi.js'
import { reason } from '../shown.js'
import type { Refusal } from './messages.js'

/** An error as it travels. */
export function refusal(thrown: unknown): Refusal {
  const error = adopt(thrown)
  if (!isOurs(error)) return { code: 'ERR_SABWAY_INVALID_STATE', detail: reason(error) }
  return { code: error.code, detail: error.message.slice(ERRORS[error.code].text.length + 2) }
}

/** Of this copy of the library, or of another one in the program. */
const isOurs = (error: unknown): error is SabwayError =>
  isError(error) && Object.hasOwn(ERRORS, (error as Partial<SabwayError>).code ?? '')

/** And as it arrives. */
export const refused = ({ code, detail }: Refusal): SabwayError => new SabwayError(code, detail)
