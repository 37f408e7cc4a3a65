// Values, one after the other, through queues: Sabway's, a MessagePort, and the channel of the
// package multithreading. Numbers are the places of messages in their list.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { MemoryHeap, MultiProducerQueue } from 'sabway'
import { makeMessages, mix, STALLED_MS, wordAt } from '../harness/messages.js'
import { type Post, portTransport, receiver, sender } from './ports.js'
import type { Job, Load, Transport } from './transport.js'

const ROOM = 64 << 20
const PATIENCE = { timeout: STALLED_MS }
/** As many as postMessage may have on their way, see ports.ts. */
const CAPACITY = 4096
/** What the package's own buffer for values, of 64 KiB, has room for at any time. */
const CAPACITY_OF_PACKAGE = 1024

// ---- Sabway's ----

type Queue = MultiProducerQueue<Uint8Array | number>

function send(valueFor: (message: Uint8Array, place: number) => Uint8Array | number) {
  return (queue: Queue, { size }: Load): Job => {
    const values = makeMessages(size).map(valueFor)
    return (count) => {
      for (let i = 0, k = 0; i < count; i++) {
        if (!queue.tryEnqueue(values[k]!)) queue.enqueueSync(values[k]!, PATIENCE)
        if (++k === values.length) k = 0
      }
    }
  }
}

function receive(wordOf: (words: number[]) => (value: never) => number) {
  return (queue: Queue, { size }: Load): Job => {
    const word = wordOf(wordsOf(size))
    return (count) => {
      let hash = 0
      for (let i = 0; i < count; i++) {
        const value = queue.tryDequeue() ?? queue.dequeueSync(PATIENCE)
        hash = mix(hash, word(value as never))
      }
      return { count, hash, sum: 0 }
    }
  }
}

const wordsOf = (size: number) => makeMessages(size).map((message) => wordAt(message, 0))

function queueTransport(roles: Transport<Queue>['roles']): Transport<Queue> {
  return {
    make() {
      const heap = new MemoryHeap({ size: ROOM })
      const queue: Queue = new MultiProducerQueue(heap, { capacity: CAPACITY })
      return { end: queue, remote: { heap: heap.getSharedMemory(), queue: queue.getSharedMemory() } }
    },
    open: (remote: { heap: ReturnType<MemoryHeap['getSharedMemory']>; queue: object }) =>
      new MultiProducerQueue(new MemoryHeap(remote.heap), remote.queue),
    close() {},
    roles,
  }
}

// ---- postMessage of a number ----

const postPlace: Post = (port, _, place) => port.postMessage(place)

// ---- the package ----

interface Channel {
  sender?: { blockingSend(value: number): { ok: boolean } }
  receiver?: { blockingRecv(): { ok: boolean; value: number } }
}
interface Multithreading {
  channel(capacity: number): [sender: NonNullable<Channel['sender']>, receiver: NonNullable<Channel['receiver']>]
}
interface Wire {
  serialize(handle: object): [envelope: unknown, transfer: []]
  deserialize(envelope: unknown): never
}

const name = 'multithreading'
const require = createRequire(import.meta.url)

async function load(): Promise<(Multithreading & Wire) | undefined> {
  let entry: string
  try {
    entry = require.resolve(name)
  } catch {
    return undefined
  }
  // Its channel, and how it gives one to its own workers. Its entry point needs a newer Node.
  const file = (path: string) => import(new URL(`../lib/${path}.js`, pathToFileURL(entry)).href)
  return { ...(await file('sync/mpmc')), ...(await file('shared')) }
}

const library = await load()

function needed(): Multithreading & Wire {
  if (library === undefined) throw new Error(`not measured: install ${name}`)
  return library
}

const channelOfPackage: Transport<Channel> = {
  make() {
    const { channel, serialize } = needed()
    const [sender, receiver] = channel(CAPACITY_OF_PACKAGE)
    return { end: { sender }, remote: serialize(receiver)[0] }
  },
  open: (envelope: unknown) => ({ receiver: needed().deserialize(envelope) }),
  close() {},
  roles: {
    send({ sender }, { size }) {
      const most = makeMessages(size).length
      return (count) => {
        for (let i = 0; i < count; i++) if (!sender!.blockingSend(i % most).ok) throw new Error('it was not sent')
      }
    },
    receive({ receiver }, { size }) {
      const words = wordsOf(size)
      return (count) => {
        let hash = 0
        for (let i = 0; i < count; i++) {
          const { ok, value } = receiver!.blockingRecv()
          if (!ok) throw new Error('nothing was received')
          hash = mix(hash, words[value]!)
        }
        return { count, hash, sum: 0 }
      }
    },
  },
}

export const queueTransports = {
  'sabway MultiProducerQueue': queueTransport({
    send: send((message) => message),
    receive: receive(() => (message: Uint8Array) => wordAt(message, 0)),
  }),
  'sabway MultiProducerQueue, numbers': queueTransport({
    send: send((_, place) => place),
    receive: receive((words) => (place: number) => words[place]!),
  }),
  'postMessage of numbers': portTransport({
    send: sender(postPlace),
    receive: receiver((size) => {
      const words = wordsOf(size)
      return (place: number) => words[place]!
    }),
  }),
  'multithreading channel': channelOfPackage,
}
