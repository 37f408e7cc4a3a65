// What suite.ts lists of messages between peers.
import { InThread } from './benchmarks/in-thread.js'
import { NativeProgram } from './benchmarks/native-program.js'
import * as p2p from './benchmarks/p2p.js'
import { Nats } from './benchmarks/p2p-nats.js'
import { WebRtc } from './benchmarks/p2p-webrtc.js'
import { type Group, throughput } from './harness/measure.js'

export const PEER_PATHS = {
  queue: 'queue between peers, a message written and read',
  webrtc: 'peers over WebRTC, in a page of Chromium',
  nats: 'a channel to a stream of NATS',
  peers: 'peers in one thread: a message that comes, one to all in each frame',
  channels: 'peers in one thread: a message that comes, 64 in each frame',
} as const

const PATHS = PEER_PATHS

export const BYTES = 64
export const [IN_PLACE, COPIES, NAIVE] = ['P2PQueue, in place', 'P2PQueue, copies', 'the description, in JavaScript']
export const [NATIVE, WASM] = ['sabway/p2p.h, native', 'sabway/p2p.h, WebAssembly']
export const [SINGLE, BATCHED, DRAINED] = ['P2PManager', "P2PManager, batch: 'frame'", 'P2PManager, from a queue']
export const DATA_CHANNEL = 'RTCDataChannel.send'
export const [BRIDGE, CLIENT] = ['bridge', 'the client alone, with ids']
export const FEWEST = '2 peers'
export const ONE_CHANNEL = '1 channel'
export const PEERS = [32, 16, 8, 4]
export const CHANNELS = [64, 8]

export const peerGroups = (): Group[] => [
  throughput(PATHS.queue, BYTES, [
    new InThread(IN_PLACE, true, p2p.inPlace),
    new InThread(COPIES, true, p2p.copies),
    new InThread(WASM, true, p2p.engine),
    new NativeProgram(NATIVE, true, { name: 'p2p' }, 'queue'),
    new InThread(NAIVE, false, p2p.naive),
  ]),
  {
    ...throughput(PATHS.webrtc, BYTES, [
      new WebRtc(SINGLE, true, 'single'),
      new WebRtc(BATCHED, true, 'batched'),
      new WebRtc(DRAINED, true, 'drained'),
      new WebRtc(DATA_CHANNEL, false, 'bare'),
    ]),
    // A page's timers have steps of 4 ms, by which the last messages are found.
    durationFactor: 4,
  },
  {
    ...throughput(PATHS.nats, BYTES, [
      new Nats(BRIDGE, true),
      new Nats(CLIENT, false),
      new Nats('the client alone, without ids', false, false),
    ]),
    durationFactor: 2,
  },
  throughput(PATHS.peers, BYTES, [
    ...PEERS.map((peers) => new InThread(`${peers} peers`, true, () => p2p.among(peers))),
    new InThread(FEWEST, false, () => p2p.among(2)),
  ]),
  throughput(PATHS.channels, BYTES, [
    ...CHANNELS.map((channels) => new InThread(`${channels} channels`, true, () => p2p.over(channels))),
    new InThread(ONE_CHANNEL, false, () => p2p.over(1)),
  ]),
]
