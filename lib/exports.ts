// What both entry points export.
export type { WorkerStats } from './addon.js'
export type { BatchOptions } from './batch.js'
export {
  type AttachOptions,
  type BuiltinWorker,
  type ChannelHandle,
  type ChannelOptions,
  type ChannelStats,
  type LogLine,
  type PluginWorker,
  SharedMemoryChannel,
  type Side,
  type StartOptions,
} from './channel.js'
export type { Codec, CodecName } from './codec.js'
export { type ErrorCode, SabwayError } from './errors.js'
export { ChannelErrorEvent, type ChannelEventMap, ChannelMessageEvent } from './events.js'
export type { DrainCallback, MessageCallback, ReceiveOptions } from './incoming.js'
export type { SendOptions } from './outgoing.js'
export { ChannelPort, type ChannelPortEventMap } from './port.js'
export type { WaitOptions } from './receiver.js'
export { Region, type RegionHandle, type RegionStats, type ShareOptions } from './region.js'
export type { PaceOptions, Poll, Schedule, Scheduler } from './schedule.js'
export type { Mechanism, WaitPolicy } from './waiting.js'
