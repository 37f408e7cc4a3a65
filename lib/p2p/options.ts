// The options of a manager of peers, and what it counts.
import * as check from '../base/check.js'
import type { P2PQueue } from './queue.js'
import { OPTION_NAMES, type P2PQueueOptions, type Shape, shapeOf } from './shape.js'
import type { P2PTransport } from './transport.js'
import { CHANNELS } from './wire.js'

/** Why a message did not go on. */
export type P2PDropReason =
  /** To be sent: there is no such peer. */
  | 'no-peer'
  /** To be sent, or received: larger than a slot, and the receiver puts nothing together. */
  | 'too-large'
  /** To be sent: the network takes no more, and it may be lost; or too much waits. */
  | 'back-pressure'
  /** To be sent: the transport threw. */
  | 'transport'
  /** Received: the engine does not read, and the message may be lost. */
  | 'queue-full'
  /** Received: the engine does not read, and too much waits for it. */
  | 'backlog-full'
  /** Received: more messages or bytes a second than the peer may send. */
  | 'flood'
  /** Received: what no manager sends. */
  | 'malformed'
  /** Received: of a channel that this side does not have, or whose queue cannot be had. */
  | 'no-channel'
  /** Received: parts of a message whose rest did not come. */
  | 'incomplete'
  /** Received: from a peer that the transport did not announce, or that was cut off. */
  | 'unknown-peer'

export const DROP_REASONS = [
  'no-peer',
  'too-large',
  'back-pressure',
  'transport',
  'queue-full',
  'backlog-full',
  'flood',
  'malformed',
  'no-channel',
  'incomplete',
  'unknown-peer',
] as const satisfies readonly P2PDropReason[]

export interface P2PCounters {
  sentMessages: number
  sentBytes: number
  receivedMessages: number
  receivedBytes: number
  /** Messages that did not go on; for `'malformed'` and `'flood'`, what the network brought. */
  readonly dropped: Record<P2PDropReason, number>
}

export const newCounters = (): P2PCounters => ({
  sentMessages: 0,
  sentBytes: 0,
  receivedMessages: 0,
  receivedBytes: 0,
  dropped: Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<P2PDropReason, number>,
})

/** What one peer may do at most. */
export interface P2PLimits {
  /** Messages in a second: 5000 unless given. */
  messagesPerSecond?: number
  /** Bytes in a second: 8 MiB unless given. */
  bytesPerSecond?: number
  /** Malformed frames before it is cut off: 16 unless given. */
  malformed?: number
  /** Bytes of messages that are being put together: 1 MiB unless given. */
  assemblyBytes?: number
  /** Messages that are being put together: 8 unless given. */
  assemblies?: number
  /** Milliseconds after which the rest of a message is waited for no more: 5000 unless given. */
  assemblyTimeout?: number
}

export interface P2PManagerOptions {
  transport: P2PTransport
  /** The form of the queues, which have both directions. */
  queue?: Omit<P2PQueueOptions, 'single'>
  /**
   * Gives the queue of a channel, such as one in the engine's own memory: of the form of `queue`,
   * with both directions. It is called again when the memory of a WebAssembly program has grown.
   */
  makeQueue?: (channel: number) => P2PQueue
  /** Channels are 0 to this, less 1: 64, the most, unless given. */
  channels?: number
  /**
   * The largest message that is taken from a peer: 64 KiB unless given. Larger ones than a slot
   * takes are for readP2PMessagesOnChannel alone. 0: there are none.
   */
  maxMessageBytes?: number
  /** Messages of a channel that wait for room in its queue: 1024 unless given. */
  maxBacklog?: number
  /** Bytes for one peer that wait for the network: 1 MiB unless given. */
  maxPendingBytes?: number
  /**
   * `'frame'`: what is sent waits for `frame()`, and goes in as few pieces as can be. `'none'`, the
   * default: at once.
   */
  batch?: 'none' | 'frame'
  /** Messages that `frame()` moves into and out of queues, at most: 4096 unless given. */
  frameBudget?: number
  /** Milliseconds between the manager's calls of `frame()`: 16 unless given; Infinity: none. */
  frameInterval?: number
  limits?: P2PLimits
  /** Milliseconds of a clock, for tests. */
  now?: () => number
}

const NAMES = [
  'transport',
  'queue',
  'makeQueue',
  'channels',
  'maxMessageBytes',
  'maxBacklog',
  'maxPendingBytes',
  'batch',
  'frameBudget',
  'frameInterval',
  'limits',
  'now',
] as const satisfies readonly (keyof P2PManagerOptions)[]

const LIMIT_NAMES = [
  'messagesPerSecond',
  'bytesPerSecond',
  'malformed',
  'assemblyBytes',
  'assemblies',
  'assemblyTimeout',
] as const satisfies readonly (keyof P2PLimits)[]

const LARGEST_MESSAGE = 2 ** 24 - 1
const USUAL_FRAME = 1 << 14
/** What networks carry in one packet: a larger message that may be lost is lost more often. */
export const PACKET = 1200

/** Options with everything in its place. */
export interface Settings extends Required<Omit<P2PManagerOptions, 'queue' | 'makeQueue' | 'limits' | 'now'>> {
  readonly queue: P2PQueueOptions
  readonly makeQueue: ((channel: number) => P2PQueue) | undefined
  readonly shape: Shape
  readonly limits: Required<P2PLimits>
  readonly now: (() => number) | undefined
  /** The most bytes that the transport takes at once. */
  readonly frameBytes: number
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
export function settingsOf(options: P2PManagerOptions): Settings {
  const given = check.options<P2PManagerOptions>(options, 'manager options', NAMES)
  const queue = check.options(
    given.queue,
    'queue',
    OPTION_NAMES.slice(0, 3) as readonly ('slots' | 'slotBytes' | 'timestamps')[],
  )
  const shape = shapeOf(queue)
  const transport = transportOf(given.transport)
  if (given.makeQueue !== undefined) check.callback(given.makeQueue, 'makeQueue')
  if (given.now !== undefined) check.callback(given.now, 'now')
  return {
    transport,
    queue,
    makeQueue: given.makeQueue,
    shape,
    channels: check.integer(given.channels ?? CHANNELS, 'channels', 1, CHANNELS),
    maxMessageBytes: check.integer(given.maxMessageBytes ?? 1 << 16, 'maxMessageBytes', 0, LARGEST_MESSAGE),
    maxBacklog: check.integer(given.maxBacklog ?? 1024, 'maxBacklog', 0, 2 ** 20),
    maxPendingBytes: check.integer(given.maxPendingBytes ?? 2 ** 20, 'maxPendingBytes', 0, 2 ** 30),
    batch: check.oneOf(given.batch ?? 'none', 'batch', ['none', 'frame']),
    frameBudget: check.integer(given.frameBudget ?? 4096, 'frameBudget', 1, 2 ** 20),
    frameInterval: check.milliseconds(given.frameInterval ?? 16, 'frameInterval'),
    limits: limitsOf(given.limits),
    now: given.now,
    frameBytes: check.integer(transport.maxBytes ?? USUAL_FRAME, 'transport.maxBytes', PACKET, LARGEST_MESSAGE),
  }
}

function limitsOf(limits: P2PLimits | undefined): Required<P2PLimits> {
  const given = check.options<P2PLimits>(limits, 'limits', LIMIT_NAMES)
  const of = (name: keyof P2PLimits, usual: number, least: number) =>
    check.integer(given[name] ?? usual, `limits.${name}`, least, Number.MAX_SAFE_INTEGER)
  return {
    messagesPerSecond: of('messagesPerSecond', 5000, 1),
    bytesPerSecond: of('bytesPerSecond', 2 ** 23, 1),
    malformed: of('malformed', 16, 0),
    assemblyBytes: of('assemblyBytes', 2 ** 20, 0),
    assemblies: of('assemblies', 8, 0),
    assemblyTimeout: of('assemblyTimeout', 5000, 0),
  }
}

const CALLS = ['start', 'send', 'disconnect', 'close'] as const

function transportOf(transport: unknown): P2PTransport {
  const expected = 'transport must be an object with id, start, send, disconnect and close'
  if (typeof transport !== 'object' || transport === null) {
    return check.refuse('ERR_SABWAY_INVALID_TYPE', expected, transport)
  }
  const found = check.fields(transport, 'transport', CALLS)
  for (const name of CALLS) {
    if (typeof found[name] !== 'function') check.refuse('ERR_SABWAY_INVALID_TYPE', expected, transport)
  }
  return transport as P2PTransport
}
