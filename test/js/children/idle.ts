// What keeps a process alive, and what does not: the first argument. Prints what happened until the end.
import { SharedMemoryChannel } from 'sabway'

const [, , what, plugin] = process.argv
const channel = new SharedMemoryChannel(4096, 4096)
const told: string[] = []

/** A message comes 300 ms from now, and then every 300 ms. */
const tick = () => channel.startWorker({ plugin: plugin!, interval: 300 })
let count = 0
const receive = (until = 0) =>
  channel.startReceiving(() => {
    told.push('message')
    if (++count === until) channel.unref()
  })

const message = new Uint8Array(3000)
const queue = () => {
  for (let i = 0; i < 200; i++) channel.send(message)
  told.push(channel.stats().sent.queued > 100 ? 'many queued' : 'few queued')
}
const left = () => process.on('exit', () => told.push(`${channel.stats().sent.queued} left`))

const cases: Record<string, () => void> = {
  created: () => {},
  receiving: () => receive(),
  'receiving from a worker': () => {
    tick()
    receive()
  },
  'ref, then unref after two messages': () => {
    tick()
    receive(2)
    channel.ref()
  },
  'ref, then cleanup': () => {
    tick()
    channel.ref()
    channel.startReceiving(() => {
      told.push('message')
      channel.cleanup()
    })
  },
  'ref and unref': () => {
    tick()
    receive()
    channel.ref().ref().unref()
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
