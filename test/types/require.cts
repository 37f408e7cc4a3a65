// CommonJS.
import sabway = require('sabway')

const channel: sabway.SharedMemoryChannel = new sabway.SharedMemoryChannel(4096, 4096)
const error: sabway.ErrorCode = new sabway.SabwayError('ERR_SABWAY_CLOSED', 'why').code
const attached = sabway.SharedMemoryChannel.attach<string>(channel.handle, { side: 'native', codec: 'structured' })
const sum: number = sabway.crc32c(new Uint8Array(1))
attached.send('text')
// @ts-expect-error not a text
attached.send(5)

export = { error, sum }
