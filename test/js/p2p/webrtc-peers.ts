// Peers over WebRTC in Node, by npm's werift, and what tests of them send.
import { P2PManager, type P2PSignaller, P2PWebRTC, type P2PWebRTCOptions } from 'sabway/p2p'
import { RTCPeerConnection } from 'werift'
import { until } from './servers.js'

/** This machine alone, without servers. */
const configuration = {
  iceServers: [],
  iceUseIpv6: false,
  iceAdditionalHostAddresses: ['127.0.0.1'],
}

const managers: P2PManager[] = []

export function peer(
  signaller: P2PSignaller,
  id: string,
  options: Partial<P2PWebRTCOptions> = {},
  batch: 'frame' | 'none' = 'frame',
) {
  const transport = new P2PWebRTC({
    id,
    signaller,
    RTCPeerConnection,
    configuration,
    backoff: { least: 20, most: 200 },
    ...options,
  })
  const manager = new P2PManager({
    transport,
    frameInterval: 5,
    batch,
    maxBacklog: 2 ** 20,
    maxPendingBytes: 2 ** 26,
    limits: { messagesPerSecond: 1e9, bytesPerSecond: 1e12 },
  })
  const events: string[] = []
  manager.addEventListener('peer-joined', ({ peer }) => events.push(`${peer} joined`))
  manager.addEventListener('peer-left', ({ peer }) => events.push(`${peer} left`))
  manager.addEventListener('peer-failed', ({ peer }) => events.push(`${peer} failed`))
  managers.push(manager)
  return { manager, transport, events }
}

/** All peers, and their sockets: one that is left keeps the process alive. */
export async function closePeers(): Promise<void> {
  for (const manager of managers.splice(0)) manager.close()
  await until('all sockets are closed', () => !process.getActiveResourcesInfo().includes('UDPWrap'))
}

export const numbered = (n: number, length = 64): Uint8Array => {
  const bytes = new Uint8Array(length)
  new DataView(bytes.buffer).setUint32(0, n)
  return bytes
}
export const numberOf = ({ data }: { data: Uint8Array }): number =>
  new DataView(data.buffer, data.byteOffset).getUint32(0)

/** What comes on a channel, until there are so many. */
export async function received(manager: P2PManager, channel: number, count: number): Promise<number[]> {
  const found: number[] = []
  await until(`${count} messages`, () => {
    found.push(...manager.readP2PMessagesOnChannel(channel).map(numberOf))
    return found.length >= count
  })
  return found
}
