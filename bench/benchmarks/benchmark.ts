// What is measured: one way to move messages, or to make round trips, on one path. Those that are
// not `ours` are the baselines that Sabway is compared with.
import { type Check, verify } from '../harness/messages.js'
import type { Role, WorkerResult } from '../transports/transport.js'

export interface Run {
  seconds: number
  /** Of round trips: milliseconds of each. */
  times?: Float64Array
  /** How often the threads lost their processors to other programs. */
  switches?: number
}

export interface Benchmark {
  readonly name: string
  readonly ours: boolean
  open(): Promise<void>
  /** Move `count` messages, or make as many round trips. */
  run(count: number): Promise<Run>
  close(): Promise<void>
}

/** The role of the other end. */
export const OTHER: Record<Role, Role> = { send: 'receive', receive: 'send', ping: 'pong', pong: 'ping' }

/** A run's result, from both ends' reports: their times are of one clock for all processes. */
export function resultOf(
  role: Role,
  here: WorkerResult,
  there: WorkerResult,
  messages: Uint8Array[],
  count: number,
): Run {
  if (there.error !== undefined) throw new Error(there.error)
  const whole = Number(here.end - here.begin) / 1e9
  if (here.outcome instanceof Float64Array) return { seconds: whole, times: here.outcome }
  verify((here.outcome ?? there.outcome) as Check, messages, count)
  const [from, to] = role === 'send' ? [here.begin, there.end] : [there.begin, here.end]
  return { seconds: Number(to - from) / 1e9 }
}
