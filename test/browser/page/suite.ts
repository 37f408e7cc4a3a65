// Runs mocha in the page: one file of test/js, or of this folder.
import { pending } from './host.js'

const files: Record<string, () => Promise<unknown>> = {
  page: () => import('./page.test.js'),
  close: () => import('../../js/close.test.js'),
  errors: () => import('../../js/errors.test.js'),
  flood: () => import('../../js/flood.test.js'),
  handles: () => import('../../js/handles.test.js'),
  hostile: () => import('../../js/hostile.test.js'),
  ownership: () => import('../../js/ownership.test.js'),
  'too-large': () => import('../../js/too-large.test.js'),
  'no-addon': () => import('../../js/no-addon.test.js'),
  receive: () => import('../../js/receive.test.js'),
  regions: () => import('../../js/regions.test.js'),
  rings: () => import('../../js/rings.test.js'),
  reserve: () => import('../../js/reserve.test.js'),
  send: () => import('../../js/send.test.js'),
  'send-batch': () => import('../../js/send-batch.test.js'),
  'send-direct': () => import('../../js/send-direct.test.js'),
  sizes: () => import('../../js/sizes.test.js'),
  'receive-async': () => import('../../js/receive-async.test.js'),
  events: () => import('../../js/events.test.js'),
  batch: () => import('../../js/batch.test.js'),
  streams: () => import('../../js/streams.test.js'),
  threads: () => import('../../js/threads.test.js'),
  write: () => import('../../js/write.test.js'),
}

export interface Outcome {
  passed: number
  /** Tests that need the addon. */
  pending: number
  failures: string[]
}

async function run(file: string): Promise<Outcome> {
  mocha.setup({ ui: 'bdd', timeout: 120_000, reporter: class {} as never })
  const { mochaHooks } = await import('../../js/support/root-hooks.js')
  afterEach(mochaHooks.afterEach)
  await files[file]!()
  const outcome: Outcome = { passed: 0, pending: 0, failures: [] }
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve())
    runner.on('pass', () => outcome.passed++)
    runner.on('pending', (test) => {
      outcome.pending++
      if (!pending.has(test.title)) outcome.failures.push(`${test.fullTitle()}: pending, for no reason that is known`)
    })
    runner.on('fail', (test, error) => outcome.failures.push(`${test.fullTitle()}: ${error?.stack ?? error}`))
  })
  return outcome
}

Object.assign(globalThis, { runTests: run, testFiles: Object.keys(files) })
