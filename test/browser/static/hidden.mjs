// A page that receives from a worker, at whatever pace it is told, and may be hidden meanwhile.
import { SharedMemoryChannel } from '/dist/browser.mjs'

const channel = new SharedMemoryChannel(4096, 65536)
const worker = new Worker('/hidden-worker.mjs', { type: 'module' })
worker.postMessage(channel.handle)

/** How many messages came, and how many of them not in their order. */
const came = { messages: 0, astray: 0 }

globalThis.came = () => ({ ...came, visible: document.visibilityState === 'visible' })

/** From now on receive with these options. */
globalThis.receive = (options) => {
  channel.startReceiving((message) => {
    if (new DataView(message.buffer).getUint32(0) !== came.messages) came.astray++
    came.messages++
  }, options)
}

/** Have the worker do something; its answer. */
globalThis.told = (order) => {
  const answer = new Promise((resolve) =>
    worker.addEventListener('message', ({ data }) => resolve(data), { once: true }),
  )
  worker.postMessage(order)
  return answer
}
