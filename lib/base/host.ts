// What Sabway takes from its host (Node, Electron, a page, a worker): timers, microtasks, the
// clock, events, async contexts. All of it is taken once, when the library is loaded, and where
// there is Node from its modules: the fake clocks of test frameworks replace the globals, sometimes
// before anything is loaded, and must neither stop nor spin the dispatcher.
import { SabwayError } from './errors.js'
import { Part } from './part.js'

const scope = globalThis as Partial<typeof globalThis>

type NodeProcess = Pick<NodeJS.Process, 'on' | 'off' | 'listeners' | 'getBuiltinModule' | 'versions'> & { type: string }

/** Absent in a page, or there what some bundler puts in its place. */
const node = (scope as { process?: Partial<NodeProcess> }).process

/** Electron's pages may have Node, but their event loop is Chromium's. */
const inPage = node?.type === 'renderer' || node?.type === 'worker'

/**
 * Is this an audio thread? It renders a block every few milliseconds, and so must neither wait nor
 * collect garbage.
 */
export const inAudioWorklet = 'AudioWorkletGlobalScope' in scope

/** What only programs of Node and Electron need: node-host.ts. */
interface NodeHost {
  /** Run the task at the process's or the worker's exit, behind all other listeners for that. */
  lastOnExit(task: () => void): void
  /**
   * Bytes of address space that this process may have; undefined where that is not limited, or the
   * system does not tell.
   */
  addressLimit(): number | undefined
  /** How many regions a process has addresses for. */
  roomForRegions(): string
}

export const nodeHost = new Part<NodeHost>()

/** A module of Node; undefined where there is none, as in a page. */
const builtin: NodeProcess['getBuiltinModule'] | (() => undefined) =
  (inPage ? undefined : node?.getBuiltinModule) ?? (() => undefined)

const { setTimeout, clearTimeout, setImmediate }: Partial<typeof import('node:timers')> =
  builtin('node:timers') ?? scope
const performance = builtin('node:perf_hooks')?.performance ?? scope.performance
const threads = builtin('node:worker_threads')

/** Errors: ERR_SABWAY_UNSUPPORTED, which names what is missing and says what to do. */
function need<T>(value: T | undefined, name: string, remedy: string): T {
  if (value !== undefined) return value
  throw new SabwayError('ERR_SABWAY_UNSUPPORTED', `this scope has no ${name}; ${remedy}`)
}

const ELSEWHERE = 'use this in a page, in a worker or in Node'
const BY_HAND = 'trySend, drain and receiveSync(0) need none, and work here'

/**
 * Milliseconds of a clock that never goes back. Where there is no `performance`, of the one that
 * may.
 */
export const now: () => number = performance === undefined ? Date.now : performance.now.bind(performance)

const settled = Promise.resolve()

/**
 * Run the task when the running code is done, before the event loop goes on. By a promise:
 * queueMicrotask is among what fake clocks replace, and no module of Node has it. What the task
 * throws is an uncaught exception, not an unhandled rejection.
 */
export function microtask(task: () => void): void {
  void settled.then(() => {
    try {
      task()
    } catch (error) {
      if (!runsLater) throw error
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
        posted ??= MessageChannel === undefined ? (task) => void after(0, task) : byMessages()
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

// In Node its own: what an environment such as happy-dom puts in their place does not travel
// between threads.
const MessageChannel: typeof globalThis.MessageChannel | undefined =
  (threads?.MessageChannel as never) ?? scope.MessageChannel
/** Undefined where there is none. */
export const MessagePort: typeof globalThis.MessagePort | undefined =
  (threads?.MessagePort as never) ?? scope.MessagePort

/** A new MessageChannel. Errors: ERR_SABWAY_UNSUPPORTED. */
export function channel(): MessageChannel {
  return new (need(MessageChannel, 'MessageChannel', ELSEWHERE))()
}

/**
 * Can a task run after the running code has come back to the event loop? An AudioWorklet has no way
 * to ask for that.
 */
const runsLater = (setImmediate ?? MessageChannel ?? setTimeout) !== undefined

/** Atomics.waitAsync, where there is one: Firefox has it from 145 on, Safari from 16.4 on. */
export const waitAsync = (): WaitAsync | undefined => (Atomics as unknown as { waitAsync?: WaitAsync }).waitAsync

type WaitAsync = (
  words: Int32Array,
  index: number,
  value: number,
  timeout?: number,
) => { async: boolean; value: string | Promise<string> }

/** Errors: ERR_SABWAY_UNSUPPORTED where a wait for another participant would never end. */
export function needLoop(): void {
  if (runsLater && (setTimeout ?? waitAsync()) !== undefined) return
  const missing = runsLater ? 'setTimeout or Atomics.waitAsync' : 'setTimeout, setImmediate or MessageChannel'
  need(undefined, `${missing}, so that nothing can wait in it without blocking`, BY_HAND)
}

/** Errors: ERR_SABWAY_UNSUPPORTED where there are no timers. */
export function needTimers(remedy: string): void {
  need(setTimeout, 'setTimeout', remedy)
}

/**
 * Errors: ERR_SABWAY_UNSUPPORTED where a port's messages could not be told. Without a look at
 * MessageEvent: see messageEvent.
 */
export function needMessageEvents(): void {
  if (HostEvent === PlainEvent) need(undefined, ...NO_EVENTS)
  if (!('MessageEvent' in scope)) need(undefined, 'MessageEvent', ELSEWHERE)
}

/** Errors: ERR_SABWAY_UNSUPPORTED where `moved` cannot move a port. */
export function needMoving(): void {
  if (threads === undefined) need(scope.structuredClone, 'structuredClone', ELSEWHERE)
}

/** Does this program end by itself when nothing is left to do, as those of Node do? */
export const endsByItself = threads !== undefined

export const isMessagePort = (value: unknown): value is MessagePort =>
  MessagePort !== undefined && value instanceof MessagePort

/**
 * Take a port out of its owner's hands: the old object is detached, as by any transfer. Where it
 * cannot be, `needMoving` says so.
 */
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
  need(
    scope.ReadableStream ?? (streams?.ReadableStream as typeof ReadableStream | undefined),
    'ReadableStream',
    BY_HAND,
  )

/** The class of a writable stream. Errors: ERR_SABWAY_UNSUPPORTED. */
export const writableStream = (): typeof WritableStream =>
  need(
    scope.WritableStream ?? (streams?.WritableStream as typeof WritableStream | undefined),
    'WritableStream',
    BY_HAND,
  )

/** A new AbortController. Errors: ERR_SABWAY_UNSUPPORTED. */
export const abortController = (): AbortController => new (need(scope.AbortController, 'AbortController', BY_HAND))()

// ---- events ----

const NO_EVENTS = ['Event and EventTarget', BY_HAND] as const

/** Stands for Event where there is none: nothing can listen there. */
class PlainEvent {
  constructor(readonly type: string) {}
}

/** Stands for EventTarget, so that what has events can be made where there are none. */
class DeafTarget {
  addEventListener(): void {
    need(undefined, ...NO_EVENTS)
  }
  removeEventListener(): void {}
  dispatchEvent(): boolean {
    return true // no listener can be there
  }
}

// Taken together: an EventTarget of one realm refuses the events of another.
const [HostEvent, HostEventTarget] =
  scope.Event === undefined || scope.EventTarget === undefined
    ? [PlainEvent, DeafTarget]
    : [scope.Event, scope.EventTarget]

/** The base classes of events and their targets, as values whose types need no `lib.dom`. */
export const BaseEvent = HostEvent as new (type: string) => Event
export const BaseTarget = HostEventTarget as new () => EventTarget

/**
 * The event of a MessagePort. MessageEvent's constructor makes null of undefined data; those of a
 * MessagePort keep it. Errors: ERR_SABWAY_UNSUPPORTED.
 */
export function messageEvent(type: string, data: unknown, ports: MessagePort[] = []): MessageEvent {
  // Looked up when it is needed: on Node 22 the first look loads all of undici, with a wasm memory
  // that reserves 10 GiB.
  const event = new (need(scope.MessageEvent, 'MessageEvent', ELSEWHERE))(type, { data, ports })
  return data === undefined ? Object.defineProperty(event, 'data', { value: undefined }) : event
}

// ---- symbols ----

/**
 * Symbol.dispose, or what stands for it where the language has none yet: compilers of `using` and
 * polyfills take the same.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for('Symbol.dispose') as never)
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as never)

// ---- async contexts ----

/**
 * Runs functions in the async context of the moment it was made: what AsyncLocalStorage of Node
 * shows was its caller's then.
 */
export type Context = <A extends unknown[], R>(run: (...args: A) => R, ...args: A) => R

// AsyncLocalStorage.snapshot would do the same, but takes 10 us where AsyncResource takes 0.1 us.
const AsyncResource = builtin('node:async_hooks')?.AsyncResource

const direct: Context = (run, ...args) => run(...args)

/**
 * The async context of now. Callbacks are bound to that in which they were given, not to that of an
 * unrelated sender.
 */
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

/**
 * Run the task after `milliseconds`, of any length; with Infinity never. Errors:
 * ERR_SABWAY_UNSUPPORTED.
 */
export function after(milliseconds: number, task: () => void): Timer {
  if (milliseconds === Number.POSITIVE_INFINITY) return never
  const start = need(setTimeout, 'setTimeout', `leave the time out; ${BY_HAND}`)
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

/**
 * Have postMessage and structuredClone refuse to transfer the buffer, where the host can: it is not
 * one owner's alone.
 */
export function markUntransferable(buffer: ArrayBuffer): void {
  mark ??= node?.getBuiltinModule?.('node:worker_threads')?.markAsUntransferable ?? (() => {})
  mark(buffer)
}

/**
 * Run the task when this thread's program ends by itself: in Node at process.exit, at an uncaught
 * error and at the natural end, in the main thread and in workers; in a page when it is left, to
 * which the user may come back. Nothing runs when the thread is terminated or the process killed.
 */
export function onEnd(task: (comesBack: boolean) => void): void {
  if (typeof node?.on === 'function') node.on('exit', () => task(false))
  onPageHide(task)
}

/**
 * As `onEnd`; in Node behind all other listeners for 'exit', also those that are added later, where
 * that part of it is loaded.
 */
export function onVeryEnd(task: (comesBack: boolean) => void): void {
  if (nodeHost.loaded === null) onEnd(task)
  else {
    nodeHost.loaded.lastOnExit(() => task(false))
    onPageHide(task)
  }
}

function onPageHide(task: (comesBack: boolean) => void): void {
  scope.addEventListener?.('pagehide', ({ persisted }) => task(persisted))
}

// ---- Web Locks ----

export const inNode = threads !== undefined

/**
 * The locks of this origin, or of this process of Node from 24.5 on; undefined where there are
 * none. An iframe that is `credentialless` has its own, which tell nothing of its page's. Looked up
 * when they are needed: Node loads some modules then.
 */
export function locks(): LockManager | undefined {
  if ((scope as { credentialless?: boolean }).credentialless === true) return undefined
  return scope.navigator?.locks
}

/** Are there such? */
export const hasLocks = (): boolean => scope.navigator !== undefined && 'locks' in scope.navigator

/** Two words that cannot be guessed; undefined where there is no source of such. */
export const randomWords = (): Int32Array | undefined => scope.crypto?.getRandomValues(new Int32Array(2))

// ---- threads ----

/** A worker of Node or of a page, which this thread has started. */
export interface HostWorker {
  post(message: unknown, transfer?: readonly object[]): void
  /** End it at once. */
  terminate(): void
  /** Keep the process alive until it has ended. */
  hold(): void
}

/** What is told of it. */
export interface WorkerEvents {
  message(data: unknown): void
  /** What its program threw. In Node it ends then; in a page it goes on. */
  error(error: unknown): void
  /** It has ended; once. A page does not tell of workers that end by themselves. */
  exit(): void
}

/**
 * Start a thread, which does not keep a process of Node alive. Errors: ERR_SABWAY_UNSUPPORTED; what
 * the constructor of Worker throws.
 */
export function hostWorker(file: string | URL, options: object, on: WorkerEvents): HostWorker {
  if (threads !== undefined) {
    const worker = new threads.Worker(file, options)
    worker.on('message', on.message).on('error', on.error).on('exit', on.exit)
    worker.unref()
    return {
      post: (message, transfer) => worker.postMessage(message, transfer as never),
      terminate: () => void worker.terminate(),
      hold: () => worker.ref(),
    }
  }
  const worker = new (need(scope.Worker, 'Worker', ELSEWHERE))(file, { type: 'module', ...options })
  let ended = false
  worker.onmessage = ({ data }) => on.message(data)
  worker.onerror = (event) => {
    event.preventDefault()
    on.error(event.error ?? new Error(event.message || `${file} could not be loaded`))
  }
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    terminate() {
      worker.terminate()
      if (!ended) microtask(on.exit)
      ended = true
    },
    hold() {},
  }
}

/** How many threads run at one time. */
export const processors = (): number =>
  builtin('node:os')?.availableParallelism() ?? scope.navigator?.hardwareConcurrency ?? 4

/** The thread that has started this one; null where none has. */
export function parentThread(): {
  post(message: unknown, transfer: readonly object[]): void
  /** Call `act` with each message, until it is called off. Keeps a worker of Node alive. */
  listen(act: (data: unknown) => void): () => void
} | null {
  const port = threads?.parentPort
  if (port != null) {
    return {
      post: (message, transfer) => port.postMessage(message, transfer as never),
      listen: (act) => {
        port.on('message', act)
        return () => port.off('message', act)
      },
    }
  }
  const worker = scope as unknown as Partial<Pick<Worker, 'postMessage' | 'addEventListener' | 'removeEventListener'>>
  if (threads !== undefined || !('WorkerGlobalScope' in scope) || worker.postMessage === undefined) return null
  return {
    post: (message, transfer) => worker.postMessage!(message, transfer as Transferable[]),
    listen: (act) => {
      const listener = ({ data }: MessageEvent) => act(data)
      worker.addEventListener!('message', listener)
      return () => worker.removeEventListener!('message', listener)
    },
  }
}
