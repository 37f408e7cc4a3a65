// Counts the garbage collections during many calls: nothing else runs here, so that they tell what
// the calls allocate. The compiler may cause one at any moment, so that of two rounds the one with
// fewer counts: what every call allocates shows in both.

import { setImmediate as turn } from 'node:timers/promises'
import { GCProfiler } from 'node:v8'
import { SharedMemoryChannel } from 'sabway'

const CALLS = 400_000
const WARM = 20_000
const message = new Uint8Array(64).fill(7)

const renderer = new SharedMemoryChannel(1 << 16, 1 << 16)
const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })

let sum = 0
const ignore = (_bytes: Uint8Array, start: number, end: number) => {
  sum += end - start
}
const write = (bytes: Uint8Array, start: number) => {
  bytes[start] = 1
  return 64
}

const calls: Record<string, () => unknown> = {
  write: () => renderer.write(64, write),
  'write where there is no room': () => native.write(64, write),
  trySend: () => renderer.trySend(message),
  send: () => renderer.send(message),
  'receiveSync(0) of nothing': () => renderer.receiveSync(0),
  'reserve, which makes a view': () => {
    if (renderer.reserve(64) !== null) renderer.commit()
  },
}

async function collections(round: () => void | Promise<void>): Promise<number> {
  const counts: number[] = []
  for (let i = 0; i < 2; i++) {
    const profiler = new GCProfiler()
    profiler.start()
    await round()
    counts.push(profiler.stop().statistics.length)
  }
  return Math.min(...counts)
}

const repeat = (call: () => unknown, count: number) => {
  for (let i = 0; i < count; i++) {
    call()
    native.drain(ignore)
  }
}

while (native.trySend(message)) {}
const counts: Record<string, number> = {}
for (const [name, call] of Object.entries(calls)) {
  if (name.startsWith('receiveSync')) renderer.drain(ignore)
  repeat(call, WARM)
  counts[name] = await collections(() => repeat(call, CALLS))
}

// A turn of the event loop allocates, so there are few: each hands out a large ring full of
// messages.
const sender = new SharedMemoryChannel(1 << 22, 1 << 16)
const receiver = SharedMemoryChannel.attach(sender.handle, { side: 'native' })

async function receive(count: number): Promise<void> {
  for (let left = count; left > 0; await turn()) {
    while (left > 0 && sender.trySend(message)) left--
  }
  while (sender.stats().sent.used !== 0) await turn()
}

const receptions: Record<string, () => void> = {
  'startReceiving in place': () => receiver.startReceiving(ignore, { copy: false }),
  'startReceiving, which copies': () => receiver.startReceiving(() => {}),
}
for (const [name, start] of Object.entries(receptions)) {
  start()
  await receive(WARM)
  counts[name] = await collections(() => receive(CALLS))
  receiver.stopReceiving()
}
if (sum === 0) throw new Error('nothing was received')
console.log(JSON.stringify(counts))
for (const channel of [native, renderer, receiver, sender]) channel.cleanup()
