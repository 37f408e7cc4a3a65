// A native thread on the other side of a channel, as the JavaScript thread that started it sees it.
import { addonMissing, type RegionBinding, type WorkerStats } from './addon.js'
import * as check from './check.js'
import * as dispatcher from './dispatcher.js'
import { adopt, SabwayError } from './errors.js'
import { type Mechanism, named, policyNumber, policyOf, type WaitPolicy } from './waiting.js'

export interface LogLine {
  level: 'debug' | 'info' | 'warn' | 'error'
  text: string
}

interface AnyWorker {
  /** What the native thread does when it has nothing to do (default: as this side of the channel). */
  wait?: WaitPolicy
  /** Given the lines that the handler or plugin logs. */
  onLog?: (line: LogLine) => void
}

/** A handler that comes with Sabway. */
export type BuiltinWorker = AnyWorker &
  ({ builtin: 'echo' } | { builtin: 'sink' } | { builtin: 'source'; size?: number; rate?: number; count?: number })

/** A shared library that exports `sabway_plugin` (native/include/sabway/plugin.h). All other properties go to its open function, as JSON. */
export type PluginWorker = AnyWorker & { plugin: string; [option: string]: unknown }

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

export class NativeWorker implements dispatcher.WorkerOwner {
  readonly id: number
  readonly onLog: dispatcher.WorkerOwner['onLog']

  /** Starts it on `side`. Errors: those of SharedMemoryChannel.startWorker. */
  constructor(
    private readonly binding: RegionBinding,
    side: number,
    options: BuiltinWorker | PluginWorker,
    policy: WaitPolicy,
    /** Told when it has ended by itself. */
    private readonly ended: (worker: NativeWorker, status: number) => void,
  ) {
    const { onLog, builtin, plugin, wait = policy, ...rest } = checked(options)
    const number = policyNumber(policyOf(wait))
    dispatcher.connect()
    try {
      this.id = binding.startWorker({ side, builtin, plugin, json: JSON.stringify(rest), wait: number })
    } catch (error) {
      throw adopt(error)
    }
    this.onLog = onLog && ((level, text) => onLog({ level: LEVELS[level] ?? 'info', text }))
    dispatcher.own(this)
  }

  onExit(status: number): void {
    this.ended(this, status)
  }

  /** Ends it after the messages it has already been sent, and joins it. What it says meanwhile is still told. */
  stop(): void {
    dispatcher.hold(this)
    this.binding.stopWorker(this.id)
  }

  stats(): (WorkerStats & { mechanism: Mechanism }) | undefined {
    const found = this.binding.workerStats(this.id)
    if (found === undefined) return undefined
    const { reach, ...stats } = found
    return { ...stats, mechanism: named(reach, 'futex') }
  }
}

/** The binding that native workers need. Errors: ERR_SABWAY_NO_ADDON. */
export function needBinding(binding: RegionBinding | null): RegionBinding {
  if (binding === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return binding
}

function checked(options: BuiltinWorker | PluginWorker): AnyWorker & { builtin?: string; plugin?: string } {
  const { builtin, plugin, onLog } = (options ?? {}) as { builtin?: unknown; plugin?: unknown; onLog?: unknown }
  if (onLog !== undefined) check.callback(onLog, 'onLog')
  if ((builtin === undefined) === (plugin === undefined)) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      "startWorker takes either { builtin: 'echo' | 'sink' | 'source' } or { plugin: path }",
    )
  }
  if (builtin !== undefined) check.oneOf(builtin, 'builtin', ['echo', 'sink', 'source'])
  else if (typeof plugin !== 'string')
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'plugin must be the path of a shared library')
  return options as never
}
