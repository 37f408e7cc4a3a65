// What becomes of channels of one thread that are dropped, and of those that share their regions.
// Prints how it went, and must then end by itself.
import { type ChannelHandle, Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { collectGarbage, collectUntil } from '../support/gc.js'
import { turns, until } from '../support/wait.js'

const attached = (handle: ChannelHandle) => SharedMemoryChannel.attach(handle, { side: 'native' })

/** Both sides receive, and nothing holds them: they are collected. */
async function pairs(): Promise<number> {
  let collected = 0
  const registry = new FinalizationRegistry<void>(() => void collected++)
  const drop = () => {
    const renderer = new SharedMemoryChannel(4096, 4096)
    const native = attached(renderer.handle)
    for (const channel of [renderer, native]) {
      channel.startReceiving(() => {})
      registry.register(channel)
    }
    renderer.send(pattern(1, 10))
  }
  drop()
  await collectUntil(() => collected === 2, 'both to be collected')
  return collected
}

/** Only the handle is held: an attach to it finds the receiver. */
async function byHandle(): Promise<number> {
  let received = 0
  const start = () => {
    const channel = new SharedMemoryChannel(4096, 4096)
    channel.startReceiving(() => received++)
    return channel.handle
  }
  const handle = start()
  for (let i = 0; i < 5; i++) {
    await turns(5)
    collectGarbage()
  }
  const channel = attached(handle)
  channel.send(pattern(1, 10))
  await until(() => received === 1, 'the message')
  channel.cleanup()
  return received
}

/**
 * The side that is left is told, is given the side back, and takes no more places than there are.
 */
async function left(): Promise<string[]> {
  const told: string[] = []
  const channel = new SharedMemoryChannel(4096, 4096)
  channel.send(pattern(1, 10)) // a side without a role is told nothing
  channel.addEventListener('peer-died', () => told.push('peer-died'))
  const drop = () => attached(channel.handle).send(pattern(1, 10))
  drop()
  await collectUntil(() => told.length === 1, "'peer-died'")
  drop()
  await collectUntil(() => told.length === 2, "'peer-died' of the successor")
  const open = () => void Region.open(channel.handle as never)
  for (let i = 0; i < 200; i++) {
    open()
    collectGarbage()
    await turns(1)
  }
  channel.cleanup()
  return told
}

console.log(JSON.stringify({ pairs: await pairs(), byHandle: await byHandle(), left: await left() }))
/** This one receives, and nothing else holds the process: it lets go of it when it is collected. */
const hold = () => new SharedMemoryChannel(4096, 4096).startReceiving(() => {})
hold()
const timer = setInterval(collectGarbage, 10)
timer.unref()
