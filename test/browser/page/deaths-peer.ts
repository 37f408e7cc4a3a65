// Takes the other side of some channels, sends a message through each, and comes to its end: in a
// dedicated worker, or a worker of that one, in an iframe, or in a window of its own.
import { type ChannelHandle, type SabwayError, SharedMemoryChannel } from 'sabway'

export interface PeerTask {
  handles: readonly ChannelHandle[]
  /** 'waits': it does nothing more. 'floods': it sends without end, as much as there is room for.
   * 'blocks': it receives on the first side, blocking, and posts what it has seen. */
  how: 'waits' | 'closes itself' | 'cleanup' | 'floods' | 'blocks' | 'takes the other side'
  /** In a worker: have a worker of this one do it. */
  nested?: boolean
}

const inWindow = typeof document !== 'undefined'
const say = (what: string): void => {
  if (inWindow) (globalThis.opener ?? globalThis.parent).postMessage(what, '*')
  else globalThis.postMessage(what)
}

function flood(channel: SharedMemoryChannel): void {
  const message = new Uint32Array(100)
  const bytes = new Uint8Array(message.buffer)
  let number = 0
  // It yields now and then: a thread that never does has no lock.
  const some = () => {
    for (let i = 0; i < 1000; i++) {
      message.fill(number)
      if (channel.trySend(bytes)) number++
    }
    setTimeout(some)
  }
  some()
}

function block(handle: ChannelHandle): void {
  const channel = SharedMemoryChannel.attach(handle, { side: 'renderer' })
  const seen: string[] = []
  say('blocking')
  try {
    for (;;) seen.push(channel.receiveSync() === null ? 'null' : 'message')
  } catch (error) {
    globalThis.postMessage([...seen, (error as SabwayError).code])
  }
}

function begin({ handles, how, nested }: PeerTask): void {
  if (nested) {
    const worker = new Worker('/deaths-peer.js', { type: 'module' })
    worker.onmessage = ({ data }) => say(data)
    worker.postMessage({ handles, how } satisfies PeerTask)
    return
  }
  if (how === 'blocks') {
    block(handles[0]!)
    return
  }
  const channels = handles.map((handle) =>
    SharedMemoryChannel.attach(handle, { side: how === 'takes the other side' ? 'renderer' : 'native' }),
  )
  Object.assign(globalThis, { held: channels })
  if (how !== 'floods') for (const channel of channels) channel.send(Uint8Array.of(1))
  say('attached')
  if (how === 'cleanup') for (const channel of channels) channel.cleanup()
  if (how === 'closes itself') globalThis.close()
  if (how === 'floods') flood(channels[0]!)
}

globalThis.addEventListener('message', ({ data }) => {
  if (typeof data === 'object' && data !== null && 'handles' in data) begin(data as PeerTask)
})
if (inWindow) say('loaded')
