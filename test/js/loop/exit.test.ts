// How a process ends that never calls cleanup, and what keeps one alive: each case in a process of
// its own.
import assert from 'node:assert/strict'
import { runChild } from '../support/children.js'
import { plugin } from '../support/paths.js'

describe('process exit without cleanup, while a native worker floods', () => {
  const good: Record<string, string> = {
    'never received': 'started\ncode 0, 0 received\n',
    stopReceiving: 'code 0, enough received\n',
    'process.exit': 'code 0, enough received\n',
    'process.exit outside': 'code 0, enough received\n',
    'worker threads': 'code 0, enough received\n',
  }
  for (const [how, output] of Object.entries(good)) {
    it(how, async () => {
      const { code, signal, stdout, stderr } = await runChild('flooded.js', [how])
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: output, stderr: '' })
    })
  }

  it('an uncaught exception in a callback', async () => {
    const { code, signal, stdout, stderr } = await runChild('flooded.js', ['throw'])
    assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: 'code 1, enough received\n' })
    assert.match(stderr, /Error: thrown in a callback/)
  })
})

describe('what keeps a process alive', () => {
  const cases: [string, string, string?][] = [
    ['created', ''],
    ['receiving', 'message, message', 'ticker'],
    ['an echo, sent to once', 'message'],
    ['stopReceiving', 'message', 'ticker'],
    ['unref while receiving', 'message, message', 'ticker'],
    ['unref, then receiving', '', 'ticker'],
    ['unref and ref', 'message', 'ticker'],
    ['ref without receiving', 'still here'],
    ["a 'message' listener", 'message, message', 'ticker'],
    ["a 'message' listener that is removed", 'message', 'ticker'],
    ['a pending receive', 'message', 'ticker'],
    ['a loop that is left', 'message, message', 'ticker'],
    ['a schedule of its own', 'message, message', 'ticker'],
    ['the other side is cleaned up', 'message, close'],
    ["the other side's thread ends", 'message, peer-died'],
    ['queue with a worker', 'many queued, 0 left'],
    ['queue without a peer', 'many queued, 199 left'],
    ['sendDirect that times out', 'ERR_SABWAY_TIMEOUT, 0 left'],
  ]
  for (const [what, told, name] of cases) {
    it(`${what}: ${told || 'ends at once'}`, async () => {
      const { code, signal, stdout, stderr } = await runChild('idle.js', [what, name ? plugin(name) : ''])
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: `${told}\n`, stderr: '' })
    })
  }
})

describe('an exception thrown in a callback becomes an uncaughtException, and nothing is lost:', () => {
  const numbers = Array.from({ length: 100 }, (_, i) => String(i))
  const everyTenth = numbers.filter((_, i) => i % 10 === 0).map((i) => `at ${i}`)
  const cases: [string, string[], string?][] = [
    ['startReceiving, all at once', everyTenth],
    ['startReceiving, each after a sleep', everyTenth],
    ["a 'message' listener", everyTenth],
    ['onLog', everyTenth, 'logger'],
    ['onQueueEmpty', ['empty']],
  ]
  for (const [where, uncaught, name] of cases) {
    it(where, async () => {
      const { code, signal, stdout, stderr } = await runChild('throws.js', [where, name ? plugin(name) : ''])
      assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
      assert.deepEqual(JSON.parse(stdout), { uncaught, received: numbers })
    })
  }

  it('each time, of one of two channels in a region: the other has its turns', async () => {
    const where = 'each time, of one of two channels in a region'
    const { code, signal, stdout, stderr } = await runChild('throws.js', [where])
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' })
    const { uncaught, received } = JSON.parse(stdout)
    assert.equal(uncaught.length, 100)
    assert.equal(received.length, 101)
    assert.ok(received.indexOf('other') < 3, `its message was the ${received.indexOf('other') + 1}th`)
  })

  it("a worker that fails, when nothing listens for 'error'", async () => {
    const { code, stderr } = await runChild('unheard.js', [plugin('on-fails')])
    assert.equal(code, 1)
    assert.match(stderr, /ERR_SABWAY_PLUGIN_FAILED/)
    assert.match(stderr, /the plugin reported a failure while it ran: the native worker ended/)
  })
})
