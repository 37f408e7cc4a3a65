// What a manager of peers asks of a network, and what it is told by one.

/** What a transport tells its manager, which gives these to `start`. */
export interface P2PTransportEvents {
  /** The peer can be reached from now on. It is told before any of its messages. */
  joined(peer: string): void
  /** The peer is gone. It may join again, as another one of the same name. */
  left(peer: string): void
  /** What went wrong with a peer, which is gone with it; null: with the transport as a whole. */
  failed(peer: string | null, error: unknown): void
  /** Bytes that a peer has sent. They are read before the call returns, and not kept. */
  message(peer: string, bytes: Uint8Array): void
  /** The peer takes more, after `send` has returned false. */
  drained(peer: string): void
}

/**
 * A network of peers: WebRTC, NATS, memory. From which peer a message is, the transport says: it
 * must know that by itself, and not from what the peer has sent.
 */
export interface P2PTransport {
  /** This peer, as the others know it: at most 32 bytes of UTF-8. */
  readonly id: string
  /** Begin: once. What it rejects with is told as `failed(null, error)`. */
  start(events: P2PTransportEvents): void | Promise<void>
  /**
   * Send to one peer. `reliable`: all of them arrive, in the order of one channel; otherwise any
   * may be lost, or come in another order. True: it was taken, and the bytes may change after it.
   * False: the peer has too much to take as it is; `drained` tells when that is over. The bytes
   * have the channel in them: `channel` is for networks that keep channels apart.
   */
  send(peer: string, channel: number, reliable: boolean, bytes: Uint8Array): boolean
  /** Cut the connection to a peer that does not keep to the protocol: it has left. */
  disconnect(peer: string): void
  /** The most bytes of one `send`; 16 KiB where it is not there. At least 1200. */
  readonly maxBytes?: number
  /** End: no event is told behind it. */
  close(): void | Promise<void>
}
