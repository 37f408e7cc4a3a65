// The whole public surface in typed code, with nothing but the language's own types: no DOM, no
// Node.
import {
  type AttachOptions,
  type BatchOptions,
  type BuiltinWorker,
  ChannelErrorEvent,
  type ChannelEventMap,
  type ChannelHandle,
  ChannelMessageEvent,
  type ChannelOptions,
  type ChannelPort,
  type ChannelPortEventMap,
  type ChannelStats,
  type Codec,
  type CodecName,
  crc32c,
  type DrainCallback,
  type ErrorCode,
  type ListenerOptions,
  type LogLine,
  type Mechanism,
  type MessageCallback,
  type PaceOptions,
  type PluginWorker,
  type Poll,
  type ReceiveOptions,
  Region,
  type RegionHandle,
  type RegionStats,
  SabwayError,
  type Schedule,
  type Scheduler,
  type SendOptions,
  type SharedBytes,
  SharedMemoryChannel,
  type ShareOptions,
  type Side,
  type StartOptions,
  type WaitOptions,
  type WaitPolicy,
  type WorkerStats,
  type WriteCallback,
} from 'sabway'

/** Compiles only where A and B are one type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const is = <_T extends true>(): void => {}

// ---- regions ----

const share: ShareOptions = { share: 'processes', name: 'a name' }
const region: Region = Region.create({ size: 1 << 20, ...share })
const regionHandle: RegionHandle = region.handle
Region.open(regionHandle).close()
Region.open(region.token).check()
const regionStats: RegionStats = region.stats()
const memory: SharedArrayBuffer = region.buffer
// @ts-expect-error a size is needed
Region.create({})
// @ts-expect-error made by create or open
new Region()

// ---- channels of bytes ----

const batch: BatchOptions = { maxBytes: 4096, maxDelayMs: 1 }
const wait: WaitPolicy = 'balanced'
const options: ChannelOptions = { share: 'threads', batch, wait }
const channel = new SharedMemoryChannel(65536, 65536, options)
is<Same<typeof channel, SharedMemoryChannel<Uint8Array>>>()
new SharedMemoryChannel()
new SharedMemoryChannel(4096, 4096, { region })
// @ts-expect-error sizes are numbers
new SharedMemoryChannel('64 KiB')
// @ts-expect-error an unknown option
new SharedMemoryChannel(4096, 4096, { bacth: {} })
// @ts-expect-error an unknown policy
new SharedMemoryChannel(4096, 4096, { wait: 'sleep' })

const handle: ChannelHandle = channel.handle
const side: Side = channel.side
const attachOptions: AttachOptions = { side: 'native', wait }
const other = SharedMemoryChannel.attach(handle, attachOptions)
is<Same<typeof other, SharedMemoryChannel<Uint8Array>>>()
SharedMemoryChannel.attach(channel.token, { side })
// @ts-expect-error a side is needed
SharedMemoryChannel.attach(handle)
// @ts-expect-error there are two sides
SharedMemoryChannel.attach(handle, { side: 'left' })

const sent: boolean = channel.send(new Uint8Array(1))
const tried: boolean = channel.trySend(new Uint8Array(1))
const count: number = channel.sendBatch([new Uint8Array(1)])
const sendOptions: SendOptions = { timeout: 10 }
const direct: Promise<void> = channel.sendDirect(new Uint8Array(1), sendOptions)
// @ts-expect-error no text
channel.send('text')
// @ts-expect-error no lists of numbers
channel.sendBatch([[1, 2, 3]])

const room: SharedBytes | null = channel.reserve(10)
room?.set([1, 2, 3])
const under: SharedArrayBuffer | undefined = room?.buffer
channel.commit(3)
channel.abandon()
channel.flush()
channel.onQueueEmpty = () => {}
channel.onQueueEmpty = null

const callback: MessageCallback = (message) => void message.byteLength
const written: boolean = channel.write(8, (bytes, start, end) => bytes.fill(0, start, end).length)
const fills: WriteCallback = (bytes, start) => void bytes.set([1], start)
channel.write(8, fills)
const inPlace: DrainCallback = (bytes, start, end) => void bytes.subarray(start, end)
const schedule: Schedule = 'microtask'
const scheduler: Scheduler = (tick) => tick()
const poll: Poll = { min: 1, max: 16 }
const pace: PaceOptions = { poll }
const receiveOptions = { budget: 4 } satisfies ReceiveOptions
const start = { ...pace, ...receiveOptions } satisfies StartOptions
channel.startReceiving(callback)
channel.startReceiving(callback, start)
channel.startReceiving((message) => is<Same<typeof message, Uint8Array>>(), { schedule })
channel.startReceiving(inPlace, { copy: false, schedule: scheduler })
channel.startReceiving((bytes) => is<Same<typeof bytes, SharedBytes>>(), { copy: false })
channel.stopReceiving()
// @ts-expect-error a callback is needed
channel.startReceiving()
// @ts-expect-error an unknown schedule
channel.startReceiving(callback, { schedule: 'later' })

const waitOptions: WaitOptions = { timeout: 5 }
const one: Promise<Uint8Array> = channel.receive(waitOptions)
const now: Uint8Array | null = channel.receiveSync(5)
const drained: number = channel.drain(inPlace, 10)
async function loop(): Promise<void> {
  for await (const message of channel) is<Same<typeof message, Uint8Array>>()
}
const port: ChannelPort = channel.port()
port.postMessage({ any: 'value' })
port.start()
port.close()
is<Same<ReturnType<typeof port.ref>, ChannelPort>>()
type PortEvents = keyof ChannelPortEventMap
is<Same<PortEvents, 'message' | 'messageerror' | 'close'>>()

// ---- native workers ----

const builtin: BuiltinWorker = { builtin: 'source', size: 64, rate: 1000, count: 10 }
const pluginWorker: PluginWorker = { plugin: '/path/lib.so', any: 'option', onLog: (line: LogLine) => void line.text }
channel.startWorker(builtin)
channel.startWorker(pluginWorker)
channel.startWorker({ builtin: 'echo', onLog: ({ level }) => is<Same<typeof level, LogLine['level']>>() })
channel.stopWorker()
// @ts-expect-error an unknown handler
channel.startWorker({ builtin: 'mirror' })

// ---- events ----

const listenerOptions: ListenerOptions = { once: true, capture: false }
channel.addEventListener('message', (event) => is<Same<typeof event.data, Uint8Array>>(), listenerOptions)
channel.addEventListener('error', (event) => {
  is<Same<typeof event, ChannelErrorEvent>>()
  const code: ErrorCode = event.error.code
  return code
})
channel.addEventListener('drain', () => {})
channel.addEventListener('close', { handleEvent: () => {} }, { once: true })
channel.addEventListener('peer-died', () => {}, true)
channel.removeEventListener('message', null)
is<Same<keyof ChannelEventMap, 'message' | 'drain' | 'close' | 'peer-died' | 'error'>>()
// @ts-expect-error the event of 'message' has no error
channel.addEventListener('message', (event) => event.error)
const made = [new ChannelMessageEvent('data').data, new ChannelErrorEvent(new SabwayError('ERR_SABWAY_CLOSED', 'why'))]

// ---- values ----

interface Frame {
  width: number
  pixels: Uint8Array
}
const frames = new SharedMemoryChannel<Frame>(4096, 4096, { codec: 'structured' })
frames.send({ width: 1, pixels: new Uint8Array(1) })
frames.addEventListener('message', ({ data }) => is<Same<typeof data, Frame>>())
const frame: Promise<Frame> = frames.receive()
const attached = SharedMemoryChannel.attach<Frame>(frames.handle, { side: 'native' })
is<Same<typeof attached, SharedMemoryChannel<Frame>>>()
async function loopOverFrames(): Promise<void> {
  for await (const { width } of attached) is<Same<typeof width, number>>()
}
// @ts-expect-error not a Frame
frames.send({ width: 'wide' })
// @ts-expect-error bytes are no Frame
attached.send(new Uint8Array(1))

const json: Codec<Frame> = {
  name: 'json',
  encode: (value) => new Uint8Array(value.width),
  decode: (message) => ({ width: message.length, pixels: message }),
}
const name: CodecName = 'msgpack'
const own = new SharedMemoryChannel(4096, 4096, { codec: json })
is<Same<typeof own, SharedMemoryChannel<Frame>>>()
new SharedMemoryChannel<unknown>(4096, 4096, { codec: name })
// @ts-expect-error an unknown codec
new SharedMemoryChannel(4096, 4096, { codec: 'json' })
// @ts-expect-error a codec that cannot decode
new SharedMemoryChannel(4096, 4096, { codec: { name: 'half', encode: () => new Uint8Array(1) } })

// ---- life ----

is<Same<ReturnType<typeof channel.ref>, SharedMemoryChannel<Uint8Array>>>()
channel.unref().cleanup()
const stats: ChannelStats = channel.stats()
const worker: WorkerStats | undefined = stats.worker
const mechanism: Mechanism = stats.wait.mechanism
async function scope(): Promise<void> {
  using scoped = new SharedMemoryChannel()
  await using later = new SharedMemoryChannel<Frame>()
  scoped.send(new Uint8Array(1))
  later.send({ width: 1, pixels: new Uint8Array(1) })
}

// ---- errors, sums ----

try {
  const sum: number = crc32c(new Uint8Array(1), 7)
  crc32c(new Uint8Array(sum))
  // @ts-expect-error no text
  crc32c('text')
} catch (error) {
  if (error instanceof SabwayError && error.code === 'ERR_SABWAY_NO_ADDON') error.errno.toFixed()
  // @ts-expect-error there is no such code
  if (error instanceof SabwayError && error.code === 'ERR_SABWAY_NONSENSE') error.errno.toFixed()
}

export const all = [
  regionStats,
  memory,
  sent,
  tried,
  count,
  direct,
  under,
  one,
  now,
  drained,
  written,
  made,
  frame,
  worker,
  mechanism,
  channel.closed,
  side,
  loop,
  loopOverFrames,
  scope,
]
