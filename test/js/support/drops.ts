// Uses of a channel after which nothing holds it: each makes one, and drops it without cleanup.
import { SharedMemoryChannel } from 'sabway'
import { pattern } from './bytes.js'

type Share = 'threads' | 'processes'

const open = (share: Share) => new SharedMemoryChannel(4096, 4096, { share })
const attached = (to: SharedMemoryChannel) => SharedMemoryChannel.attach(to.handle, { side: 'native' })

/** Nothing is left to be done: in the next line the memory can be another channel's. */
const atOnce: Record<string, (share: Share) => void> = {
  made: (share) => void open(share),
  sent: (share) => void open(share).send(pattern(1, 10)),
  'its handle was taken': (share) => void open(share).handle,
  drained: (share) => void open(share).drain(() => {}),
  received: (share) => void open(share).receiveSync(0),
  receives: (share) => open(share).startReceiving(() => {}),
  'receives, and refers to itself': (share) => {
    const channel = open(share)
    channel.startReceiving((message) => channel.send(message))
  },
  'waits for a message': (share) => void open(share).receive(),
  'is iterated': (share) => void open(share)[Symbol.asyncIterator]().next(),
  'has listeners': (share) => {
    const channel = open(share)
    channel.send(pattern(1, 10))
    for (const type of ['message', 'close', 'peer-died', 'drain', 'error'] as const) {
      channel.addEventListener(type, () => {})
    }
  },
  'its port listens': (share) => {
    open(share).port().onmessage = () => {}
  },
  'has a queue that nothing can take': (share) => {
    const channel = open(share)
    for (let i = 0; i < 5; i++) channel.send(pattern(i, 3000))
  },
}

/** The same, by a thread that may block: a page's main thread may not. */
const blockedAtOnce: Record<string, (share: Share) => void> = {
  'has a listener, and has blocked': (share) => {
    const channel = open(share)
    channel.addEventListener('close', () => {})
    channel.receiveSync(1)
  },
}

/** The same of two sides in one thread. */
const pairsAtOnce: Record<string, (share: Share) => void> = {
  attached: (share) => void attached(open(share)),
  'attached, both sent': (share) => {
    const renderer = open(share)
    attached(renderer).send(pattern(1, 10))
    renderer.send(pattern(1, 10))
  },
  'attached, both receive': (share) => {
    const renderer = open(share)
    renderer.startReceiving(() => {})
    attached(renderer).startReceiving(() => {})
  },
  'attached, with a queue': (share) => {
    const renderer = open(share)
    attached(renderer)
    for (let i = 0; i < 5; i++) renderer.send(pattern(i, 3000))
  },
  'attached and detached': (share) => {
    const renderer = open(share)
    renderer.startReceiving(() => {})
    attached(renderer).detach()
  },
}

/**
 * Something is still to be done in the next turns of the event loop: then the memory can be had.
 */
const afterTurns: Record<string, (share: Share) => void> = {
  'a message is to be delivered': (share) => {
    const renderer = open(share)
    attached(renderer).startReceiving(() => {})
    renderer.send(pattern(1, 10))
  },
  'an end is to be told': (share) => {
    const renderer = open(share)
    attached(renderer).startReceiving(() => {})
    renderer.cleanup()
  },
  'its stream begins': (share) => void open(share).readable,
}

export const uses = { plain: { sent: atOnce.sent! }, atOnce, blockedAtOnce, pairsAtOnce, afterTurns }

export interface DropArguments {
  group: keyof typeof uses
  share: Share
  /** In one run of code, or one in each turn of the event loop. */
  over: 'turn' | 'turns'
  /** Is a turn of the library's on its way meanwhile, for another channel? */
  busy?: boolean
  count: number
}

/** Have the library plan a turn: until then, this channel is held. */
export const planTurn = (share: Share) => afterTurns['a message is to be delivered']!(share)

/**
 * Call `drop` `count` times, each time followed by `turn`. Returns how often it succeeded and, if
 * it failed, the error.
 */
export async function dropMany(drop: () => void, count: number, turn?: () => Promise<unknown>): Promise<unknown> {
  let done = 0
  try {
    for (; done < count; done++) {
      drop()
      if (turn !== undefined) await turn()
    }
    return done
  } catch (error) {
    return { done, error: String(error) }
  }
}

/** What is to come out. */
export const allOf = (group: keyof typeof uses, count: number): Record<string, number> =>
  Object.fromEntries(Object.keys(uses[group]).map((use) => [use, count]))
