// What main, preload and page say to each other.
import type { Identity } from '../base/addon.js'
import type { ErrorCode } from '../base/errors.js'
import type { ChannelRef } from '../heap/channels.js'

/**
 * Preload to main, answered: may this page have the channel of this name, and where is its memory?
 */
export const ASK = 'sabway:ask'
/** Preload to main, with one end of a MessageChannel: copy this channel's messages over it. */
export const COPY = 'sabway:copy'
/** The page's window property under which preload exposes its Bridge. */
export const BRIDGE = 'sabwayElectron'
/** Marks preload's window messages to the page: both worlds see what is posted to the window. */
export const TAG = 'sabway:electron'

/** Characters of a channel's name in its window. */
export const LONGEST_NAME = 100

/** How a page's channel reaches the other side. */
export type Transport = 'shared' | 'copied'

/** An error, in parts that survive every kind of cloning. */
export interface Refusal {
  code: ErrorCode
  detail: string
}

export interface Capacities {
  rendererToNative: number
  nativeToRenderer: number
}

/** The codec's name, as the channel's handle has it. */
interface Coded {
  codec: string
}

/** What main answers. The token is there where the page asks for the shared memory. */
export type Answer = (Capacities & Coded & { token?: string }) | Refusal

/**
 * The shared region is open. Its memory is here where preload and page are one world, else in the
 * Delivery.
 */
export interface Opened extends Coded {
  transport: 'shared'
  identity: Identity
  /** Which of the region's channels it is. */
  channel: ChannelRef
  memory?: WebAssembly.Memory
}

/** Messages are copied over a MessagePort, which is in the Delivery. */
export interface Copied extends Capacities, Coded {
  transport: 'copied'
  because: string
}

export type Reply = Refusal | Opened | Copied

/**
 * The window message that carries what no bridge function can return. A port comes as the event's
 * port.
 */
export interface Delivery {
  sabway: typeof TAG
  id: number
  memory?: WebAssembly.Memory
}

/**
 * Preload's functions for the page: all that crosses is numbers, strings, plain objects and
 * functions, which contextBridge lets through.
 */
export interface Bridge {
  /** Open the channel `name`; `id` is the page's, for the other calls. */
  open(id: number, name: string, transport: Transport | 'auto'): Promise<Reply>
  /**
   * Stand for the page's endpoint: wake it when it is rung, tell it of deaths, give it back when
   * the page goes.
   */
  bind(id: number, endpoint: number, onPeerDied: (roles: number) => void): Refusal | null
  /**
   * Wake the thread that sleeps on this doorbell (an offset in the region) in the way of
   * SW_SLEEP_*.
   */
  ring(id: number, doorbell: number, how: number): void
  /** Is that process still there? */
  alive(pid: number, startLow: number, startHigh: number): number
  /** Give the endpoint, and the region, back. */
  close(id: number): void
}

/** What main posts first over a port: whether it copies. */
export type CopyReply = { copying: true } | { refused: Refusal }

export const isRefusal = (reply: object): reply is Refusal => 'code' in reply
