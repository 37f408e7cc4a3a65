// What every entry point exports but sabway/bytes, which has no codecs for a port. Each of them calls loadCodecs, too.
export * from './exports-bytes.js'
export { ChannelPort, type ChannelPortEventMap } from './port.js'
