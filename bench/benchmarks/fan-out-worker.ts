// A worker of fan-out.ts.
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { SharedBroadcast } from 'sabway'
import { mix, STALLED_MS, wordAt } from '../harness/messages.js'
import { EVERY, HASH, type Order, READY, RECEIVED, type Shared, wordsOf } from './fan-out.js'
import { count as countOne } from './map-threads.js'

const { means, from, words, worker } = workerData as Shared
const at = wordsOf(worker)
let left = 0
let got = 0
let hash = 0

function begin(count: number): void {
  left = count
  got = 0
  hash = 0
  countOne(words, READY)
}

function tell(): void {
  Atomics.store(words, at + HASH, hash)
  Atomics.store(words, at + RECEIVED, got)
  Atomics.notify(words, at + RECEIVED)
}

function take(message: Uint8Array): void {
  hash = mix(hash, wordAt(message, 0))
  got++
  if (got % EVERY === 0 || got === left) tell()
}

if (means === 'BroadcastChannel') {
  const channel = new BroadcastChannel(from as string)
  // biome-ignore lint/suspicious/noExplicitAny: Node's types know no event's data
  channel.onmessage = ({ data }: any) => take(data)
  parentPort!.on('message', ({ count }: Order) => begin(count))
} else {
  const broadcast = new SharedBroadcast<Uint8Array>(from as never)
  broadcast.subscribe()
  parentPort!.on('message', ({ count }: Order) => {
    begin(count)
    while (got < left) take(broadcast.tryReceive() ?? broadcast.receiveSync({ timeout: STALLED_MS }))
  })
}
parentPort!.postMessage('open')
