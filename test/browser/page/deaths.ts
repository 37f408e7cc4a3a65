// The page of deaths.test.ts: peers in all kinds of scopes that end in all kinds of ways, and the
// waits for them.
import { type ChannelHandle, Region, type SabwayError, SharedMemoryChannel } from 'sabway'
import { aWhile, until, within } from '../../js/support/wait.js'
import { type Outcome, WAYS, waitInWay } from '../../js/support/wait-ways.js'
import type { PeerTask } from './deaths-peer.js'

/** A scope that runs deaths-peer.ts, and how it is ended from outside. */
interface Peer {
  tell(task: PeerTask): void
  /** Resolves when the peer has said `what`. */
  said(what: string): Promise<unknown>
  end(): void
}

const heard = (target: EventTarget, what: string, from?: () => unknown) =>
  within(
    new Promise<void>((resolve) => {
      target.addEventListener('message', (event) => {
        const { data, source } = event as MessageEvent
        if (data === what && (from === undefined || source === from())) resolve()
      })
    }),
    what,
  )

function workerPeer(): Peer {
  const worker = new Worker('/deaths-peer.js', { type: 'module' })
  return {
    tell: (task) => worker.postMessage(task),
    said: (what) => heard(worker, what),
    end: () => worker.terminate(),
  }
}

async function iframePeer(end: (frame: HTMLIFrameElement) => void): Promise<Peer> {
  const frame = document.createElement('iframe')
  frame.src = '/peer'
  const loaded = heard(window, 'loaded', () => frame.contentWindow)
  document.body.append(frame)
  await loaded
  return {
    tell: (task) => frame.contentWindow!.postMessage(task),
    said: (what) => heard(window, what, () => frame.contentWindow),
    end: () => end(frame),
  }
}

async function popupPeer(end: (popup: Window) => void): Promise<Peer> {
  const popup = window.open('/peer', '_blank', 'popup')!
  await heard(window, 'loaded', () => popup)
  return {
    tell: (task) => popup.postMessage(task),
    said: (what) => heard(window, what, () => popup),
    end: () => end(popup),
  }
}

const PEERS: Record<string, () => Peer | Promise<Peer>> = {
  worker: workerPeer,
  'iframe, removed': () => iframePeer((frame) => frame.remove()),
  'iframe, navigated': () => iframePeer((frame) => frame.contentWindow!.location.assign('/empty')),
  'iframe, reloaded': () => iframePeer((frame) => frame.contentWindow!.location.reload()),
  'popup, closed': () => popupPeer((popup) => popup.close()),
  'popup, reloaded': () => popupPeer((popup) => popup.location.reload()),
}

const kept: SharedMemoryChannel[] = []

function open(bytes = 4096): SharedMemoryChannel {
  const channel = new SharedMemoryChannel(bytes, bytes)
  kept.push(channel)
  return channel
}

const codeOf = (error: unknown): string => (error as SabwayError).code ?? String(error)

/** A worker that has attached to the channel's native side, and its lock is held. */
async function started(handle: ChannelHandle, how: PeerTask['how']): Promise<Peer> {
  const peer = workerPeer()
  const attached = peer.said('attached')
  peer.tell({ handles: [handle], how })
  await attached
  await aWhile()
  return peer
}

/** A worker blocks on a channel of the page's, which does nothing with it. */
async function block(handle: ChannelHandle): Promise<Outcome> {
  const worker = new Worker('/deaths-peer.js', { type: 'module' })
  try {
    const blocking = heard(worker, 'blocking')
    worker.postMessage({ handles: [handle], how: 'blocks' } satisfies PeerTask)
    await blocking
    return await within(
      new Promise<Outcome>((resolve) => {
        worker.onmessage = ({ data }) => resolve(data)
      }),
      'the end of receiveSync',
    )
  } finally {
    worker.terminate()
  }
}

Object.assign(globalThis, {
  /**
   * Worker after worker is terminated, and its side taken again. Returns how many participants
   * there are at the end.
   */
  async takeAgain(rounds: number): Promise<number> {
    const channel = open()
    let died = 0
    channel.addEventListener('peer-died', () => died++)
    channel.send(Uint8Array.of(0)) // which takes the side, so that it is told
    for (let round = 1; round <= rounds; round++) {
      const peer = await started(channel.handle, 'waits')
      peer.end()
      await until(() => died === round, `death ${round}`)
      await until(() => !channel.stats().peer, 'no peer')
    }
    SharedMemoryChannel.attach(channel.handle, { side: 'native' }).detach()
    const region = Region.open(channel.handle as never)
    const { participants } = region.stats()
    region.close()
    return participants
  },

  /**
   * Workers that flood this page are terminated in the middle of it. Returns what came out of
   * order.
   */
  async endFloods(rounds: number): Promise<string[]> {
    const wrong: string[] = []
    const channel = open(65536)
    for (let round = 0; round < rounds; round++) {
      let next = 0
      let died = false
      const onDied = () => {
        died = true
      }
      channel.addEventListener('peer-died', onDied)
      channel.startReceiving((message) => {
        const words = new Uint32Array(message.buffer)
        if (words.length !== 100 || words.some((word) => word !== next)) wrong.push(`${round}: ${words}`)
        next++
      })
      const peer = await started(channel.handle, 'floods')
      await until(() => next > 1000, 'the flood')
      peer.end()
      await until(() => died, "'peer-died'")
      channel.removeEventListener('peer-died', onDied)
      channel.stopReceiving()
    }
    return wrong
  },

  /**
   * A worker blocks in the very task in which it attached, so that it has no lock, for longer than
   * a doubt lasts.
   */
  async leaveBlocked(milliseconds: number): Promise<Outcome> {
    const channel = open()
    const native = SharedMemoryChannel.attach(channel.handle, { side: 'native' })
    const seen: string[] = []
    native.addEventListener('peer-died', () => seen.push('peer-died'))
    native.startReceiving(() => {})
    const outcome = block(channel.handle)
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    seen.push(`${native.stats().peer}`)
    native.send(Uint8Array.of(1))
    native.cleanup()
    return [...seen, ...(await outcome)]
  },

  /** Both sides die where this page holds none: it is no participant, and told nothing. */
  async restartBoth(): Promise<string[]> {
    const seen: string[] = []
    const made = open()
    const { handle } = made
    made.detach()
    const native = await started(handle, 'waits')
    const renderer = await started(handle, 'takes the other side')
    // In this order: the last one to live is told of the other's end, and gives that side back.
    renderer.end()
    native.end()
    const attach = () => {
      try {
        SharedMemoryChannel.attach(handle, { side: 'native' }).detach()
        return 'attached'
      } catch (error) {
        return codeOf(error)
      }
    }
    await aWhile()
    seen.push(attach())
    await until(() => attach() === 'attached', 'another attempt')
    return seen
  },

  /**
   * Where there are no locks: nothing is told of a worker's end, and its side can be taken all the
   * same.
   */
  async replaceDead(): Promise<string[]> {
    const channel = open()
    const seen: string[] = []
    channel.addEventListener('peer-died', () => seen.push('peer-died'))
    channel.startReceiving((message) => seen.push(`message ${message[0]}`))
    const peer = await started(channel.handle, 'waits')
    peer.end()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    seen.push(`${channel.stats().peer}`)
    try {
      SharedMemoryChannel.attach(channel.handle, { side: 'native' })
    } catch (error) {
      seen.push(codeOf(error))
    }
    const next = SharedMemoryChannel.attach(channel.handle, { side: 'native', replace: true })
    next.send(Uint8Array.of(2))
    await until(() => seen.includes('message 2'), 'a message of the new holder')
    return seen
  },

  /** How each kind of wait ended when the peer did. */
  async waitForEnd(kind: string, how: PeerTask['how'], nested: boolean): Promise<Record<string, Outcome>> {
    const peer = await PEERS[kind]!()
    const channels = WAYS.map(() => open())
    const waits = WAYS.map((way, i) =>
      way === 'receiveSync' ? block(channels[i]!.handle) : waitInWay[way](channels[i]!),
    )
    const attached = peer.said('attached')
    peer.tell({ handles: channels.map(({ handle }) => handle), how, nested })
    await attached
    if (how === 'waits') peer.end()
    const ended = await within(Promise.all(waits), 'the ends of all waits')
    const peers = channels.map((channel) => how !== 'cleanup' && channel.stats().peer)
    if (peers.includes(true)) throw new Error(`stats().peer: ${peers}`)
    return Object.fromEntries(WAYS.map((way, i) => [way, ended[i]!]))
  },
})
