// Test files that run once more, in a process that differs from this one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { root } from './paths.js'

interface Report {
  stats: { passes: number; failures: number }
  failures: { fullTitle: string; err: { message: string } }[]
}

const file = (path: string) => fileURLToPath(new URL(path, root))

async function run(name: string, options: readonly string[], env: NodeJS.ProcessEnv): Promise<Report> {
  const mocha = [file('node_modules/mocha/bin/mocha.js'), '--no-config', '--timeout', '60000', '--reporter', 'json']
  const hooks = ['--require', file('build/test/js/support/root-hooks.js')]
  const args = ['--expose-gc', ...options, ...mocha, ...hooks, file(`build/test/js/${name}.test.js`)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const printed = await text(child.stdout)
  return JSON.parse(printed.slice(printed.indexOf('{\n'))) as Report
}

/**
 * A test: those of the file pass with these options of Node and these variables, and `least` of
 * them run.
 */
export function itPasses(name: string, least: number, options: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  it(`the tests of ${name} pass`, async () => {
    const { stats, failures } = await run(name, options, env)
    assert.deepEqual(
      failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`),
      [],
    )
    assert.ok(stats.passes >= least, `${stats.passes} tests ran, where ${least} can`)
  })
}
