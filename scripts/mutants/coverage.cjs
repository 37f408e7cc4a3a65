// Loaded before everything else in each process and thread of a test file, while no mistake is active: notes which of the
// places where mistakes can be made are executed at all. Written at the first time and at once, because threads and processes
// of the tests are killed.
const { appendFileSync } = require('node:fs')
const { join } = require('node:path')
const { threadId } = require('node:worker_threads')

const file = join(process.env.SABWAY_MUTANTS_COVERAGE, `${process.pid}-${threadId}`)

// Reached once a key: what is set becomes the counter's own property, which is found before this.
const firstTime = new Proxy(
  {},
  {
    set(_target, key, value, counters) {
      Object.defineProperty(counters, key, { value, writable: true, enumerable: true, configurable: true })
      appendFileSync(file, `${String(key)}\n`)
      return true
    },
  },
)

globalThis.__stryker__ = { mutantCoverage: { static: Object.create(firstTime), perTest: {} } }
