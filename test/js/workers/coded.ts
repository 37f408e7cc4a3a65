// A thread, or a process, that uses a codec which compresses and encrypts, as it is told.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type ChannelHandle, SharedMemoryChannel } from 'sabway'
import { encrypted } from 'sabway/codecs'
import { codecFor } from '../support/wrapped.js'

export interface CodedTask {
  /**
   * echo: send back each value that comes. nonces: say the nonces of `count` messages, as one
   * array. flood: send values until it is killed, and say when the first is sent.
   */
  coded: 'echo' | 'nonces' | 'flood'
  /** Of the channel. */
  to?: ChannelHandle | string
  /** As codecFor takes it. */
  codec?: string
  count?: number
  key: number[]
}

const task = (isMainThread ? JSON.parse(process.argv[2]!) : workerData) as CodedTask
const say = (message: unknown) => (isMainThread ? process.send!(message) : parentPort!.postMessage(message))
const key = Uint8Array.from(task.key)

if (task.coded === 'nonces') {
  const codec = encrypted('bytes', { key })
  const value = new Uint8Array(1)
  const nonces = new Uint8Array(24 * task.count!)
  for (let i = 0; i < task.count!; i++) nonces.set(codec.encode(value).subarray(0, 24), 24 * i)
  say(nonces)
} else {
  const codec = codecFor(task.codec!, key)
  const channel = SharedMemoryChannel.attach<unknown>(task.to!, { side: 'native', codec }).ref()
  channel.addEventListener('close', () => channel.cleanup())
  if (task.coded === 'echo') {
    channel.startReceiving((value) => void channel.send(value))
    say('ready')
  } else {
    const more = (count: number) => {
      channel.trySend({ count, text: 'x'.repeat(count % 3000) })
      if (count === 0) say('begun')
      setImmediate(more, count + 1)
    }
    more(0)
  }
}
