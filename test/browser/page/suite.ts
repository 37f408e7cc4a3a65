// Runs mocha where it is asked to: one file of test/js, or of this folder, in the page, in an
// iframe of it, in a dedicated worker, or in a worker of a worker. The page and its workers load
// this same module.
import { pending } from './host.js'

/** Where tests run. */
export type Scope = 'page' | 'iframe' | 'worker' | 'nested worker'

const files: Record<string, () => Promise<unknown>> = {
  page: () => import('./page.test.js'),
  alignment: () => import('../../js/region/alignment.test.js'),
  atomics: () => import('../../js/sync/atomics.test.js'),
  batch: () => import('../../js/channel/batch.test.js'),
  broadcast: () => import('../../js/broadcast/broadcast.test.js'),
  close: () => import('../../js/channel/close.test.js'),
  errors: () => import('../../js/api/errors.test.js'),
  events: () => import('../../js/channel/events.test.js'),
  fairness: () => import('../../js/sync/fairness.test.js'),
  flood: () => import('../../js/channel/flood.test.js'),
  handles: () => import('../../js/channel/handles.test.js'),
  heap: () => import('../../js/heap/heap.test.js'),
  'heap-threads': () => import('../../js/heap/heap-threads.test.js'),
  hostile: () => import('../../js/region/hostile.test.js'),
  list: () => import('../../js/containers/list.test.js'),
  map: () => import('../../js/map/map.test.js'),
  'max-queued': () => import('../../js/channel/max-queued.test.js'),
  mutex: () => import('../../js/mutex/mutex.test.js'),
  'no-addon': () => import('../../js/package/no-addon.test.js'),
  options: () => import('../../js/api/options.test.js'),
  ownership: () => import('../../js/channel/ownership.test.js'),
  'p2p-exposed': () => import('../../js/p2p/exposed.test.js'),
  'p2p-manager': () => import('../../js/p2p/manager.test.js'),
  'p2p-nats': () => import('../../js/p2p/nats-fakes.test.js'),
  'p2p-queue': () => import('../../js/p2p/queue.test.js'),
  'p2p-trust': () => import('../../js/p2p/trust.test.js'),
  'p2p-webrtc': () => import('../../js/p2p/webrtc-fakes.test.js'),
  port: () => import('../../js/channel/port.test.js'),
  queue: () => import('../../js/queues/queue.test.js'),
  receive: () => import('../../js/channel/receive.test.js'),
  'receive-async': () => import('../../js/channel/receive-async.test.js'),
  'receive-sync': () => import('../../js/channel/receive-sync.test.js'),
  regions: () => import('../../js/region/regions.test.js'),
  rings: () => import('../../js/region/rings.test.js'),
  replace: () => import('../../js/channel/replace.test.js'),
  record: () => import('../../js/record/record.test.js'),
  reserve: () => import('../../js/channel/reserve.test.js'),
  select: () => import('../../js/channels/select.test.js'),
  send: () => import('../../js/channel/send.test.js'),
  'send-batch': () => import('../../js/channel/send-batch.test.js'),
  'send-direct': () => import('../../js/channel/send-direct.test.js'),
  sizes: () => import('../../js/channel/sizes.test.js'),
  sources: () => import('../../js/channel/sources.test.js'),
  streams: () => import('../../js/channel/streams.test.js'),
  string: () => import('../../js/containers/string.test.js'),
  'struct-array': () => import('../../js/record/struct-array.test.js'),
  sync: () => import('../../js/sync/sync.test.js'),
  threads: () => import('../../js/loop/threads.test.js'),
  unbuffered: () => import('../../js/channels/unbuffered.test.js'),
  vector: () => import('../../js/containers/vector.test.js'),
  write: () => import('../../js/channel/write.test.js'),
  'too-large': () => import('../../js/channel/too-large.test.js'),
  views: () => import('../../js/map/views.test.js'),
  values: () => import('../../js/channel/values.test.js'),
  wrapped: () => import('../../js/codec/wrapped.test.js'),
}

export interface Outcome {
  passed: number
  /** Why tests cannot run there, and how many for that reason. */
  pending: Record<string, number>
  failures: string[]
}

/** What a worker posts before its outcome: the test that it begins. */
interface Progress {
  begun: string
}

async function runHere(file: string, begin: (title: string) => void = () => {}): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, pending: {}, failures: [] }
  mocha.setup({ ui: 'bdd', timeout: 120_000, reporter: class {} as never })
  const { mochaHooks } = await import('../../js/support/root-hooks.js')
  afterEach(mochaHooks.afterEach)
  await files[file]!()
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve())
    runner.on('test', (test) => begin(test.fullTitle()))
    runner.on('pass', () => outcome.passed++)
    runner.on('pending', (test) => {
      const reason = pending.get(test.title)
      if (reason === undefined) outcome.failures.push(`${test.fullTitle()}: pending, for no reason that is known`)
      else outcome.pending[reason] = (outcome.pending[reason] ?? 0) + 1
    })
    runner.on('fail', (test, error) => outcome.failures.push(`${test.fullTitle()}: ${error?.message}\n${error?.stack}`))
  })
  return outcome
}

/** Longer than any file of tests takes: one hangs, perhaps with its worker blocked. */
const HANGS_AFTER_MS = 55_000

/** In a dedicated worker, or with `depth` 2 in a worker of that one. */
function inWorker(file: string, depth: number, begin: (title: string) => void = () => {}): Promise<Outcome> {
  const worker = new Worker('/suite.js', { type: 'module', name: 'tests' })
  return new Promise<Outcome>((resolve, reject) => {
    let last = 'none'
    setTimeout(
      () => reject(new Error(`no end after ${HANGS_AFTER_MS} ms; the last test that began: ${last}`)),
      HANGS_AFTER_MS,
    )
    worker.onmessage = ({ data }: MessageEvent<Outcome | Progress>) => {
      if (!('begun' in data)) return resolve(data)
      last = data.begun
      begin(last)
    }
    worker.onerror = (event) => {
      event.preventDefault()
      reject(new Error(`in the worker: ${event.message} at ${event.filename}:${event.lineno}`))
    }
    worker.postMessage({ file, depth: depth - 1 })
  }).finally(() => worker.terminate())
}

interface Suite {
  runTests: typeof run
}

async function inFrame(file: string): Promise<Outcome> {
  const frame = document.createElement('iframe')
  frame.src = '/'
  const loaded = new Promise((resolve) => {
    frame.onload = resolve
  })
  document.body.append(frame)
  await loaded
  const inside = frame.contentWindow as unknown as Suite
  while (inside.runTests === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
  return inside.runTests(file, 'page')
}

async function run(file: string, scope: Scope): Promise<Outcome> {
  if (scope === 'page') return runHere(file)
  if (scope === 'iframe') return inFrame(file)
  return inWorker(file, scope === 'worker' ? 1 : 2)
}

if (typeof document === 'undefined') {
  const arrived = new Promise<MessageEvent>((resolve) => {
    globalThis.onmessage = resolve
  })
  // @ts-expect-error: served beside this module, and brings no types
  await import('/mocha.js')
  const rejected: string[] = []
  addEventListener('unhandledrejection', ({ reason }) => rejected.push(`unhandled: ${reason?.stack ?? reason}`))
  const { file, depth } = (await arrived).data as { file: string; depth: number }
  const begin = (begun: string) => globalThis.postMessage({ begun } satisfies Progress)
  const outcome = depth === 0 ? await runHere(file, begin) : await inWorker(file, depth, begin)
  outcome.failures.push(...rejected)
  globalThis.postMessage(outcome)
} else Object.assign(globalThis, { runTests: run, testFiles: Object.keys(files) })
