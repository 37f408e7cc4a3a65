// What the library does in whichever scope loads this: a window, an iframe, a worker of any kind.
// It answers what it is asked by a message, with { error } or with what came of it.
import { SharedMemoryChannel } from '/dist/browser.mjs'

const told = ({ name, code, message }) => ({ error: { name, code, message } })
const kept = []

/** Both sides in this scope: a channel that is not shared works everywhere. */
async function withinItself() {
  const channel = new SharedMemoryChannel(4096, 4096)
  kept.push(channel)
  const received = []
  const { port1, port2 } = new MessageChannel()
  channel.startReceiving((message) => received.push(...message))
  const { memory } = channel.region
  const other = SharedMemoryChannel.attach({ sabway: 'channel', memory }, { side: 'native' })
  kept.push(other)
  other.send(Uint8Array.of(1, 2, 3))
  for (let turn = 0; received.length === 0 && turn < 1000; turn++) {
    await new Promise((resolve) => {
      port1.onmessage = resolve
      port2.postMessage(0)
    })
  }
  return received
}

const answers = {
  withinItself,
  handle: () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    kept.push(channel)
    return Object.keys(channel.handle)
  },
  /** Echo on the channel that is given. */
  attach: ({ handle }) => {
    const channel = SharedMemoryChannel.attach(handle, { side: 'native' })
    kept.push(channel)
    channel.startReceiving((message) => channel.send(message))
    return 'attached'
  },
}

globalThis.answer = async (question) => {
  try {
    return { result: await answers[question.ask](question) }
  } catch (error) {
    return told(error)
  }
}

/** Answers what comes through a port, or a worker's scope. */
function answerOn(port) {
  port.onmessage = async ({ data }) => port.postMessage(await globalThis.answer(data))
  port.onmessageerror = () => port.postMessage({ result: 'messageerror' })
  port.start?.()
}

if (globalThis.document === undefined) {
  if ('onconnect' in globalThis) globalThis.onconnect = ({ ports }) => answerOn(ports[0])
  else if ('clients' in globalThis) addEventListener('message', ({ ports }) => answerOn(ports[0]))
  else answerOn(globalThis)
} else if (parent !== globalThis || opener) {
  const { port1, port2 } = new MessageChannel()
  answerOn(port1)
  ;(opener ?? parent).postMessage('port', '*', [port2])
}
