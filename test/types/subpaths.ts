// The subpaths where `exports` of package.json is unknown: through `typesVersions`. Electron is not
// installed.

import { SharedMemoryChannel as BytesChannel } from 'sabway/bytes'
import { compressed, encrypted } from 'sabway/codecs'
import { exposeSabway } from 'sabway/electron/preload'
import { connect, type SharedMemoryChannel } from 'sabway/electron/renderer'

exposeSabway()
export const channel: Promise<SharedMemoryChannel> = connect({ name: 'frames', transport: 'auto' })
export const bytes: SharedMemoryChannel = new BytesChannel(4096, 4096)
export const codec = encrypted(compressed('msgpack'), { key: new Uint8Array(32) })
