// select: one of several sends and receives, whichever can be done first.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { NOTHING } from '../loop/block.js'
import type { WaitSet } from '../loop/waits.js'
import { END } from '../queues/queue.js'
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

/** What was done. */
export interface Selected<T = unknown> {
  /** Of the case; -1: none, and `default` was asked for. */
  readonly index: number
  /** What was received. */
  readonly value?: T
  /** The channel that was to be received from was closed, and all was received. */
  readonly done: boolean
}

interface Attempt<T> {
  readonly thing: Awaited
  readonly set: WaitSet
  attempt(): Omit<Selected<T>, 'index'> | typeof NOTHING
}

const NONE: Selected<never> = { index: -1, done: false }
const SENT = { done: false }
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
  if (now === true) return tryAll(attempts) ?? NONE
  const { set } = attempts[0]!
  return set.wait<Selected<T>>(`select:${number++}`, {
    ...(timeout === undefined ? {} : { timeout }),
    ...(signal === undefined ? {} : { signal }),
    source: sourceOf(set, distinct(attempts)),
    take: () => tryAll(attempts) ?? NOTHING,
    timedOut: late,
  })
}

/** As `select`, blocking this thread. Errors: as `select`; ERR_SABWAY_INVALID_STATE. */
export function selectSync<T = unknown>(
  cases: readonly SelectCase<T>[],
  options?: { timeout?: number; default?: boolean },
): Selected<T> {
  const { timeout = Number.POSITIVE_INFINITY, default: now } = checked(options)
  const attempts = attemptsOf(cases)
  if (now === true) return tryAll(attempts) ?? NONE
  const { set } = attempts[0]!
  const source = sourceOf(set, distinct(attempts))
  const selected = set.block<Selected<T>>(`select:${number++}`, source, () => tryAll(attempts) ?? NOTHING, timeout)
  if (selected === NOTHING) throw late(timeout)
  return selected
}

const late = (timeout: number): SabwayError =>
  new SabwayError('ERR_SABWAY_TIMEOUT', `none of the cases could be done within ${timeout} ms`)

function checked(options: SelectOptions | undefined): SelectOptions {
  const found = check.options<SelectOptions>(options, 'select options', ['timeout', 'signal', 'default'])
  if (found.timeout !== undefined) check.milliseconds(found.timeout, 'timeout')
  check.abortSignal(found.signal)
  return found
}

/** Once from each place at random: otherwise the first case would keep others waiting. */
function tryAll<T>(attempts: readonly Attempt<T>[]): Selected<T> | null {
  const begin = Math.floor(Math.random() * attempts.length)
  for (let i = 0; i < attempts.length; i++) {
    const index = (begin + i) % attempts.length
    const done = attempts[index]!.attempt()
    if (done !== NOTHING) return { index, ...done }
  }
  return null
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
  const set = channel.waitSet
  if (receive === undefined) {
    const attempt = () => (channel.trySend(value as never) ? SENT : NOTHING)
    return { thing: channel.room, set, attempt }
  }
  return {
    thing: channel.values,
    set,
    attempt() {
      const taken: unknown = channel.attemptReceive()
      if (taken === NOTHING) return NOTHING
      return taken === END ? { done: true } : { value: taken as T, done: false }
    },
  }
}
