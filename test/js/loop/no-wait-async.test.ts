// Whatever waits on the event loop does so, too, where there is no Atomics.waitAsync to wake it:
// the same tests, in such a process.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { root } from '../support/paths.js'

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

/**
 * With the addon, which wakes the event loop by itself, only threads without it need the polling.
 */
const WITH_ADDON = ['package/no-addon', 'channel/receive', 'loop/threads']

interface Report {
  stats: { passes: number; failures: number }
  failures: { fullTitle: string; err: { message: string } }[]
}

const file = (path: string) => fileURLToPath(new URL(path, root))

async function run(name: string, options: string[]): Promise<Report> {
  const mocha = [file('node_modules/mocha/bin/mocha.js'), '--no-config', '--timeout', '60000', '--reporter', 'json']
  const hooks = ['--require', file('build/test/js/support/root-hooks.js')]
  const before = ['--expose-gc', ...options, '--import', new URL('build/test/js/support/no-wait-async.js', root).href]
  const args = [...before, ...mocha, ...hooks, file(`build/test/js/${name}.test.js`)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const printed = await text(child.stdout)
  return JSON.parse(printed.slice(printed.indexOf('{\n'))) as Report
}

for (const [title, options, names] of [
  ['without Atomics.waitAsync and without the addon', ['--no-addons'], Object.keys(FILES)],
  ['without Atomics.waitAsync, but with the addon', [], WITH_ADDON],
] as const) {
  describe(title, () => {
    for (const name of names) {
      it(`the tests of ${name} pass`, async () => {
        const { stats, failures } = await run(name, [...options])
        assert.deepEqual(
          failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`),
          [],
        )
        assert.ok(stats.passes >= FILES[name]!, `${stats.passes} tests ran, where ${FILES[name]} can`)
      })
    }
  })
}
