// What needs the platform's types, from the DOM or from Node: signals, streams, events, ports.
import { type SharedBytes, SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel()
const controller = new AbortController()
const { signal } = controller

channel.receive({ signal }).then((message) => message.byteLength)
channel.sendDirect(new Uint8Array(1), { timeout: 5, signal })
channel.startReceiving(() => {}, { signal })
channel.addEventListener('message', ({ type, data }) => `${type}${data.byteLength}`, { signal })
channel.addEventListener('close', (event) => event.type.length)
channel.dispatchEvent(new Event('drain'))
const target: EventTarget = channel
target.removeEventListener('close', () => {})

const readable: ReadableStream<Uint8Array> = channel.readable
const writable: WritableStream<Uint8Array> = channel.writable
readable.pipeTo(writable)
const texts = new SharedMemoryChannel<string>(4096, 4096, { codec: 'structured' })
texts.writable.getWriter().write('a text')
// @ts-expect-error not a text
texts.writable.getWriter().write(5)

const port = channel.port()
port.onmessage = (event) => void event.data
port.addEventListener('message', ({ data, ports }) => [data, ...ports])
const { port1, port2 } = new MessageChannel()
port.postMessage({ port1, port2 }, [port1])
port.postMessage('value', { transfer: [port2] })

const { memory } = channel.handle
export const pages = memory
export const room = (bytes: SharedBytes): SharedArrayBuffer => bytes.buffer
// @ts-expect-error no signal
channel.receive({ signal: 'abort' })
