// What sabway/bytes leaves out: the codecs that come with Sabway, and the MessagePort that speaks them.
import { provideCodecs } from './codec.js'
import { formatNamed } from './formats.js'
import { ChannelPort, PORT } from './port.js'

/** Let every channel of this thread have them. Every entry point but sabway/bytes calls it. */
export function loadCodecs(): void {
  provideCodecs({ named: formatNamed, port: (channel) => new ChannelPort(PORT, channel) })
}
