// select: one of several sends and receives, whichever can be done first.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { needLoop } from '../base/host.js'
import { NOTHING } from '../loop/block.js'
import { type Attempt, Meeting, type Selected, tryAll } from './meeting.js'
import { SharedChannel } from './shared-channel.js'
import { type Awaited, sourceOf } from './waiting.js'

/** What may be done: receive from a channel, or send a value to one. */
export type SelectCase<T = unknown> =
  | { readonly receive: SharedChannel<T> }
  | { readonly send: SharedChannel<T>; readonly value: T }

export interface SelectOptions extends check.Patience {
  /** Do not wait: where no case can be done at once, the index is -1. */
  default?: boolean
}

export type { Selected }

const NONE: Selected<never> = { index: -1, done: false }
let number = 0

/**
 * Do one of the cases, as soon as one can be done; of several that can, any, each as likely as the
 * others. The others are not done. All channels are of one region. A channel that was closed, and
 * from which all was received, is such a case: `done` tells. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT: no cases, or of several regions; ERR_SABWAY_CLOSED: a channel to be
 * sent to was closed; as SharedChannel's `send` and `receive`; ERR_SABWAY_TIMEOUT,
 * ERR_SABWAY_ABORTED.
 */
export async function select<T = unknown>(
  cases: readonly SelectCase<T>[],
  options?: SelectOptions,
): Promise<Selected<T>> {
  const { timeout, signal, default: now } = checked(options)
  const attempts = attemptsOf(cases)
  if (now === true) return orNone(tryAll(attempts))
  const { set } = attempts[0]!
  const call = {
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    source: sourceOf(set, distinct(attempts)),
    take: () => tryAll(attempts),
    timedOut: late,
  }
  const key = `select:${number++}`
  if (timeout === 0 || signal?.aborted || !attempts.some(({ unbuffered }) => unbuffered))
    return set.wait<Selected<T>>(key, call)
  needLoop()
  const meeting = new Meeting(attempts)
  try {
    return await set.wait<Selected<T>>(key, { ...call, take: () => meeting.take(), last: () => meeting.last() })
  } finally {
    meeting.end()
  }
}

/** As `select`, blocking this thread. Errors: as `select`; ERR_SABWAY_INVALID_STATE. */
export function selectSync<T = unknown>(
  cases: readonly SelectCase<T>[],
  options?: { timeout?: number; default?: boolean },
): Selected<T> {
  const { timeout = Number.POSITIVE_INFINITY, default: now } = checked(options)
  const attempts = attemptsOf(cases)
  if (now === true) return orNone(tryAll(attempts))
  const { set } = attempts[0]!
  const source = sourceOf(set, distinct(attempts))
  const key = `select:${number++}`
  const meeting = timeout !== 0 && attempts.some(({ unbuffered }) => unbuffered) ? new Meeting(attempts) : null
  try {
    const take = meeting === null ? () => tryAll(attempts) : () => meeting.take()
    let selected = set.block<Selected<T>>(key, source, take, timeout)
    if (selected === NOTHING && meeting !== null) selected = meeting.last()
    if (selected === NOTHING) throw late(timeout)
    return selected
  } finally {
    meeting?.end()
  }
}

const orNone = <T>(selected: Selected<T> | typeof NOTHING): Selected<T> => (selected === NOTHING ? NONE : selected)

const late = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `none of the cases could be done within ${timeout} ms`)

function checked(options: SelectOptions | undefined): SelectOptions {
  const found = check.options<SelectOptions>(options, 'select options', ['timeout', 'signal', 'default'])
  if (found.timeout !== undefined) check.milliseconds(found.timeout, 'timeout')
  check.abortSignal(found.signal)
  return found
}

/** A channel may stand in several cases. */
function distinct(attempts: readonly Attempt<never>[] | readonly Attempt<unknown>[]): Awaited[] {
  return [...new Map(attempts.map(({ thing }) => [thing.key, thing])).values()]
}

function attemptsOf<T>(cases: readonly SelectCase<T>[]): Attempt<T>[] {
  const list = check.list(check.array(cases, 'cases') as readonly SelectCase<T>[], 'cases')
  if (list.length === 0) throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'select needs one case at least')
  const attempts = list.map((each, i) => attemptOf<T>(each, `case ${i}`))
  if (attempts.some(({ set }) => set !== attempts[0]!.set)) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      'the channels of a select must be of one region; make them in one heap',
    )
  }
  return attempts
}

function attemptOf<T>(given: SelectCase<T>, name: string): Attempt<T> {
  const { receive, send, value } = check.fields(given as object, name, ['receive', 'send', 'value'] as never) as {
    receive?: SharedChannel<T>
    send?: SharedChannel<T>
    value?: T
  }
  const channel = receive ?? send
  if (typeof channel !== 'object' || channel === null || !SharedChannel.isChannel(channel))
    return check.refuse(
      'ERR_SABWAY_INVALID_TYPE',
      `${name} must be { receive: channel } or { send: channel, value }`,
      given,
    )
  return channel.attemptOf(receive === undefined, value as T)
}
