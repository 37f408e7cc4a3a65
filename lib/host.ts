// What Sabway takes from its host (Node, Electron, a page, a worker): timers, microtasks, the clock, events, async contexts. All
// of it is taken once, when the library is loaded, and where there is Node from its modules: the fake clocks of test frameworks
// replace the globals, sometimes before anything is loaded, and must neither stop nor spin the dispatcher.
import { SabwayError } from './errors.js'

const scope = globalThis as Partial<typeof globalThis>

type NodeProcess = Pick<NodeJS.Process, 'on' | 'getBuiltinModule'> & { type: string }

/** Absent in a page, or there what some bundler puts in its place. */
const node = (scope as { process?: Partial<NodeProcess> }).process

/** Electron's pages may have Node, but their event loop is Chromium's. */
const inPage = node?.type === 'renderer' || node?.type === 'worker'

/** A module of Node; undefined where there is none, as in a page. */
const builtin: NodeProcess['getBuiltinModule'] | (() => undefined) =
  (inPage ? undefined : node?.getBuiltinModule) ?? (() => undefined)

const { setTimeout, clearTimeout, setImmediate }: Partial<typeof import('node:timers')> =
  builtin('node:timers') ?? scope
const performance = builtin('node:perf_hooks')?.performance ?? scope.performance
const threads = builtin('node:worker_threads')

function need<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value
  throw new SabwayError('ERR_SABWAY_UNSUPPORTED', `this needs ${name}, which this JavaScript scope does not have`)
}

/** Milliseconds of a clock that never goes back. Where there is no `performance`, of the one that may. */
export const now: () => number = performance === undefined ? Date.now : performance.now.bind(performance)

const settled = Promise.resolve()

/**
 * Run the task when the running code is done, before the event loop goes on. By a promise: queueMicrotask is among what fake clocks
 * replace, and no module of Node has it. What the task throws is an uncaught exception, not an unhandled rejection.
 */
export function microtask(task: () => void): void {
  void settled.then(() => {
    try {
      task()
    } catch (error) {
      immediate(() => {
        throw error
      })
    }
  })
}

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

// ---- ports and streams ----

// In Node its own: what an environment such as happy-dom puts in their place does not travel between threads.
const MessageChannel: typeof globalThis.MessageChannel | undefined =
  (threads?.MessageChannel as never) ?? scope.MessageChannel
/** Undefined where there is none. */
export const MessagePort: typeof globalThis.MessagePort | undefined =
  (threads?.MessagePort as never) ?? scope.MessagePort

/** A new MessageChannel. Errors: ERR_SABWAY_UNSUPPORTED. */
export function channel(): MessageChannel {
  return new (need(MessageChannel, 'MessageChannel'))()
}

export const isMessagePort = (value: unknown): value is MessagePort =>
  MessagePort !== undefined && value instanceof MessagePort

/** Take a port out of its owner's hands: the old object is detached, as by any transfer. */
export function moved(port: MessagePort): MessagePort {
  if (threads === undefined) return structuredClone(port, { transfer: [port] })
  const { port1, port2 } = channel()
  port1.postMessage(port, [port])
  const received = threads.receiveMessageOnPort(port2 as never)
  port1.close()
  return received!.message
}

// The environment's own, where it has them: streams of two kinds do not pipe into each other.
const streams = builtin('node:stream/web')

/** The class of a readable stream. Errors: ERR_SABWAY_UNSUPPORTED. */
export const readableStream = (): typeof ReadableStream =>
  need(scope.ReadableStream ?? (streams?.ReadableStream as typeof ReadableStream | undefined), 'ReadableStream')

/** The class of a writable stream. Errors: ERR_SABWAY_UNSUPPORTED. */
export const writableStream = (): typeof WritableStream =>
  need(scope.WritableStream ?? (streams?.WritableStream as typeof WritableStream | undefined), 'WritableStream')

// ---- events ----

// Taken together: an EventTarget of one realm refuses the events of another.
const { Event: HostEvent, EventTarget: HostEventTarget } = scope

/** The base classes of events and their targets, as values whose types need no `lib.dom`. */
export const BaseEvent = HostEvent as new (type: string) => Event
export const BaseTarget = HostEventTarget as new () => EventTarget

/**
 * The event of a MessagePort. MessageEvent's constructor makes null of undefined data; those of a MessagePort keep it.
 * Errors: ERR_SABWAY_UNSUPPORTED.
 */
export function messageEvent(type: string, data: unknown, ports: MessagePort[] = []): MessageEvent {
  // Looked up when it is needed: on Node 22 the first look loads all of undici, with a wasm memory that reserves 10 GiB.
  const event = new (need(scope.MessageEvent, 'MessageEvent'))(type, { data, ports })
  return data === undefined ? Object.defineProperty(event, 'data', { value: undefined }) : event
}

// ---- symbols ----

/** Symbol.dispose, or what stands for it where the language has none yet: compilers of `using` and polyfills take the same. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as never)
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as never)

// ---- async contexts ----

/** Runs functions in the async context of the moment it was made: what AsyncLocalStorage of Node shows was its caller's then. */
export type Context = <A extends unknown[], R>(run: (...args: A) => R, ...args: A) => R

// Not AsyncLocalStorage.snapshot, which does the same at 10 us where this takes 0.1 us.
const AsyncResource = builtin('node:async_hooks')?.AsyncResource

const direct: Context = (run, ...args) => run(...args)

/** The async context of now. Callbacks are bound to that in which they were given, not to that of an unrelated sender. */
export function context(): Context {
  if (AsyncResource === undefined) return direct
  const resource = new AsyncResource('SABWAY')
  return (run, ...args) => resource.runInAsyncScope(run as never, undefined, ...args)
}

/** The context in which the library was loaded: for what belongs to no caller. */
export const root: Context = context()

// ---- timers ----

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

/** Bytes of address space that this process may have; undefined where that is not limited, or the host does not tell. */
export function addressLimit(): number | undefined {
  try {
    const files = builtin('node:fs') as typeof import('node:fs') | undefined
    const found = /^Max address space +(\d+)/m.exec(files?.readFileSync('/proc/self/limits', 'latin1') ?? '')
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined // no /proc
  }
}
