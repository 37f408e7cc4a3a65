// Sends numbered messages of 1 KiB to the page of hidden.mjs.
import { SharedMemoryChannel } from '/dist/browser.mjs'

const MAX_QUEUED = 1 << 19
let channel
let next = 0

function message() {
  const bytes = new Uint8Array(1024)
  new DataView(bytes.buffer).setUint32(0, next)
  return bytes
}

const orders = {
  /** One after the other, each when there is room. */
  async patiently(count) {
    for (let i = 0; i < count; i++) {
      await channel.sendDirect(message())
      next++
    }
    return { sent: next }
  },
  /**
   * As an engine does that does not wait: a few every few milliseconds, until the queue is full.
   */
  untilFull: () =>
    new Promise((resolve) => {
      const timer = setInterval(() => {
        try {
          for (let i = 0; i < 64; i++) {
            channel.send(message())
            next++
          }
        } catch ({ code }) {
          clearInterval(timer)
          const { queuedBytes } = channel.stats().sent
          resolve({ sent: next, code, bounded: queuedBytes <= MAX_QUEUED })
        }
      }, 4)
    }),
  untilDrained: async () => {
    if (channel.stats().sent.queued !== 0) await new Promise((resolve) => channel.addEventListener('drain', resolve))
    return { sent: next, queued: channel.stats().sent.queued }
  },
}

addEventListener('message', async ({ data }) => {
  if (data.sabway !== undefined) {
    channel = SharedMemoryChannel.attach(data, { side: 'native', maxQueued: MAX_QUEUED })
    return
  }
  postMessage(await orders[data.order](data.count))
})
