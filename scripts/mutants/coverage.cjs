// Loaded before everything else in each process and thread of a test file, while no mistake is
// active: notes which of the places where mistakes can be made are executed at all. Written at the
// first time and at once, because threads and processes of the tests are killed. A test that takes
// away its own descriptors or rights must not notice the writing: what cannot be written then is
// written with what comes next, or at the end.
const { appendFileSync } = require('node:fs')
const { join } = require('node:path')
const { threadId } = require('node:worker_threads')

const file = join(process.env.SABWAY_MUTANTS_COVERAGE, `${process.pid}-${threadId}`)

let unwritten = ''

function write(text) {
  unwritten += text
  try {
    appendFileSync(file, unwritten)
    unwritten = ''
  } catch {
    // No descriptor is free, or the file is another user's.
  }
}

process.on('exit', () => {
  if (unwritten !== '') write('')
})

// Reached once a key: what is set becomes the counter's own property, which is found before this.
const firstTime = new Proxy(
  {},
  {
    set(_target, key, value, counters) {
      Object.defineProperty(counters, key, { value, writable: true, enumerable: true, configurable: true })
      write(`${String(key)}\n`)
      return true
    },
  },
)

globalThis.__stryker__ = { mutantCoverage: { static: Object.create(firstTime), perTest: {} } }
