// What two peers say to each other by way of the signaller, until they are connected. All of it was
// written by a peer: it is checked as a whole before any of it is used.
import type { P2PRTCCandidate } from './rtc.js'

/** What a signaller tells its transport, which gives these to `start`. */
export interface P2PSignalEvents {
  /** The peer can be signalled to from now on, or again. */
  joined(peer: string): void
  /** The peer cannot be signalled to. Connections to it stay. */
  left(peer: string): void
  /** What the peer has sent: it is known to be that peer, and no other. */
  message(peer: string, text: string): void
  /** The signaller itself has failed. Connections stay. */
  failed(error: unknown): void
}

/**
 * The program's own way to bring a text from one peer to another before they are connected, such as
 * a WebSocket. Texts have at most 16,384 characters; those of one peer to another arrive in order,
 * or not at all.
 */
export interface P2PSignaller {
  start(events: P2PSignalEvents): void | Promise<void>
  send(peer: string, text: string): void
  /** End: no event is told behind it. */
  close(): void | Promise<void>
}

export const SIGNAL_MOST = 16384
const SESSION_MOST = 32

export type Signal =
  /** The connection that the sender has to the receiver; '' for none. */
  | { kind: 'hello'; session: string }
  | { kind: 'offer' | 'answer'; session: string; sdp: string }
  | { kind: 'candidate'; session: string; candidate: P2PRTCCandidate }

export const encodeSignal = (signal: Signal): string => JSON.stringify(signal)

const isText = (value: unknown, most = SIGNAL_MOST): value is string =>
  typeof value === 'string' && value.length <= most

/** Undefined: it is none. */
export function decodeSignal(text: unknown): Signal | undefined {
  if (!isText(text)) return undefined
  let found: { [name: string]: unknown } | null
  try {
    found = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof found !== 'object' || found === null) return undefined
  const { kind, session, sdp, candidate } = found
  if (!isText(session, SESSION_MOST)) return undefined
  if (kind === 'hello') return { kind, session }
  if (session === '') return undefined
  if (kind === 'offer' || kind === 'answer') return isText(sdp) && sdp !== '' ? { kind, session, sdp } : undefined
  const checked = kind === 'candidate' ? candidateOf(candidate) : undefined
  return checked === undefined ? undefined : { kind: 'candidate', session, candidate: checked }
}

function candidateOf(value: unknown): P2PRTCCandidate | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { candidate, sdpMid, sdpMLineIndex } = value as { [name: string]: unknown }
  if (!isText(candidate, 1024)) return undefined
  const found: P2PRTCCandidate = { candidate }
  if (isText(sdpMid, 64)) found.sdpMid = sdpMid
  if (Number.isInteger(sdpMLineIndex) && (sdpMLineIndex as number) >= 0 && (sdpMLineIndex as number) < 64)
    found.sdpMLineIndex = sdpMLineIndex as number
  return found.sdpMid === undefined && found.sdpMLineIndex === undefined ? undefined : found
}
