// How a bridge takes values from channels, queues and broadcasts, and puts values into them: by the
// methods that each has, all of which wait, and end their waiting by a signal.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'

/** A channel, a queue or a broadcast of Sabway's, or what has such methods. */
export interface BridgeEnd {
  /** `'ack'`: what `receive` gives is to be acknowledged. */
  readonly delivery?: string
  receive?(options: { signal: AbortSignal }): Promise<unknown>
  dequeueAsync?(options: { signal: AbortSignal }): Promise<unknown>
  // What takes a value, and which one it is: these parameters suit the methods of each class.
  sendDirect?(value: never, options: { signal: AbortSignal }): Promise<unknown>
  send?(value: never, options: never): unknown
  enqueueAsync?(value: never, options: { signal: AbortSignal }): Promise<unknown>
  enqueue?(value: never, options: never): unknown
  broadcast?(value: never, options: { signal: AbortSignal }): Promise<unknown>
  isSubscribed?(): boolean
  subscribe?(): void
  unsubscribe?(): void
}

/** A value that was taken. */
export interface TakenValue {
  readonly value: unknown
  /** Where the end keeps it until then: it is done with, or is to be taken again. */
  settle?: (done: boolean) => void
}

interface Delivered {
  readonly value: unknown
  ack(): void
  nack(): void
}

type Method = (...args: unknown[]) => unknown

function methodOf(end: BridgeEnd, names: readonly (keyof BridgeEnd)[]): Method | undefined {
  for (const name of names) {
    const found = end[name]
    if (typeof found === 'function') return (found as Method).bind(end)
  }
  return undefined
}

export function endOf(end: unknown): BridgeEnd {
  if (typeof end === 'object' && end !== null) return end as BridgeEnd
  return check.refuse('ERR_SABWAY_INVALID_TYPE', 'a bridge is of a channel, a queue or a broadcast', end)
}

/** How values are taken. Errors: ERR_SABWAY_INVALID_TYPE: they cannot be. */
export function takerOf(end: BridgeEnd): (signal: AbortSignal) => Promise<TakenValue> {
  const isAcknowledged = end.delivery === 'ack'
  const isQueue = !isAcknowledged && methodOf(end, ['send', 'broadcast']) === undefined
  const take = methodOf(end, isQueue ? ['dequeueAsync', 'receive'] : ['receive'])
  if (take === undefined)
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'with a publisher the end must have receive or dequeueAsync', end)
  return async (signal) => {
    const value = await take({ signal })
    if (!isAcknowledged) return { value }
    const delivered = value as Delivered
    return { value: delivered.value, settle: (done) => (done ? delivered.ack() : delivered.nack()) }
  }
}

/**
 * How values are put: the promise is settled when the end has the value. Errors:
 * ERR_SABWAY_INVALID_TYPE: they cannot be.
 */
export function putterOf(end: BridgeEnd): (value: unknown, signal: AbortSignal) => Promise<unknown> {
  const put = methodOf(end, ['sendDirect', 'broadcast', 'send', 'enqueueAsync', 'enqueue'])
  if (put === undefined)
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'with a consumer the end must have send, enqueue or broadcast', end)
  return async (value, signal) => put(value, { signal })
}

/** Let this thread hear a broadcast. Returns what ends that. */
export function listenTo(end: BridgeEnd): () => void {
  const { isSubscribed, subscribe, unsubscribe } = end
  if (isSubscribed === undefined || subscribe === undefined || isSubscribed.call(end)) return () => {}
  subscribe.call(end)
  return () => {
    try {
      unsubscribe?.call(end)
    } catch {
      // It was freed meanwhile, or its region closed.
    }
  }
}

/** Is no value ever to be had of the end, or put into it, any more? */
export const isOver = (error: unknown): boolean =>
  error instanceof SabwayError && ['ERR_SABWAY_CLOSED', 'ERR_SABWAY_FREED'].includes(error.code)
