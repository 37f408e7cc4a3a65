// What Sabway takes from its host (Node, Electron, a page, a worker): timers, microtasks, the clock. It is taken once, when the
// library is loaded, so that the fake clocks which test frameworks install later cannot stop or spin the dispatcher.
import { SabwayError } from './errors.js'

const scope = globalThis as Partial<typeof globalThis>
const { setTimeout, clearTimeout, setImmediate, MessageChannel, performance, queueMicrotask } = scope

function need<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value
  throw new SabwayError('ERR_SABWAY_UNSUPPORTED', `this needs ${name}, which this JavaScript scope does not have`)
}

/** Milliseconds of a clock that never goes back. Where there is no `performance`, of the one that may. */
export const now: () => number = performance === undefined ? Date.now : performance.now.bind(performance)

/** Run the task when the running code is done, before the event loop goes on. */
export const microtask: (task: () => void) => void =
  queueMicrotask === undefined ? (task) => void Promise.resolve().then(task) : (task) => queueMicrotask(task)

let posted: ((task: () => void) => void) | undefined

/** Run the task in the event loop's next turn. Errors: ERR_SABWAY_UNSUPPORTED. */
export const immediate: (task: () => void) => void =
  setImmediate === undefined
    ? (task) => {
        posted ??= byMessages()
        posted(task)
      }
    : (task) => void setImmediate(task)

/** The nearest thing to setImmediate where there is none: timers are clamped to 4 ms. */
function byMessages(): (task: () => void) => void {
  const { port1, port2 } = channel()
  const tasks: (() => void)[] = []
  port1.onmessage = () => tasks.shift()?.()
  return (task) => {
    tasks.push(task)
    port2.postMessage(0)
  }
}

/** A new MessageChannel. Errors: ERR_SABWAY_UNSUPPORTED. */
export function channel(): MessageChannel {
  return new (need(MessageChannel, 'MessageChannel'))()
}

export interface Timer {
  cancel(): void
  /** Do not keep the process alive for it. */
  unref(): void
}

/** The longest time that timers of JavaScript know; they take a longer one for 1 ms. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

const never: Timer = { cancel() {}, unref() {} }

/** Run the task after so many milliseconds, however many; with Infinity never. Errors: ERR_SABWAY_UNSUPPORTED. */
export function after(milliseconds: number, task: () => void): Timer {
  if (milliseconds === Number.POSITIVE_INFINITY) return never
  const start = need(setTimeout, 'setTimeout')
  let held = true
  let timer: ReturnType<typeof globalThis.setTimeout>
  const plan = (left: number) => {
    const part = Math.min(left, LONGEST_TIMER_MS)
    timer = start(() => (left > part ? plan(left - part) : task()), part)
    if (!held) (timer as { unref?(): void }).unref?.()
  }
  plan(milliseconds)
  return {
    cancel: () => clearTimeout!(timer),
    unref: () => {
      held = false
      ;(timer as { unref?(): void }).unref?.()
    },
  }
}

type NodeProcess = Pick<NodeJS.Process, 'on' | 'getBuiltinModule'>

/** Absent, or somebody else's idea of one, in a page. */
const node = (scope as { process?: Partial<NodeProcess> }).process

let mark: ((buffer: ArrayBuffer) => void) | undefined

/** Have postMessage and structuredClone refuse to transfer the buffer, where the host can: it is not one owner's alone. */
export function markUntransferable(buffer: ArrayBuffer): void {
  mark ??= node?.getBuiltinModule?.('node:worker_threads')?.markAsUntransferable ?? (() => {})
  mark(buffer)
}

/**
 * Run the task when this thread's program ends by itself: in Node at process.exit, at an uncaught error and at the natural end, in
 * the main thread and in workers; in a page when it is left, to which the user may come back. Nothing runs when the thread is
 * terminated or the process killed.
 */
export function onEnd(task: (comesBack: boolean) => void): void {
  if (typeof node?.on === 'function') node.on('exit', () => task(false))
  scope.addEventListener?.('pagehide', () => task(true))
}
