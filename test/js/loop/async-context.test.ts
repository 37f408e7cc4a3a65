// Callbacks run in the async context in which they were registered: AsyncLocalStorage shows the
// request of the receiver, not that of whichever sender happened to set the dispatcher going.
import assert from 'node:assert/strict'
import { pattern } from '../support/bytes.js'
import { open } from '../support/channels.js'
import { contextCases, dispatcherContext, requests } from '../support/contexts.js'
import { plugin } from '../support/paths.js'
import { Thread } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

const receivers = (seen: readonly string[]) => seen.map(() => 'receiver')

describe('async context', () => {
  for (const [name, run] of Object.entries(contextCases)) {
    it(`is that of the registration: ${name}`, async () => {
      const seen = await run()
      assert.ok(seen.length > 0)
      assert.deepEqual(seen, receivers(seen))
    })
  }

  it('of the dispatcher is that of no request', async () => {
    assert.deepEqual(await dispatcherContext(), ['none'])
  })

  it('is that of the registration where a native thread wakes the event loop, whichever side sends', async () => {
    const seen: string[] = []
    const lines: string[] = []
    const channel = requests.run('maker', () => open(65536, 65536))
    const logging = requests.run('maker', () => open(65536, 65536))
    const note = () => seen.push(requests.getStore() ?? 'none')
    requests.run('worker', () => channel.startWorker({ builtin: 'echo' }))
    requests.run('logger', () => {
      logging.startWorker({ plugin: plugin('logger'), onLog: () => lines.push(requests.getStore() ?? 'none') })
    })
    requests.run('receiver', () => channel.startReceiving(note))
    for (let i = 0; i < 10; i++) {
      if (i % 5 === 0) await aWhile() // asleep: the next echo wakes it
      requests.run(`sender ${i}`, () => {
        channel.send(pattern(i, 100))
        logging.send(pattern(i, 10))
      })
      await until(() => seen.length === i + 1, `echo ${i}`)
    }
    await until(() => lines.length > 10, 'log lines')
    assert.deepEqual([...new Set(seen)], ['receiver'])
    assert.deepEqual([...new Set(lines)], ['logger'])
  })

  it("is that of the registration for 'peer-died'", async () => {
    const seen: string[] = []
    const channel = open()
    requests.run('receiver', () => {
      channel.addEventListener('peer-died', () => seen.push(requests.getStore() ?? 'none'))
    })
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'idle' })
    assert.equal(await thread.next(), 'ready')
    requests.run('sender', () => channel.send(pattern(1, 10)))
    await aWhile()
    await thread.terminate()
    await until(() => seen.length === 1, "'peer-died'")
    assert.deepEqual(seen, ['receiver'])
  })

  it('is that of the registration in a thread without the addon, woken by Atomics', async () => {
    const thread = new Thread('contexts', null, { execArgv: ['--no-addons'] })
    const { wakes, seen, dispatcher } = await thread.next<{
      wakes: string
      seen: Record<string, string[]>
      dispatcher: string[]
    }>()
    assert.equal(wakes, 'atomics')
    assert.deepEqual(Object.keys(seen), Object.keys(contextCases))
    for (const [name, list] of Object.entries(seen)) assert.deepEqual(list, receivers(list), name)
    assert.deepEqual(dispatcher, ['none'])
  })
})
