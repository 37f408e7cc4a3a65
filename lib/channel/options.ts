// What a channel is made with, and what it tells of itself.
import type { WorkerStats } from '../base/addon.js'
import type { Codec, CodecName, Format } from '../codec/codec.js'
import type { ChannelRef } from '../heap/channels.js'
import type { PaceOptions } from '../loop/schedule.js'
import type { Mechanism, WaitPolicy } from '../loop/wait-policy.js'
import type { ShareOptions } from '../region/create.js'
import type { Region } from '../region/region.js'
import type { BatchOptions } from './batch.js'
import type { ReceiveOptions } from './consumer.js'

export type Side = 'renderer' | 'native'

/** What each side chooses for itself. */
interface SideOptions<T> {
  /** Send small messages together. The other side need not know. */
  batch?: BatchOptions
  /**
   * What this side does when it has nothing to do: spin, spin briefly and then sleep (`balanced`,
   * the default), or sleep at once.
   */
  wait?: WaitPolicy
  /**
   * What messages are: bytes (default), or values that this codec encodes. Its name travels with
   * the handle, not with the token.
   */
  codec?: CodecName | Codec<T>
  /**
   * Bytes that `send` and a port may queue on this side while the ring is full; beyond that they
   * throw ERR_SABWAY_QUEUE_FULL. A message of fewer than 64 bytes counts 64. Default: 128 MiB, or
   * four rings where that is more. 0: nothing is queued; Infinity: the queue grows until the memory
   * is gone. It also bounds what sendDirect calls wait with, of which one is always taken.
   */
  maxQueued?: number
}

export interface ChannelOptions<T = Uint8Array> extends ShareOptions, SideOptions<T> {
  /**
   * Make the channel in this region, one of any number there; without a heap a region has room for
   * one. It stays the caller's, to close after the channel. `name` is then a name in the region:
   * `region.get(name)` returns the channel's handle to any participant.
   */
  region?: Region
  /**
   * Have the channel lie in a SharedArrayBuffer of the program's, all zeros, as Region.over does.
   * The region goes with the channel, the buffer does not.
   */
  buffer?: SharedArrayBuffer
}

export interface AttachOptions<T = Uint8Array> extends SideOptions<T> {
  side: Side
  /**
   * Take the side from the participant that holds it, if there is one (default false). For where a
   * death cannot be seen: a holder that lives is evicted, and what it is writing at that moment may
   * damage a message of this side.
   */
  replace?: boolean
}

/** @internal What attach gives the constructor. */
export interface InnerOptions {
  format: Format | null
  batch?: BatchOptions | undefined
  wait?: WaitPolicy | undefined
  maxQueued?: number | undefined
  replace?: boolean | undefined
  /** Which of the region's channels. */
  channel?: ChannelRef | undefined
  /** Why messages are copied to the other side; undefined where the region tells. */
  copiedBecause?: string | undefined
}

export interface StartOptions extends ReceiveOptions, PaceOptions {
  /** Aborting it is stopReceiving. */
  signal?: AbortSignal
}

export interface ChannelStats {
  side: Side
  /**
   * What this thread sent: `queued` messages still wait for room in the ring, of which `used` of
   * `capacity` bytes are taken.
   */
  sent: { messages: number; bytes: number; queued: number; queuedBytes: number; capacity: number; used: number }
  received: { messages: number; bytes: number; capacity: number; used: number }
  /** Does a live participant hold the other side? */
  peer: boolean
  /** The native worker that this channel started, if it runs. */
  worker?: WorkerStats & { mechanism: Mechanism }
  /**
   * How this thread waits for the other side: by what it is woken, how often it slept, and how many
   * calls it made to wake others.
   */
  wait: { policy: WaitPolicy; mechanism: Mechanism; parks: number; wakes: number }
  /** How this thread's event loop is woken. */
  wakes: 'addon' | 'atomics'
  /**
   * 'copied': the memory is not shared with the other side; its messages are copied there, and
   * `copied` says why.
   */
  transport: 'shared' | 'copied'
  copied?: string
}
