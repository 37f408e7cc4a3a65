// What both entry points export.
export type { WorkerStats } from './addon.js'
export {
  type BuiltinWorker,
  ChannelErrorEvent,
  type ChannelHandle,
  ChannelMessageEvent,
  type ChannelOptions,
  type ChannelStats,
  type LogLine,
  type PluginWorker,
  SharedMemoryChannel,
  type Side,
} from './channel.js'
export { type ErrorCode, SabwayError } from './errors.js'
export type { DrainCallback, MessageCallback, ReceiveOptions } from './incoming.js'
export type { SendOptions } from './outgoing.js'
export { Region, type RegionHandle, type RegionStats } from './region.js'
export type { Mechanism, WaitPolicy } from './waiting.js'
