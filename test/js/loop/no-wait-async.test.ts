// Whatever waits on the event loop does so, too, where there is no Atomics.waitAsync to wake it:
// the same tests, in such a process.
import { root } from '../support/paths.js'
import { itPasses } from '../support/suites.js'

/** Files of tests that wait, and how many of them can run without the addon, at least. */
const FILES: Record<string, number> = {
  'channel/batch': 14,
  'channel/close': 21,
  'channel/events': 17,
  'package/no-addon': 8,
  'channel/port': 24,
  'channel/receive': 19,
  'channel/receive-async': 20,
  'channel/receive-sync': 10,
  'channel/send': 14,
  'channel/send-direct': 15,
  'channel/streams': 14,
  'loop/threads': 6,
  'channel/values': 31,
}

/** What makes such a host. */
const NONE = new URL('build/test/js/support/no-wait-async.js', root).href

/**
 * With the addon, which wakes the event loop by itself, only threads without it need the polling.
 */
const WITH_ADDON = ['package/no-addon', 'channel/receive', 'loop/threads']

for (const [title, options, names] of [
  ['without Atomics.waitAsync and without the addon', ['--no-addons'], Object.keys(FILES)],
  ['without Atomics.waitAsync, but with the addon', [], WITH_ADDON],
] as const) {
  describe(title, () => {
    for (const name of names) itPasses(name, FILES[name]!, [...options, '--import', NONE])
  })
}
