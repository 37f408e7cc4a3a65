// sabway/p2p: queues of messages between peers, for game engines that know their bytes. It works in
// pages, their workers and Node, and needs neither the addon nor WebAssembly.

export { type P2PAttachOptions, P2PQueue } from './p2p/queue.js'
export type { P2PMessage, P2PMessageView, P2PReader } from './p2p/reader.js'
export type { P2PDirection, P2PQueueOptions } from './p2p/shape.js'
export type { P2PWriter } from './p2p/writer.js'
