import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogLine, SabwayError } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collect, open, takeAll } from '../support/channels.js'
import { assertError, throwsError } from '../support/errors.js'
import { plugin } from '../support/paths.js'
import { nativeThreadsAre } from '../support/threads.js'
import { aWhile, until } from '../support/wait.js'

const text = (string: string) => new TextEncoder().encode(string)

describe('plugins that work', () => {
  it('answer messages with reserve and commit, also when they must wait for room', async () => {
    const channel = open(16384, 4096)
    channel.startWorker({ plugin: plugin('reverse') })
    for (let i = 0; i < 100; i++) channel.send(pattern(i, (i * 41) % 4097))
    await until(() => (channel.stats().worker?.parks ?? 0) > 0, 'the plugin to find no room and sleep')
    const received = collect(channel)
    await until(() => received.length === 100, 'all answers')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, (i * 41) % 4097).reverse())
    })
  })

  it('may ask for a message again', async () => {
    const channel = open()
    channel.startWorker({ plugin: plugin('again') })
    const received = collect(channel)
    for (let i = 0; i < 100; i++) channel.send(pattern(i, 50))
    await until(() => received.length === 100, 'all messages, each at its second delivery')
    received.forEach((message, i) => {
      assert.deepEqual(message, pattern(i, 50))
    })
  })

  it('send by themselves as fast as there is room', async () => {
    const channel = open(4096, 65536)
    channel.startWorker({ plugin: plugin('firehose') })
    let next = 0
    channel.startReceiving((message) => {
      assert.equal(message.length, 1000)
      assert.equal(new DataView(message.buffer, message.byteOffset).getUint32(0, true), next++)
    })
    await until(() => next > 5000, '5000 messages')
  })

  it('send at their time', async () => {
    const channel = open()
    channel.startWorker({ plugin: plugin('ticker'), interval: 2 })
    const ticks: { due: bigint; at: bigint }[] = []
    channel.startReceiving((message) => {
      const words = new BigUint64Array(message.slice().buffer)
      ticks.push({ due: words[0]!, at: words[1]! })
    })
    await until(() => ticks.length >= 10, 'ten ticks')
    ticks.forEach(({ due, at }, i) => {
      assert.ok(at >= due, 'no tick comes before its time')
      assert.equal(due - ticks[0]!.due, BigInt(i) * 2_000_000n, 'none is left out')
    })
  })

  it('get a private copy of each message, unless they ask for the bytes in the ring', async () => {
    const answer = async (name: string) => {
      const channel = open()
      channel.startWorker({ plugin: plugin(name) })
      const received = collect(channel)
      for (let i = 0; i < 3; i++) channel.send(pattern(i, 100))
      await until(() => received.length === 3, 'the addresses')
      return received.map((message) => new DataView(message.buffer, message.byteOffset).getBigUint64(0, true))
    }
    const copies = await answer('where')
    assert.equal(new Set(copies).size, 1, 'always the same private buffer')
    const inPlace = await answer('where-in-place')
    assert.deepEqual([inPlace[1]! - inPlace[0]!, inPlace[2]! - inPlace[1]!], [112n, 112n], 'one frame behind the other')
  })

  it('work several at once, from the same file too', async () => {
    const channels = Array.from({ length: 4 }, () => open(8192, 8192))
    for (const channel of channels) channel.startWorker({ plugin: plugin('again') })
    const received = channels.map(collect)
    for (let n = 0; n < 50; n++)
      channels.forEach((channel, i) => {
        channel.send(pattern(n * 10 + i, 99))
      })
    await until(() => received.every((list) => list.length === 50), 'all messages')
    received.forEach((list, i) => {
      list.forEach((message, n) => {
        assert.deepEqual(message, pattern(n * 10 + i, 99))
      })
    })
  })
})

describe('log lines of plugins', () => {
  it('reach onLog with their level, in order', async () => {
    const channel = open()
    const lines: LogLine[] = []
    channel.startWorker({ plugin: plugin('logger'), width: 640, name: 'a "b"', onLog: (line) => lines.push(line) })
    channel.send(text('hello'))
    channel.send(text(''))
    await until(() => lines.length === 4, 'four lines')
    assert.deepEqual(lines, [
      { level: 'debug', text: '{"width":640,"name":"a \\"b\\""}' },
      { level: 'info', text: '5 bytes: hello' },
      { level: 'info', text: '0 bytes: ' },
      { level: 'warn', text: 'empty' },
    ])
  })

  it('are not missed without a listener', async () => {
    const channel = open()
    channel.startWorker({ plugin: plugin('logger') })
    for (let i = 0; i < 1000; i++) channel.send(text(`line ${i}`))
    await until(() => channel.stats().worker?.received === 1000, 'the plugin to log it all')
  })

  it('of close reach onLog after stopWorker', async () => {
    const channel = open()
    const lines: string[] = []
    channel.startWorker({ plugin: plugin('logger'), onLog: ({ level, text }) => lines.push(`${level} ${text}`) })
    channel.stopWorker()
    await until(() => lines.includes('error closed'), 'the last line')
  })

  it('go to the onLog of their own worker', async () => {
    const first: string[] = []
    const second: string[] = []
    const one = open()
    const two = open()
    one.startWorker({ plugin: plugin('logger'), onLog: (line) => first.push(line.text) })
    two.startWorker({ plugin: plugin('logger'), onLog: (line) => second.push(line.text) })
    one.send(text('1'))
    two.send(text('2'))
    await until(() => first.length === 2 && second.length === 2, 'two lines each')
    assert.deepEqual([first[1], second[1]], ['1 bytes: 1', '1 bytes: 2'])
  })

  it('may lead to stopWorker, startWorker and cleanup inside onLog', async () => {
    const channel = open()
    let starts = 0
    const start = () => {
      starts++
      channel.startWorker({ plugin: plugin('logger'), onLog: starts < 3 ? restart : () => channel.cleanup() })
    }
    const restart = ({ level }: LogLine) => {
      if (level !== 'debug') return
      channel.stopWorker()
      start()
    }
    start()
    await until(() => channel.closed, 'cleanup inside onLog')
    assert.equal(starts, 3)
    await nativeThreadsAre(0)
  })
})

describe('plugins that cannot be started', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sabway-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  const refused = async (path: string, code: Parameters<typeof throwsError>[1], teaches: RegExp) => {
    const channel = open()
    throwsError(() => channel.startWorker({ plugin: path }), code, teaches)
    await nativeThreadsAre(0)
    channel.startWorker({ builtin: 'echo' }) // nothing of the failed start is left
    channel.send(pattern(1, 5))
    await until(() => takeAll(channel).length === 1, 'the echo')
  }

  it('no such file', () =>
    refused(join(folder, 'none.so'), 'ERR_SABWAY_PLUGIN_NOT_FOUND', /none\.so: .*cannot open shared object file/))

  it('no library', () => {
    writeFileSync(join(folder, 'text.so'), 'this is text')
    return refused(join(folder, 'text.so'), 'ERR_SABWAY_PLUGIN_NOT_FOUND', /text\.so: .*(too short|invalid ELF header)/)
  })

  it('no symbol', () =>
    refused(
      plugin('no-symbol'),
      'ERR_SABWAY_PLUGIN_SYMBOL',
      /no-symbol\.so: declare it as SABWAY_EXPORT const sabway_plugin_v1/,
    ))

  it('another ABI version', () =>
    refused(
      plugin('bad-abi'),
      'ERR_SABWAY_PLUGIN_ABI',
      /bad-abi\.so: it says version 999, this Sabway has versions 1 to 2/,
    ))

  it('no open function', () =>
    refused(plugin('no-open'), 'ERR_SABWAY_PLUGIN_ABI', /no-open\.so: name, open and close must be set/))

  it('open fails: its log lines are part of the message', () =>
    refused(plugin('open-fails'), 'ERR_SABWAY_PLUGIN_OPEN', /open-fails: no camera on port 7/))

  it('a path that is none', () => {
    const channel = open()
    throwsError(
      () => channel.startWorker({ plugin: 5 } as never),
      'ERR_SABWAY_INVALID_TYPE',
      /plugin, the path of a shared library, must be a string, got 5/,
    )
  })
})

describe('plugins that end by themselves', () => {
  it("stop: what they sent arrives, then 'close'", async () => {
    const channel = open()
    const told: string[] = []
    channel.addEventListener('error', () => told.push('error'))
    channel.addEventListener('close', () => told.push('close'))
    channel.startWorker({ plugin: plugin('stopper') })
    channel.startReceiving((message) => told.push(new TextDecoder().decode(message)))
    assert.equal(channel.sendBatch(['one', 'two', 'stop', 'never'].map(text)), 4)
    await until(() => told.includes('close'), "'close'")
    await aWhile()
    assert.deepEqual(told, ['one', 'two', 'stop', 'close'])
    await until(() => channel.stats().worker === undefined, 'the thread to be joined')
    await nativeThreadsAre(0)
    throwsError(() => channel.send(text('more')), 'ERR_SABWAY_CLOSED', /./)
  })

  it("stop while they flood: all that was sent arrives, then 'close'", async () => {
    const channel = open(4096, 16384)
    let next = 0
    let closed = false
    channel.addEventListener('close', () => {
      closed = true
    })
    channel.startWorker({ plugin: plugin('firehose') })
    channel.startReceiving((message) => {
      assert.equal(new DataView(message.buffer, message.byteOffset).getUint32(0, true), next++)
      if (next === 1000) channel.send(text('stop'))
    })
    await until(() => closed, "'close'")
    assert.ok(next >= 1000)
  })

  it("fail: 'error' with the code, and 'close'", async () => {
    const channel = open()
    const told: string[] = []
    let error: SabwayError | undefined
    channel.addEventListener('error', (event) => {
      told.push('error')
      error = (event as unknown as { error: SabwayError }).error
    })
    channel.addEventListener('close', () => told.push('close'))
    collect(channel)
    channel.startWorker({ plugin: plugin('on-fails') })
    channel.send(text('go'))
    await until(() => told.length === 2, 'both events')
    assert.deepEqual(told.sort(), ['close', 'error'])
    assertError(error, 'ERR_SABWAY_PLUGIN_FAILED', /the native worker ended/)
    await nativeThreadsAre(0)
  })
})
