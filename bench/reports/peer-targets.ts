// The ratios that are to be reached by messages between peers.
import * as P from '../peers.js'
import type { Target } from './target.js'

const to = (path: string, ours: string, baseline: string, rate: number): Target => ({
  path,
  size: P.BYTES,
  ours,
  baseline,
  bound: { rate },
})

export const PEERS: Target[] = [
  ...[P.IN_PLACE, P.COPIES, P.WASM, P.NATIVE].map((ours) => to(P.PEER_PATHS.queue, ours, P.NAIVE, 5)),
  to(P.PEER_PATHS.webrtc, P.SINGLE, P.DATA_CHANNEL, 0.95),
  ...[P.BATCHED, P.DRAINED].map((ours) => to(P.PEER_PATHS.webrtc, ours, P.DATA_CHANNEL, 3)),
  to(P.PEER_PATHS.nats, P.BRIDGE, P.CLIENT, 0.9),
]
