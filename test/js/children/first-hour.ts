// A hundred waits on one AbortSignal, of every kind: what Node has to say to that goes to stderr.
import { SharedMemoryChannel } from 'sabway'

const abort = new AbortController()
const { signal } = abort
const settled: Promise<unknown>[] = []
const channels: SharedMemoryChannel[] = []
for (let i = 0; i < 100; i++) {
  const renderer = new SharedMemoryChannel(4096, 4096)
  const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
  channels.push(renderer, native)
  settled.push(renderer.receive({ signal }))
  renderer.send(new Uint8Array(4096))
  settled.push(renderer.sendDirect(new Uint8Array(1), { signal }))
  renderer.addEventListener('message', () => {}, { signal })
  if (i % 2 === 0) native.addEventListener('close', () => {}, { signal })
}
const receiver = channels[1]!
receiver.startReceiving(() => {}, { signal })
await new Promise((resolve) => setImmediate(resolve))
abort.abort()
const ends = await Promise.allSettled(settled)
const codes = new Set(ends.map((end) => (end.status === 'rejected' ? end.reason.code : end.status)))
let restarted = false
receiver.startReceiving(() => {}) // possible only when the abort has stopped it
restarted = true
for (const channel of channels) channel.cleanup()
console.log(JSON.stringify({ waits: ends.length, codes: [...codes].sort(), restarted }))
