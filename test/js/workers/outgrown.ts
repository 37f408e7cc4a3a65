// Messages that have grown after their length was read, without a race: for the copy of sabway in
// this thread the built-in length getter says of some arrays what their length was before.
import { parentPort } from 'node:worker_threads'

const before = new WeakMap<object, number>()
const prototype = Object.getPrototypeOf(Uint8Array.prototype) as object
const length = Object.getOwnPropertyDescriptor(prototype, 'length')!.get!
Object.defineProperty(prototype, 'length', {
  configurable: true,
  get(this: object) {
    return before.get(this) ?? length.call(this)
  },
})
const { SharedMemoryChannel } = await import('sabway')

type Growable = new (length: number, options: { maxByteLength: number }) => SharedArrayBuffer
const Growable = SharedArrayBuffer as unknown as Growable
const MARKER = new Uint8Array(24).fill(7)

function outgrown(was: number, is: number): Uint8Array {
  const message = new Uint8Array(new Growable(is, { maxByteLength: is })).fill(1)
  before.set(message, was)
  return message
}

type Send = (channel: InstanceType<typeof SharedMemoryChannel>, messages: Uint8Array[]) => number
const ways: Send[] = [
  (channel, messages) => messages.filter((message) => channel.trySend(message)).length,
  (channel, messages) => channel.sendBatch(messages),
]

/**
 * What came out of a ring that was full but for little, in front of `rest` messages that were not
 * read yet.
 */
function round(send: Send, was: number, free: number, is: number): string[] {
  const renderer = new SharedMemoryChannel(1 << 16, 4096)
  const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
  const seen: string[] = []
  const look = (max?: number) =>
    native.drain((bytes, start, end) => {
      const copy = bytes.slice(start, end)
      seen.push(`${end - start} of ${[...new Set(copy)].join()}`)
    }, max)
  let full = 0
  while (renderer.trySend(MARKER)) full++
  look(free)
  seen.length = 0
  const sent = send(renderer, [MARKER, outgrown(was, is), MARKER, outgrown(was, is), MARKER])
  look()
  const wanted = [
    ...Array(full - free).fill('24 of 7'),
    ...['24 of 7', `${was} of 1`, '24 of 7', `${was} of 1`, '24 of 7'],
  ]
  native.cleanup()
  renderer.cleanup()
  if (sent === 5 && seen.join(';') === wanted.join(';')) return []
  return [`${was} bytes grown to ${is}, room for ${free} markers: ${sent} sent, ${seen.slice(-5).join('; ')}`]
}

const wrong: string[] = []
for (const send of ways)
  for (const was of [17, 32, 33, 64, 100, 255, 300, 2000])
    for (const free of [200, 400, 1000])
      for (const is of [was + 1, 5000, 30_000]) wrong.push(...round(send, was, free, is))
parentPort!.postMessage(wrong)
