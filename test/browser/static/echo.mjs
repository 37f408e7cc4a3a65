// A dedicated worker that takes the native side of a channel and echoes.
import { SharedMemoryChannel } from '/dist/browser.mjs'

addEventListener('message', ({ data }) => {
  const channel = SharedMemoryChannel.attach(data, { side: 'native' })
  channel.startReceiving((message) => channel.send(message))
})
