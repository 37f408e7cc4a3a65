// What every entry point exports but sabway/bytes. Each of them calls loadParts, too.
export * from './exports-bytes.js'
export { ChannelPort, type ChannelPortEventMap } from './port.js'
