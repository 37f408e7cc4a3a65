// The events of a manager of peers.
import type { SabwayError } from '../base/errors.js'
import { BaseEvent } from '../base/host.js'

/** A peer has joined or left. */
export class P2PPeerEvent extends BaseEvent {
  constructor(
    type: 'peer-joined' | 'peer-left',
    readonly peer: string,
  ) {
    super(type)
  }
}

/** A peer has failed, and has left with it; null: the transport has. */
export class P2PFailureEvent extends BaseEvent {
  constructor(
    readonly peer: string | null,
    readonly error: SabwayError,
  ) {
    super('peer-failed')
  }
}

export interface P2PManagerEventMap {
  /** The peer can be sent to. */
  'peer-joined': P2PPeerEvent
  /** It can no more, after it had joined. */
  'peer-left': P2PPeerEvent
  'peer-failed': P2PFailureEvent
}
