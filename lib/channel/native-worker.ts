// A native thread on the other side of a channel, as the JavaScript thread that started it sees it.
import { addonMissing, type RegionBinding, type WorkerBinding, type WorkerStats } from '../base/addon.js'
import * as check from '../base/check.js'
import { adopt, coreError, SabwayError } from '../base/errors.js'
import { context } from '../base/host.js'
import { ERRORS } from '../generated/abi.js'
import { look } from '../loop/dispatcher.js'
import { addOwner, connect, retain, type WorkerOwner } from '../loop/native-events.js'
import { type Mechanism, mechanismOf, policyNumber, policyOf, type WaitPolicy } from '../loop/wait-policy.js'
import { type ChannelPlace, otherSide } from '../region/channel-place.js'
import type { Region } from '../region/region.js'

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

interface AnyWorker {
  /**
   * What the native thread does when it has nothing to do (default: as this side of the channel).
   */
  wait?: WaitPolicy
  /** Given the lines that the handler or plugin logs. */
  onLog?: (line: LogLine) => void
}

/** A handler that comes with Sabway. */
export type BuiltinWorker = AnyWorker &
  ({ builtin: 'echo' } | { builtin: 'sink' } | { builtin: 'source'; size?: number; rate?: number; count?: number })

/**
 * A shared library that exports `sabway_plugin` (native/include/sabway/plugin.h). All other
 * properties go to its open function, as JSON.
 */
export type PluginWorker = AnyWorker & { plugin: string; [option: string]: unknown }

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** The part of a channel that its native worker uses. */
export interface WorkerChannel {
  readonly region: Region
  readonly place: ChannelPlace
  readonly waiter: { readonly policy: WaitPolicy }
  worker: NativeWorker | null
  report(error: SabwayError): void
}

/** Errors: those of SharedMemoryChannel.startWorker. */
export function startWorker(channel: WorkerChannel, given: BuiltinWorker | PluginWorker): void {
  const options = workerOptions(given)
  const binding = needBinding(channel.region.binding)
  if (channel.worker !== null) {
    throw new SabwayError('ERR_SABWAY_SIDE_TAKEN', 'this channel has a native worker; stopWorker ends it')
  }
  channel.worker = new NativeWorker(channel, binding, options)
}

export class NativeWorker implements WorkerOwner {
  readonly id: number
  readonly onLog: WorkerOwner['onLog']
  readonly #channel: WorkerChannel
  readonly #binding: WorkerBinding
  /** Told that the worker has left the region. */
  readonly #dismiss: () => void

  /** Starts it on the other side of the channel. */
  constructor(channel: WorkerChannel, binding: WorkerBinding, options: CheckedWorker) {
    const { onLog, builtin, plugin, wait = channel.waiter.policy, json } = options
    this.#channel = channel
    this.#binding = binding
    this.#dismiss = channel.region.commons.employ()
    try {
      connect()
      const { offset, generation, side } = channel.place
      const there = { side: otherSide(side), channel: offset, generation }
      this.id = binding.startWorker({ ...there, builtin, plugin, json, wait: policyNumber(wait) })
    } catch (error) {
      this.#dismiss()
      throw adopt(error)
    }
    const inContext = context()
    this.onLog = onLog && ((level, text) => inContext(onLog, { level: LEVELS[level] ?? 'info', text }))
    addOwner(this)
  }

  onExit(status: number): void {
    if (this.#channel.worker !== this) return
    this.stop() // it has ended by itself: this only joins it
    if (status < 0 && status !== ERRORS.ERR_SABWAY_CLOSED.number)
      this.#channel.report(coreError(status, 'the native worker ended'))
  }

  /**
   * Ends it after the messages it has already been sent, and joins it. What it says meanwhile is
   * still told.
   */
  stop(): void {
    this.#channel.worker = null
    retain(this)
    this.#binding.stopWorker(this.id)
    this.#dismiss()
    look(this.#channel.region) // what waits for its region can wait there from now on
  }

  stats(): (WorkerStats & { mechanism: Mechanism }) | undefined {
    const found = this.#binding.workerStats(this.id)
    if (found === undefined) return undefined
    const { reach, ...stats } = found
    return { ...stats, mechanism: mechanismOf(reach, 'futex') }
  }
}

/** The binding that native workers need. Errors: ERR_SABWAY_NO_ADDON. */
function needBinding(binding: RegionBinding | null): WorkerBinding {
  if (binding === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return binding as WorkerBinding // where this file is loaded, there is no other
}

/** What startWorker was given, checked, and the options of the handler or plugin as JSON. */
interface CheckedWorker extends AnyWorker {
  builtin?: string
  plugin?: string
  json: string
}

const COMMON = ['builtin', 'plugin', 'wait', 'onLog']
const SOURCE = ['size', 'rate', 'count']
const LONGEST_PATH = 4096

/**
 * Errors: those of check.options, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_INVALID_TYPE. A plugin's
 * own options may have any name.
 */
function workerOptions(given: BuiltinWorker | PluginWorker): CheckedWorker {
  const what = 'startWorker options'
  if (typeof given !== 'object' || given === null || ArrayBuffer.isView(given)) neither(given)
  const all = check.reading(what, () => ({ ...given }) as Record<string, unknown>)
  const { builtin, plugin, wait, onLog, ...own } = all
  if (onLog !== undefined) check.callback(onLog, 'onLog')
  if ((builtin === undefined) === (plugin === undefined)) neither(given)
  const common = { wait: wait === undefined ? undefined : policyOf(wait), onLog: onLog as AnyWorker['onLog'] }
  if (plugin !== undefined) {
    const path = check.text(plugin, 'plugin, the path of a shared library,', LONGEST_PATH)
    return { ...common, plugin: path, json: check.reading(what, () => JSON.stringify(own)) }
  }
  const name = check.oneOf(builtin, 'builtin', ['echo', 'sink', 'source'])
  const numbers = check.options(all, `${what} of '${name}'`, [...COMMON, ...(name === 'source' ? SOURCE : [])])
  const json: Record<string, number> = {}
  for (const number of SOURCE) if (numbers[number] !== undefined) json[number] = check.finite(numbers[number], number)
  return { ...common, builtin: name, json: JSON.stringify(json) }
}

function neither(given: unknown): never {
  const expected = "startWorker takes either { builtin: 'echo' | 'sink' | 'source' } or { plugin: path }"
  return check.refuse('ERR_SABWAY_INVALID_ARGUMENT', expected, given)
}
