// The suite of test/frameworks, inside real Jest and real Vitest: their environments have globals
// of another realm, or lack some, and fake the clocks.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { root } from '../support/paths.js'

const folder = fileURLToPath(new URL('test/frameworks/', root))

interface Report {
  numPassedTests: number
  numTotalTests: number
}

/** Run a framework to its end: all of its tests pass, as many as its environments have. */
function passes(program: string, args: string[], nodeOptions: string[], environments: number): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeOptions, fileURLToPath(new URL(`node_modules/${program}`, root)), ...args],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      timeout: 120_000,
      killSignal: 'SIGKILL',
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  )
  const report: Report = stdout.startsWith('{') ? JSON.parse(stdout) : { numPassedTests: 0, numTotalTests: 0 }
  const { numPassedTests: passed, numTotalTests: total } = report
  assert.ok(
    status === 0 && passed === total,
    `${passed} of ${total} tests passed, status ${status}\n${stderr}\n${stdout}`,
  )
  assert.ok(passed >= 20 * environments, `${passed} tests passed in ${environments} environments`)
}

describe('inside a test framework the library passes a suite of its own', function () {
  this.timeout(150_000)

  it('Jest: node, jsdom, ES modules, clocks faked from the start', () => {
    passes('jest/bin/jest.js', ['--json', '--ci'], ['--experimental-vm-modules', '--no-warnings'], 6)
  })

  it('Vitest: node, happy-dom, jsdom, clocks faked from the start', () => {
    passes('vitest/vitest.mjs', ['run', '--reporter=json'], [], 5)
  })
})
