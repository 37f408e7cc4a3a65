import { Region, SharedMemoryChannel } from 'sabway'
import { keep } from './channels.js'

const made: Region[] = []

/**
 * Another participant in the same thread, which a program has not: there one thread has one Region
 * for each memory. `closes`: after the test.
 */
export function anotherPlace(region: Region, closes = true): Region {
  const place = (Region as unknown as { on(memory: unknown): Region }).on(region.memory)
  return closes ? closeLater(place) : place
}

/** Closed after the test: the hook in root-hooks.ts. */
export function closeLater(region: Region): Region {
  made.push(region)
  return region
}

export function closeAll(): void {
  for (const region of made.splice(0)) region.close()
}

/** A channel whose region was made for it alone. */
export const ownChannel = (): SharedMemoryChannel => keep(new SharedMemoryChannel(4096, 4096))
