import { type ChannelOptions, SharedMemoryChannel, type Side } from 'sabway'
import { inBuffers } from './host.js'

const made: SharedMemoryChannel[] = []

/** In place of a WebAssembly.Memory, where the options and the capacities allow one. */
function bufferFor(
  rendererToNative = 1 << 20,
  nativeToRenderer = 1 << 20,
  options: ChannelOptions = {},
): ChannelOptions {
  const { region, share, name } = options
  if (region !== undefined || share !== undefined || name !== undefined) return {}
  const bytes = 2 ** 21 + 2 * (rendererToNative + nativeToRenderer)
  return bytes < 2 ** 31 ? { buffer: new SharedArrayBuffer(bytes) } : {}
}

/** Cleaned up after the test: the hook in root-hooks.ts. */
export function open(
  rendererToNative?: number,
  nativeToRenderer?: number,
  options?: ChannelOptions,
): SharedMemoryChannel {
  const memory = inBuffers && bufferFor(rendererToNative, nativeToRenderer, options)
  const all = memory ? { ...memory, ...options } : options
  return keep(new SharedMemoryChannel(rendererToNative, nativeToRenderer, all))
}

export const attach = (to: SharedMemoryChannel, side: Side): SharedMemoryChannel =>
  keep(SharedMemoryChannel.attach(to.handle, { side }))

/** Both sides in this thread. */
export function pair(rendererToNative?: number, nativeToRenderer = rendererToNative) {
  const renderer = open(rendererToNative, nativeToRenderer)
  return { renderer, native: attach(renderer, 'native') }
}

export function keep(channel: SharedMemoryChannel): SharedMemoryChannel {
  made.push(channel)
  return channel
}

export function cleanupAll(): void {
  for (const channel of made.splice(0)) channel.cleanup()
}

/** What comes out of a channel, as copies, from now on. */
export function collect(channel: SharedMemoryChannel): Uint8Array[] {
  const messages: Uint8Array[] = []
  channel.startReceiving((message) => messages.push(message))
  return messages
}

/** Everything that is there now, as copies. */
export function takeAll(channel: SharedMemoryChannel, max?: number): Uint8Array[] {
  const messages: Uint8Array[] = []
  channel.drain((bytes, start, end) => messages.push(bytes.slice(start, end)), max)
  return messages
}

/** Send until there is no room; returns how many fitted. */
export function fillUp(channel: SharedMemoryChannel, message: Uint8Array): number {
  let sent = 0
  while (channel.trySend(message)) sent++
  return sent
}
