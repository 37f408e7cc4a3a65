// What every entry point exports, sabway/bytes included.
export type { WorkerStats } from './base/addon.js'
export type { ChannelHandle } from './base/channel-handle.js'
export { crc32c } from './base/crc32c.js'
export { type ErrorCode, SabwayError } from './base/errors.js'
export { ChannelErrorEvent, type ChannelEventMap, ChannelMessageEvent, type ListenerOptions } from './base/events.js'
export type { SharedBytes } from './base/shared-bytes.js'
export type { BatchOptions } from './channel/batch.js'
export { SharedMemoryChannel } from './channel/channel.js'
export type { DrainCallback, MessageCallback, ReceiveOptions } from './channel/consumer.js'
export type { BuiltinWorker, LogLine, PluginWorker } from './channel/native-worker.js'
export type {
  AttachOptions,
  ChannelOptions,
  ChannelStats,
  Side,
  StartOptions,
} from './channel/options.js'
export type { WriteCallback } from './channel/producer.js'
export type { WaitOptions } from './channel/receiver.js'
export type { SendOptions } from './channel/send-queue.js'
export type { Codec, CodecName } from './codec/codec.js'
export type { PaceOptions, Poll, Schedule, Scheduler } from './loop/schedule.js'
export type { Mechanism, WaitPolicy } from './loop/wait-policy.js'
export type { ShareOptions } from './region/create.js'
export { Region, type RegionHandle, type RegionStats } from './region/region.js'
