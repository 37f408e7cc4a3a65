// Node's own streams over a channel's.
import assert from 'node:assert/strict'
import { Duplex, Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pattern } from '../support/bytes.js'
import { collect, open, pair } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { Thread } from '../support/threads.js'
import { aWhile, until, within } from '../support/wait.js'

describe('stream.Duplex.fromWeb', () => {
  const duplex = (channel: { readable: ReadableStream; writable: WritableStream }) =>
    Duplex.fromWeb({ readable: channel.readable, writable: channel.writable } as never)

  it('sends and receives, and a pipeline through the other side ends by itself', async () => {
    const { renderer, native } = pair(8192)
    const far = duplex(native)
    const upper = new Transform({
      transform(chunk, _encoding, done) {
        done(null, Buffer.from(chunk.toString().toUpperCase()))
      },
    })
    const echo = pipeline(far, upper, far)
    const text = 'every good word. '.repeat(3000)
    const parts = Array.from({ length: Math.ceil(text.length / 1000) }, (_, i) => text.slice(i * 1000, (i + 1) * 1000))
    const near = duplex(renderer)
    let answer = ''
    const sink = new Writable({
      write(chunk, _encoding, done) {
        answer += chunk
        done()
      },
    })
    const source = Readable.from(parts.map((part) => Buffer.from(part)))
    await within(Promise.all([pipeline(source, near, sink), echo]), 'the pipelines')
    assert.equal(answer, text.toUpperCase())
  })

  it('with a native worker on the other side, too', async () => {
    const channel = open(8192, 8192)
    channel.startWorker({ builtin: 'echo' })
    const chunks: Buffer[] = []
    const sink = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    const source = Readable.from(Array.from({ length: 100 }, (_, i) => Buffer.from(pattern(i, 1000))))
    await within(pipeline(source, duplex(channel), sink), 'the pipeline')
    const expected = Buffer.concat(Array.from({ length: 100 }, (_, i) => pattern(i, 1000)))
    assert.ok(Buffer.concat(chunks).equals(expected))
  })

  it('with another thread', async () => {
    const channel = open(8192, 8192)
    const thread = new Thread('end', { handle: channel.handle, side: 'native', job: 'echo' })
    await thread.next('ready')
    const stream = duplex(channel)
    const received: Buffer[] = []
    stream.on('data', (chunk) => received.push(chunk))
    for (let i = 0; i < 100; i++)
      if (!stream.write(pattern(i, 1000))) await new Promise((go) => stream.once('drain', go))
    await until(() => Buffer.concat(received).length === 100_000, 'all echoes')
    stream.destroy()
  })

  it('a receiver that was destroyed stops the sender with an error', async () => {
    const { renderer, native } = pair(4096)
    const far = duplex(native)
    far.on('error', () => {})
    far.destroy()
    await aWhile()
    throwsError(() => renderer.send(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /./)
    assert.throws(() => collect(native), /cancelled/)
  })
})
