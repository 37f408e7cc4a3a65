// One listener on each AbortSignal, however many calls wait for it: Node warns of a leak at the
// eleventh.
import { SabwayError } from './errors.js'
import { microtask } from './host.js'

interface Waits {
  readonly acts: Set<() => void>
  readonly listener: () => void
}

const waits = new WeakMap<AbortSignal, Waits>()

/**
 * Call `act` once when the signal is aborted. Returns what calls that off; without a signal,
 * nothing is ever called.
 */
export function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal === undefined) return () => {}
  const { acts } = waits.get(signal) ?? listenTo(signal)
  const each = () => act() // the same function may be given twice
  acts.add(each)
  return () => {
    acts.delete(each)
    if (acts.size === 0) forget(signal, acts)
  }
}

function listenTo(signal: AbortSignal): Waits {
  const acts = new Set<() => void>()
  const listener = () => {
    forget(signal, acts)
    for (const act of acts) run(act)
  }
  waits.set(signal, { acts, listener })
  signal.addEventListener('abort', listener, { once: true })
  return { acts, listener }
}

/**
 * What one of them throws, such as a callback that runs when the queue is empty, is uncaught and
 * does not stop the others.
 */
function run(act: () => void): void {
  try {
    act()
  } catch (error) {
    microtask(() => {
      throw error
    })
  }
}

/**
 * A signal that lives longer than the calls, as that of a whole program does, holds nothing of
 * theirs.
 */
function forget(signal: AbortSignal, acts: Set<() => void>): void {
  const found = waits.get(signal)
  if (found?.acts !== acts) return
  waits.delete(signal)
  signal.removeEventListener('abort', found.listener)
}

/** What a call that waited rejects with: ERR_SABWAY_ABORTED, whose cause is the signal's reason. */
export function abortedError(signal: AbortSignal): SabwayError {
  return new SabwayError('ERR_SABWAY_ABORTED', 'the operation was given up', { cause: signal.reason })
}
