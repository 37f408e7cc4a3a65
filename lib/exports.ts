// What every entry point exports but sabway/bytes. Each of them calls loadParts, too.

export { ChannelPort, type ChannelPortEventMap } from './channel/port.js'
export * from './exports-bytes.js'
