// A worker of a SharedPool, with one function that does what its value says.
import { serveTasks, type Task } from 'sabway'

/** What a test asks for: the name of an act, and what it works on. */
export type Asked = [act: keyof typeof ACTS, on?: unknown]

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

const ACTS = {
  same: (on: unknown) => on,
  double: (on: unknown) => (on as number) * 2,
  later: async (on: unknown) => {
    await wait(5)
    return on
  },
  fail: (on: unknown) => {
    throw Object.assign(new RangeError(String(on)), { code: 'ERR_OF_THE_TEST' })
  },
  throwText: (on: unknown) => {
    throw on
  },
  functionBack: () => () => 1,
  /** Ends the worker, in each attempt before the one of that number. */
  die: (on: unknown, task: Task) => {
    if (task.attempt < (on as number)) process.exit(7)
    return task.attempt
  },
  /** As long as the first byte is 0. */
  spin: (on: unknown, task: Task) => {
    const flag = on as Int32Array
    while (!task.cancelled && Atomics.load(flag, 0) === 0) Atomics.wait(flag, 0, 0, 5)
    return task.cancelled
  },
  untilAborted: (_on: unknown, task: Task) =>
    new Promise((resolve) => task.signal.addEventListener('abort', () => resolve('aborted'))),
  report: (on: unknown, task: Task) => {
    for (let i = 0; i < (on as number); i++) task.progress(i)
    return 'reported'
  },
  /** The bytes of a buffer that was moved here, and back. */
  move: (on: unknown, task: Task) => {
    const bytes = on as Uint8Array<ArrayBuffer>
    bytes[0] = 42
    return task.transfer(bytes, [bytes.buffer])
  },
  /** What cannot be moved: at once, or later. */
  moveWrongly: (on: unknown, task: Task) => {
    const wrong = task.transfer({}, [{}])
    return on === 'later' ? wait(1).then(() => wrong) : wrong
  },
  /** Lets the thread go on that waits for the flag in the worker's data. */
  signal: async () => {
    const flag = (await import('node:worker_threads')).workerData as Int32Array
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
  },
  thread: async () => (await import('node:worker_threads')).threadId,
}

serveTasks(([act, on]: Asked, task) => ACTS[act](on, task))
