// Takes the maker's side of a channel by its handle, while the maker does nothing with it, and
// exchanges messages.
import { parentPort, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'

const { handle, count } = workerData as { handle: never; count: number }
const channel = SharedMemoryChannel.attach(handle, { side: 'renderer' }).ref()
let returned = 0
channel.startReceiving((message) => {
  const expected = pattern(returned, returned % 900)
  if (Buffer.compare(message, expected) !== 0) throw new Error(`message ${returned} is another`)
  if (++returned < count) return
  parentPort!.postMessage({ returned })
  channel.cleanup()
})
for (let i = 0; i < count; i++) channel.send(pattern(i, i % 900))
