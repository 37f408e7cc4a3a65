// sabway/p2p: queues of messages between peers, for game engines that know their bytes, and what
// moves messages between them and a network. It works in pages, their workers and Node, and needs
// neither the addon nor WebAssembly.
import { provideErrors } from './base/errors.js'
import { PEER_ERRORS } from './generated/abi.js'

provideErrors(PEER_ERRORS)

export { type Bridge, type BridgeOptions, type BridgeStats, bridge } from './p2p/bridge.js'
export type { P2PBackoff, P2PClock } from './p2p/clock.js'
export type { BridgeEnd } from './p2p/ends.js'
export { P2PFailureEvent, type P2PManagerEventMap, P2PPeerEvent } from './p2p/events.js'
export type { P2PExposeNames } from './p2p/expose.js'
export { P2PLoopback, type P2PLoopbackOptions } from './p2p/loopback.js'
export { type P2PChannelStats, P2PManager, type P2PPeerStats, type P2PStats } from './p2p/manager.js'
export type {
  NatsConnection,
  NatsConsumer,
  NatsJetStream,
  NatsMessage,
  NatsMessages,
  NatsPublisher,
} from './p2p/nats.js'
export type { P2PNatsOptions, P2PNatsStats } from './p2p/nats-options.js'
export { P2PNats } from './p2p/nats-peers.js'
export type { P2PCounters, P2PDropReason, P2PLimits, P2PManagerOptions } from './p2p/options.js'
export { type P2PAttachOptions, P2PQueue } from './p2p/queue.js'
export type { P2PMessage, P2PMessageView, P2PReader } from './p2p/reader.js'
export type { P2PRTCCandidate, P2PRTCChannel, P2PRTCClass, P2PRTCConnection } from './p2p/rtc.js'
export type { P2PDirection, P2PQueueOptions } from './p2p/shape.js'
export type { P2PSignalEvents, P2PSignaller } from './p2p/signals.js'
export type { P2PTransport, P2PTransportEvents } from './p2p/transport.js'
export { P2PWebRTC, type P2PWebRTCOptions, type P2PWebRTCStats } from './p2p/webrtc.js'
export type { P2PWriter } from './p2p/writer.js'
