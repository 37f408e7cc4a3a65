// WHATWG streams: order, ends, and above all that a slow sink stops the producer.
import assert from 'node:assert/strict'
import { type ErrorCode, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, open, pair, takeAll } from '../support/channels.js'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { aWhile, turns, until, within } from '../support/wait.js'

describe('a chunk that cannot be sent', () => {
  const chunks: Record<string, [unknown, ErrorCode]> = {
    'of a wrong type': ['text', 'ERR_SABWAY_INVALID_TYPE'],
    'too large': [new Uint8Array(5000), 'ERR_SABWAY_MESSAGE_TOO_LARGE'],
  }
  for (const [what, [chunk, code]] of Object.entries(chunks)) {
    it(`${what}: breaks the pipe, and ends the direction for the other side`, async () => {
      const { renderer, native } = pair(4096)
      const source = new ReadableStream({
        pull(controller) {
          controller.enqueue(pattern(0, 10))
          controller.enqueue(chunk)
        },
      })
      const received: Uint8Array[] = []
      const read = (async () => {
        for await (const message of native) received.push(message)
      })()
      const failed = await within(
        source.pipeTo(renderer.writable).catch((error) => error),
        'the pipe',
      )
      assertError(failed, code, /a message must be|bytes into a ring/)
      await within(read, 'the end of the stream')
      assert.deepEqual(received, [pattern(0, 10)])
      throwsError(() => renderer.send(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /the writable stream failed/)
      native.send(pattern(1, 1)) // the other direction goes on
      assert.deepEqual(takeAll(renderer), [pattern(1, 1)])
    })
  }

  it('not encodable, or not decodable at the other end: both sides are told', async () => {
    const codec = {
      name: 'fails',
      encode: (value: number) => {
        if (value === 2) throw new Error('cannot encode 2')
        return Uint8Array.of(value)
      },
      decode: (bytes: Uint8Array) => {
        if (bytes[0] === 3) throw new Error('cannot decode 3')
        return bytes[0]!
      },
    }
    const make = () => {
      const renderer = new SharedMemoryChannel<number>(4096, 4096, { codec })
      const native = SharedMemoryChannel.attach<number>(renderer.handle, { side: 'native', codec })
      keep(renderer as never)
      keep(native as never)
      return { renderer, native }
    }
    const encoding = make()
    const reader = encoding.native.readable.getReader()
    await rejectsWith(encoding.renderer.writable.getWriter().write(2), 'ERR_SABWAY_NOT_ENCODABLE', /cannot encode 2/)
    assert.equal((await within(reader.read(), 'the end')).done, true)
    const decoding = make()
    decoding.renderer.send(3)
    await rejectsWith(decoding.native.readable.getReader().read(), 'ERR_SABWAY_NOT_DECODABLE', /cannot decode 3/)
    throwsError(() => decoding.renderer.send(1), 'ERR_SABWAY_CLOSED', /the other side/)
  })
})

describe('readable and writable', () => {
  it('carry messages as chunks, in order, and end', async () => {
    const { renderer, native } = pair(4096)
    const sent = Array.from({ length: 200 }, (_, i) => pattern(i, (i * 31) % 3000))
    const received: Uint8Array[] = []
    let next = 0
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (next === sent.length) controller.close()
        else controller.enqueue(sent[next++]!)
      },
    })
    const piped = source.pipeTo(renderer.writable)
    for await (const chunk of native.readable as unknown as AsyncIterable<Uint8Array>) received.push(chunk)
    await within(piped, 'the pipe')
    assert.deepEqual(received, sent)
  })

  it('are made on first use, and then the same', () => {
    const channel = open()
    assert.equal(channel.readable, channel.readable)
    assert.equal(channel.writable, channel.writable)
  })

  it('hold nothing back: what was not read is in the ring', async () => {
    const { renderer, native } = pair()
    for (let i = 0; i < 5; i++) renderer.send(Uint8Array.of(i))
    const reader = native.readable.getReader()
    assert.deepEqual((await reader.read()).value, Uint8Array.of(0))
    assert.deepEqual((await reader.read()).value, Uint8Array.of(1))
    await aWhile()
    reader.releaseLock()
    assert.deepEqual(
      takeAll(native).map((message) => message[0]),
      [2, 3, 4],
    )
  })

  it('stop the producer while the sink is stalled: nothing grows on either side', async () => {
    const ring = 1 << 16
    const chunk = pattern(0, 1000)
    const { renderer, native } = pair(ring)
    let produced = 0
    let sunk = 0
    let release!: () => void
    const stall = new Promise<void>((resolve) => {
      release = resolve
    })
    const over = new AbortController()
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          produced++
          controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
    const inPipe = source.pipeTo(renderer.writable, { signal: over.signal }).catch((error) => error)
    const sink = new WritableStream<Uint8Array>(
      {
        async write() {
          await stall
          sunk++
        },
      },
      { highWaterMark: 1 },
    )
    const outPipe = native.readable.pipeTo(sink, { signal: over.signal }).catch((error) => error)
    let last = -1
    while (produced !== last) {
      last = produced
      await aWhile()
      await turns(50)
    }
    // Where bytes can be: the ring, one message queued behind it, the writable's 64 KiB, and a
    // chunk or two at each joint.
    const most = ring + 65536 + 4 * chunk.length
    assert.ok(produced * chunk.length <= most, `${produced} chunks were produced while the sink stood still`)
    assert.ok(produced * chunk.length >= ring / 2, 'and they did fill the ring')
    assert.equal(sunk, 0)
    const { sent } = renderer.stats()
    assert.ok(sent.queued <= 1, `${sent.queued} messages queued`)
    assert.ok(sent.queuedBytes <= chunk.length)
    assert.ok(native.stats().received.used <= ring)
    release()
    await until(() => sunk > produced / 2 && produced > last + 200, 'the flow to go on')
    over.abort()
    await Promise.all([inPipe, outPipe])
  })

  it("the writable's desiredSize counts bytes", () => {
    const { renderer } = pair(4096)
    const writer = renderer.writable.getWriter()
    const before = writer.desiredSize!
    writer.write(pattern(0, 3000)).catch(() => {})
    writer.write(pattern(1, 3000)).catch(() => {})
    assert.equal(before - writer.desiredSize!, 6000)
  })

  it("closing the writable ends the other side's readable after all that was sent, and leaves the way back open", async () => {
    const { renderer, native } = pair(4096)
    for (let i = 0; i < 10; i++) renderer.send(pattern(i, 3000)) // most of it queued
    const over = renderer.writable.close()
    const received: Uint8Array[] = []
    for await (const chunk of native.readable as unknown as AsyncIterable<Uint8Array>) received.push(chunk)
    await within(over, 'the close')
    assert.equal(received.length, 10)
    throwsError(() => renderer.send(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /the writable stream was closed/)
    native.send(pattern(1, 1))
    assert.deepEqual(await renderer.receive(), pattern(1, 1))
  })

  it("cancelling the readable ends this direction: the other side's writes fail", async () => {
    const { renderer, native } = pair(4096)
    const reader = native.readable.getReader()
    const pending = reader.read()
    await reader.cancel('enough')
    assert.deepEqual(await pending, { done: true, value: undefined })
    const writer = renderer.writable.getWriter()
    await rejectsWith(writer.write(pattern(0, 1)), 'ERR_SABWAY_CLOSED', /the other side was cleaned up/)
    await rejectsWith(native.receive(), 'ERR_SABWAY_CLOSED', /the readable stream was cancelled/)
    throwsError(() => native.drain(() => {}), 'ERR_SABWAY_CLOSED', /the readable stream was cancelled/)
    native.send(pattern(1, 1))
    assert.deepEqual(await renderer.receive(), pattern(1, 1))
  })

  it('aborting the writable gives up what waits', async () => {
    const { renderer, native } = pair(4096)
    const writer = renderer.writable.getWriter()
    await writer.write(pattern(0, 4096))
    const waiting = writer.write(pattern(1, 4096)).catch((error) => error)
    await turns(2)
    const reason = new Error('no more')
    await writer.abort(reason)
    assertError(await waiting, 'ERR_SABWAY_ABORTED', /given up/)
    assert.equal(renderer.stats().sent.queued, 0)
    assert.deepEqual(takeAll(native), [pattern(0, 4096)])
    await rejectsWith(native.receive(), 'ERR_SABWAY_CLOSED', /./)
  })

  it('a chunk that is no Uint8Array, or too large, is an error that teaches', async () => {
    for (const [chunk, code, teaches] of [
      ['text', 'ERR_SABWAY_INVALID_TYPE', /must be a Uint8Array, got 'text'/],
      [pattern(0, 5000), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /5000 bytes into a ring of 4096/],
    ] as const) {
      const { renderer } = pair(4096)
      const writer = renderer.writable.getWriter()
      writer.closed.catch(() => {})
      await rejectsWith(writer.write(chunk as never), code, teaches)
    }
  })

  it('pipeTo ends by its signal', async () => {
    const { renderer, native } = pair()
    const abort = new AbortController()
    const chunks: Uint8Array[] = []
    const sink = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) })
    const piped = native.readable.pipeTo(sink, { signal: abort.signal, preventCancel: true }).catch((error) => error)
    renderer.send(pattern(0, 1))
    await until(() => chunks.length === 1, 'a chunk')
    abort.abort()
    assert.equal((await within(piped, 'the pipe')).name, 'AbortError')
  })

  it('end with this side, and with the other', async () => {
    for (const which of ['renderer', 'native'] as const) {
      const both = pair()
      const reader = both.native.readable.getReader()
      const pending = reader.read()
      both[which].cleanup()
      assert.deepEqual(await within(pending, 'the end'), { done: true, value: undefined })
    }
  })
})
