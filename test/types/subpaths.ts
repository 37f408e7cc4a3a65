// The subpaths where `exports` of package.json is unknown: through `typesVersions`. Electron is not
// installed.

import { SharedMemoryChannel as BytesChannel } from 'sabway/bytes'
import { compressed, encrypted } from 'sabway/codecs'
import { exposeSabway } from 'sabway/electron/preload'
import { connect, type SharedMemoryChannel } from 'sabway/electron/renderer'
import { P2PLoopback, P2PManager, type P2PMessage, P2PQueue, type P2PTransport } from 'sabway/p2p'

exposeSabway()
export const channel: Promise<SharedMemoryChannel> = connect({ name: 'frames', transport: 'auto' })
export const bytes: SharedMemoryChannel = new BytesChannel(4096, 4096)
export const queue: P2PQueue = P2PQueue.attach(new ArrayBuffer(524320), { slots: 256, slotBytes: 1024 })
export const room: number = queue.writer('incoming').room
const transport: P2PTransport = new P2PLoopback({ delay: [1, 2] }).connect('me')
export const manager: P2PManager = new P2PManager({ transport, queue: { timestamps: true }, batch: 'frame' })
manager.addEventListener('peer-failed', ({ peer, error }) => void [peer, error.code])
export const messages: P2PMessage[] = manager.readP2PMessagesOnChannel(0, 10)
export const buffer: SharedArrayBuffer | ArrayBuffer = manager.getP2PChannelQueue(0)
export const codec = encrypted(compressed('msgpack'), { key: new Uint8Array(32) })
