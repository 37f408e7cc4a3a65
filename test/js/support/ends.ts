// A thread or process that ends while its batch is held.
import { createRequire } from 'node:module'
import * as sabway from 'sabway'

export interface Ending {
  /** A handle, or a token. */
  from: sabway.ChannelHandle | string
  how: string
  /** Load the CommonJS copy of the library. */
  common: boolean
}

/** How many messages are sent before each kind of end. */
export const ENDS: Record<string, number> = {
  'process.exit': 3,
  'an uncaught error': 3,
  'an unhandled rejection': 3,
  'the natural end': 3,
  'an exit listener that sends': 4,
  'an earlier exit listener that sends': 4,
}

export function end({ from, how, common }: Ending): void {
  const { SharedMemoryChannel } = common ? (createRequire(import.meta.url)('sabway') as typeof sabway) : sabway
  const send = () => channel.send(Uint8Array.of(9))
  if (how === 'an earlier exit listener that sends') process.on('exit', send)
  const channel = SharedMemoryChannel.attach(from, { side: 'native', batch: { maxDelayMs: 1000 } })
  for (let i = 0; i < 3; i++) channel.send(Uint8Array.of(i))
  if (how === 'an exit listener that sends') process.on('exit', send)
  if (how === 'an uncaught error') throw new Error('on purpose')
  if (how === 'an unhandled rejection') void Promise.reject(new Error('on purpose'))
  else if (how !== 'the natural end') process.exit()
}
