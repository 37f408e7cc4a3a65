// What only a page can show: its main thread, which may not block.
import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../../js/support/bytes.js'
import { collect, open, pair } from '../../js/support/channels.js'
import { throwsError } from '../../js/support/errors.js'
import { Thread } from '../../js/support/threads.js'
import { aWhile, until } from '../../js/support/wait.js'
import type { EndData } from '../../js/workers/end.js'

describe("a page's main thread", () => {
  it('is cross-origin isolated, and may not block', () => {
    assert.equal(globalThis.crossOriginIsolated, true)
    const words = new Int32Array(new SharedArrayBuffer(4))
    assert.throws(() => Atomics.wait(words, 0, 0, 0), TypeError)
  })

  it('is woken from its sleep by a dedicated worker through Atomics.waitAsync', async () => {
    const native = Atomics as unknown as { waitAsync(...args: unknown[]): { async: boolean } }
    const { waitAsync } = native
    let asleep = 0
    native.waitAsync = (...args) => {
      const result = waitAsync(...args)
      if (result.async) asleep++
      return result
    }
    try {
      const channel = open()
      const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' } satisfies EndData)
      assert.equal(await thread.next('ready'), 'ready')
      const received = collect(channel)
      for (let i = 0; i < 30; i++) {
        await aWhile()
        channel.send(pattern(i, 100))
        await until(() => received.length === i + 1, `echo ${i}`)
      }
      assert.equal(channel.stats().wakes, 'atomics')
      assert.ok(asleep >= 30, `slept ${asleep} times`)
    } finally {
      native.waitAsync = waitAsync
    }
  })

  it('only relays: two workers use a channel whose handle it passes on', async () => {
    const maker = new Thread('maker', { silent: true })
    const handle = await maker.next<EndData['handle']>()
    const one = new Thread('end', { handle, side: 'renderer', job: 'count' } satisfies EndData)
    const other = new Thread('end', { handle, side: 'native', job: 'echo' } satisfies EndData)
    await Promise.all([one.next('ready'), other.next('ready')])
    for (let i = 0; i < 20; i++) {
      one.tell(pattern(i, i * 50))
      assert.deepEqual(await one.next(), { received: i + 1, message: pattern(i, i * 50) })
    }
  })

  it('cannot wait in receiveSync: it gets what is there, and is told what to do instead', () => {
    const { renderer, native } = pair()
    renderer.send(pattern(1, 10))
    assert.deepEqual(native.receiveSync(1000), pattern(1, 10))
    throwsError(() => native.receiveSync(1000), 'ERR_SABWAY_INVALID_STATE', /use startReceiving here/)
    assert.equal(native.receiveSync(0), null)
  })

  it('has no native worker, and says so', () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    assert.throws(() => channel.startWorker({ builtin: 'echo' }), { code: 'ERR_SABWAY_NO_ADDON' })
    channel.cleanup()
  })
})
