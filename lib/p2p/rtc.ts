// What is used of a platform's peer connections: that of pages, and of packages such as werift,
// have it alike. Their own types are in no declaration of Sabway's.

/** An RTCDataChannel. */
export interface P2PRTCChannel {
  readonly readyState: string
  readonly bufferedAmount: number
  bufferedAmountLowThreshold: number
  binaryType?: string
  send(data: never): void
  close(): void
  addEventListener(type: string, listener: (event: unknown) => void): void
}

/** An RTCPeerConnection. */
export interface P2PRTCConnection {
  readonly connectionState: string
  readonly localDescription: { readonly type: string; readonly sdp: string } | null
  readonly sctp: { readonly maxMessageSize: number } | null
  onicecandidate: ((event: never) => unknown) | null | undefined
  onconnectionstatechange: ((event: never) => unknown) | null | undefined
  createDataChannel(
    label: string,
    options: { negotiated: boolean; id: number; ordered: boolean; maxRetransmits?: number },
  ): P2PRTCChannel
  setLocalDescription(): Promise<unknown>
  setRemoteDescription(description: { type: 'offer' | 'answer'; sdp: string }): Promise<unknown>
  addIceCandidate(candidate: P2PRTCCandidate): Promise<unknown>
  close(): unknown
}

/** Where a peer can perhaps be reached. */
export interface P2PRTCCandidate {
  candidate: string
  sdpMid?: string
  sdpMLineIndex?: number
}

/** The class RTCPeerConnection. */
export type P2PRTCClass = new (configuration?: never) => P2PRTCConnection
