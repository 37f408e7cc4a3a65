// How a task pool is made, and a task given to it.
import * as check from '../base/check.js'
import { processors } from '../base/host.js'
import { MOST_ATTEMPTS, MOST_PLACES, MOST_WORKERS, TASK_CODECS, type TaskCodec } from './wire.js'

export interface SharedPoolOptions {
  /**
   * The workers' program, a path or a URL as the constructor of Worker takes it; it calls
   * `serveTasks`.
   */
  file: string | { readonly href: string }
  /** How many there are, 62 at most (default: one for each processor). */
  workers?: number
  /**
   * How often a task is begun again whose worker has died (default 0): its error otherwise is
   * ERR_SABWAY_PEER_DIED.
   */
  retries?: number
  /** Tasks that a worker has begun at one time (default 1). More: for those that wait. */
  concurrency?: number
  /** Tasks in shared memory at one time (default 1024); others wait in this thread. */
  capacity?: number
  /** How many may wait in this thread (default 65536): more are ERR_SABWAY_QUEUE_FULL. */
  maxQueued?: number
  /** How values become bytes (default 'structured'). */
  codec?: TaskCodec
  /** Bytes for all values under way (default 256 MiB); memory is taken as it is used. */
  size?: number
  /** For the constructor of Worker, such as { resourceLimits } in Node. */
  workerOptions?: object
}

export interface RunOptions {
  /** Gives the task up: the promise rejects with ERR_SABWAY_ABORTED. */
  signal?: AbortSignal
  /** Milliseconds from the call on; then the task is given up with ERR_SABWAY_TIMEOUT. */
  timeout?: number
  /**
   * What of the value is moved to the worker, not copied. Such a task is never begun again. With a
   * list, if only an empty one, the value is posted, so that shared memory in it stays shared.
   */
  transfer?: readonly object[]
  /** What the worker's function reports by `task.progress`. */
  onProgress?: (value: never) => void
  /**
   * End the worker, and start another in its place, when the task is given up while it runs
   * (default false: the function is told by `task.signal` and `task.cancelled`).
   */
  terminate?: boolean
}

const SIZE = 2 ** 28

export const NO_OPTIONS: RunOptions = {}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
export function checkedRun(options: RunOptions): RunOptions {
  const given = check.options(options, 'run options', ['signal', 'timeout', 'transfer', 'onProgress', 'terminate'])
  const { signal, timeout, transfer, onProgress, terminate } = given
  check.patience({ signal, timeout }, 'run options')
  if (transfer !== undefined) check.array(transfer, 'transfer')
  if (onProgress !== undefined) check.callback(onProgress, 'onProgress')
  if (terminate !== undefined) check.flag(terminate, 'terminate')
  return given
}

/** Errors: as `checkedRun`. */
export function checkedPool(options: SharedPoolOptions) {
  const names = [
    'file',
    'workers',
    'retries',
    'concurrency',
    'capacity',
    'maxQueued',
    'codec',
    'size',
    'workerOptions',
  ] as const
  const found = check.options(options, 'pool options', names)
  const { file, workers = Math.min(processors(), MOST_WORKERS - 1), retries = 0, concurrency = 1 } = found
  const { capacity = 1024, maxQueued = 65536, codec = 'structured', size = SIZE, workerOptions = {} } = found
  if (typeof file !== 'string' && !check.reading('file', () => file instanceof URL))
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'file must be the path or the URL of the workers’ program', file)
  check.oneOf(codec, 'codec', TASK_CODECS)
  check.integer(workers, 'workers', 1, MOST_WORKERS - 1)
  check.integer(retries, 'retries', 0, MOST_ATTEMPTS - 1)
  check.integer(concurrency, 'concurrency', 1, 1024)
  check.integer(capacity, 'capacity', 2, MOST_PLACES)
  if (maxQueued !== Number.POSITIVE_INFINITY) check.integer(maxQueued, 'maxQueued', 0, 2 ** 31)
  if (typeof workerOptions !== 'object' || workerOptions === null)
    check.refuse(
      'ERR_SABWAY_INVALID_TYPE',
      'workerOptions must be an object for the constructor of Worker',
      workerOptions,
    )
  return {
    file: file as SharedPoolOptions['file'],
    workers,
    retries,
    concurrency,
    capacity,
    maxQueued,
    codec,
    size,
    workerOptions,
  }
}
