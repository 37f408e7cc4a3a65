// A copy that is handed out starts where views of every kind can be made: new
// Float64Array(message.buffer, message.byteOffset, n).
import assert from 'node:assert/strict'
import * as sabway from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, open } from '../support/channels.js'
import { haveAddon } from '../support/host.js'
import { LENGTHS, sources } from '../support/sources.js'
import { until } from '../support/wait.js'

type Channel = sabway.SharedMemoryChannel
const { SharedMemoryChannel } = sabway

/**
 * The build without the addon, which puts a message misaligned into the ring where its source is
 * misaligned.
 */
const builtForPages = (): Promise<typeof sabway> =>
  haveAddon ? import(new URL('../../../../dist/browser.mjs', import.meta.url).href) : Promise.resolve(sabway)

const RING = 1 << 17
const lengths = [...LENGTHS, 8, 256, 264, 1000, 4088, 4096, 4104, 9000, 20_000]

function assertAligned(message: Uint8Array): void {
  const { buffer, byteOffset, length } = message
  assert.equal(byteOffset % 8, 0, `${length} bytes at ${byteOffset}`)
  new Float64Array(buffer, byteOffset, length >>> 3)
}

/** Sends each from a source at each offset, so that it lies at each offset in the ring, too. */
async function sendMisaligned(to: Channel, send: (channel: Channel, messages: Uint8Array[]) => unknown) {
  const { SharedMemoryChannel: Sending } = await builtForPages()
  const sender = keep(Sending.attach(to.handle, { side: 'native' }))
  const sent: Uint8Array[] = []
  for (const [i, length] of lengths.entries()) {
    for (const offset of [0, 1, 4, 7]) {
      const source = new Uint8Array(length + offset).subarray(offset)
      source.set(pattern(i + offset, length))
      sent.push(source)
    }
  }
  const from = sources['a Buffer from the pool']?.(pattern(1, 300))
  if (from !== undefined) sent.push(from)
  await send(sender, sent)
  return sent.map((message) => Uint8Array.from(message))
}

const sending: Record<string, (channel: Channel, messages: Uint8Array[]) => unknown> = {
  send: (channel, messages) => messages.map((message) => channel.send(message)),
  sendBatch: async (channel, messages) => {
    for (let sent = 0; sent < messages.length; ) {
      sent += channel.sendBatch(messages.slice(sent))
      await new Promise((resolve) => setTimeout(resolve))
    }
  },
}

const receiving: Record<string, (channel: Channel, give: (message: Uint8Array) => void, count: number) => unknown> = {
  startReceiving: (channel, give) => channel.startReceiving(give),
  'startReceiving, pooled': (channel, give) => channel.startReceiving(give, { copy: 'pooled' }),
  'a listener': (channel, give) => channel.addEventListener('message', ({ data }) => give(data)),
  receive: async (channel, give, count) => {
    for (let i = 0; i < count; i++) give(await channel.receive())
  },
  'for await': async (channel, give, count) => {
    let got = 0
    for await (const message of channel) {
      give(message)
      if (++got === count) break
    }
  },
  receiveSync: async (channel, give, count) => {
    for (let got = 0; got < count; ) {
      const message = channel.receiveSync(0)
      if (message === null) await new Promise((resolve) => setTimeout(resolve))
      else {
        give(message)
        got++
      }
    }
  },
  readable: async (channel, give, count) => {
    const reader = channel.readable.getReader()
    for (let i = 0; i < count; i++) give((await reader.read()).value!)
  },
}

describe('received copies can be viewed as numbers of any kind', () => {
  it('also where the message is misaligned in the ring, as here', async () => {
    const channel = open(RING, RING)
    await sendMisaligned(channel, sending.send!)
    const starts = new Set<number>()
    channel.drain((_bytes, start) => starts.add(start & 7))
    assert.deepEqual([...starts].sort(), [0, 1, 4, 7])
  })

  for (const [how, receive] of Object.entries(receiving)) {
    for (const [way, send] of Object.entries(sending)) {
      it(`${how}, of ${way}`, async () => {
        const channel = open(RING, RING)
        const got: Uint8Array[] = []
        const count = lengths.length * 4 + (sources['a Buffer from the pool'] === undefined ? 0 : 1)
        const all = receive(channel, (message) => got.push(message), count)
        const sent = await sendMisaligned(channel, send)
        await until(() => got.length === count, 'all messages')
        await all
        for (const message of got) assertAligned(message)
        assert.deepEqual(got, sent)
      })
    }
  }

  for (const codec of ['msgpack', 'structured'] as const) {
    it(`the arrays in values of '${codec}'`, async () => {
      const channel = new SharedMemoryChannel<Record<string, ArrayBufferView>>(RING, RING, { codec })
      const other = SharedMemoryChannel.attach<Record<string, ArrayBufferView>>(channel.handle, { side: 'native' })
      for (const length of [1, 8, 300, 5000]) {
        const bytes = new Uint8Array(length + 3).subarray(3)
        channel.send({
          bytes,
          ahead: new Uint8Array(1),
          numbers: new Float64Array(length),
          view: new DataView(bytes.buffer, 3),
        })
        const value = await other.receive()
        for (const { buffer, byteOffset, byteLength } of Object.values(value)) {
          assert.equal(byteOffset % 8, 0)
          assert.equal(buffer.byteLength, byteLength, 'nothing else is in its buffer')
        }
      }
      other.cleanup()
      channel.cleanup()
    })
  }
})
