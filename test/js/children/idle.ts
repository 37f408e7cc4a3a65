// What keeps a process alive, and what does not: the first argument. Prints what happened until the
// end.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const [, , what, plugin] = process.argv
const channel = new SharedMemoryChannel(4096, 4096)
const told: string[] = []

/** A message comes 300 ms from now, and then every 300 ms. */
const tick = () => channel.startWorker({ plugin: plugin!, interval: 300 })
let count = 0
/** Notes a message; after `until` of them does what is left to do. */
const note = (until: number, last: () => void) => () => {
  told.push('message')
  if (++count === until) last()
}
const cleanup = () => channel.cleanup()
const loop = async () => {
  for await (const _ of channel) {
    told.push('message')
    if (++count === 2) break
  }
}
/**
 * Another thread takes the other side and comes to its end, which the process need not wait for.
 */
const thread = (script: string) =>
  new Worker(
    `const { workerData } = require('node:worker_threads')
     const { SharedMemoryChannel } = require(workerData.sabway)
     const channel = SharedMemoryChannel.attach(workerData.handle, { side: 'native' })
     channel.send(new Uint8Array(1))
     ${script}`,
    { eval: true, workerData: { handle: channel.handle, sabway: createRequire(import.meta.url).resolve('sabway') } },
  )

const message = new Uint8Array(3000)
const queue = () => {
  for (let i = 0; i < 200; i++) channel.send(message)
  told.push(channel.stats().sent.queued > 100 ? 'many queued' : 'few queued')
}
const left = () => process.on('exit', () => told.push(`${channel.stats().sent.queued} left`))

const cases: Record<string, () => void> = {
  created: () => {},
  receiving: () => {
    tick()
    channel.startReceiving(note(2, cleanup))
  },
  'an echo, sent to once': () => {
    channel.startWorker({ builtin: 'echo' })
    channel.startReceiving(note(1, cleanup))
    channel.send(message)
  },
  stopReceiving: () => {
    tick()
    channel.startReceiving(note(1, () => channel.stopReceiving()))
  },
  'unref while receiving': () => {
    tick()
    channel.startReceiving(note(2, () => channel.unref()))
  },
  'unref, then receiving': () => {
    tick()
    channel.unref()
    channel.startReceiving(note(1, cleanup))
  },
  'unref and ref': () => {
    tick()
    channel.unref().ref()
    channel.startReceiving(note(1, cleanup))
  },
  'ref without receiving': () => {
    channel.ref()
    setTimeout(() => told.push('still here'), 200).unref()
    setTimeout(cleanup, 300).unref()
  },
  "a 'message' listener": () => {
    tick()
    channel.addEventListener('message', note(2, cleanup))
  },
  "a 'message' listener that is removed": () => {
    tick()
    channel.addEventListener(
      'message',
      note(1, () => {}),
      { once: true },
    )
  },
  'a pending receive': () => {
    tick()
    channel.receive().then(note(1, () => {}))
  },
  'a loop that is left': () => {
    tick()
    void loop()
  },
  'a schedule of its own': () => {
    tick()
    channel.startReceiving(note(2, cleanup), { poll: 10 })
  },
  'the other side is cleaned up': () => {
    channel.startReceiving(note(1, () => {}))
    channel.addEventListener('close', () => told.push('close'))
    thread('channel.cleanup()')
  },
  "the other side's thread ends": () => {
    channel.startReceiving(note(1, () => {}))
    channel.addEventListener('peer-died', () => told.push('peer-died'))
    thread('')
  },
  'queue with a worker': () => {
    channel.startWorker({ builtin: 'sink' })
    left()
    queue()
  },
  'queue without a peer': () => {
    left()
    queue()
  },
  'sendDirect that times out': () => {
    SharedMemoryChannel.attach(channel.handle, { side: 'native' }) // a peer that never reads
    left()
    const full = new Uint8Array(4096)
    while (channel.trySend(full));
    channel.sendDirect(full, { timeout: 100 }).catch((error) => told.push(error.code))
  },
}
const act = cases[what!]
if (act === undefined) throw new Error(`what? ${what}`)
act()
process.on('exit', () => console.log(told.join(', ')))
