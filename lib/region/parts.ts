// What a region can do without.
import { Part } from '../base/part.js'
import type * as channels from '../heap/channels.js'
import type * as eviction from '../heap/eviction.js'
import type * as format from '../heap/format.js'
import type * as names from '../heap/names.js'
import type * as buffers from './buffers.js'
import type * as advice from './isolation-advice.js'
import type * as overlay from './overlay.js'

/**
 * The locks by which the ends of threads without the addon are seen: locks.ts, which names
 * endpoint.ts, as that names this file.
 */
export const lockPart = new Part<{
  hold(region: eviction.Place & { readonly endpoint: number }, onStolen: () => void): () => void
}>()

/** Regions over SharedArrayBuffers. */
export const bufferPart = new Part<
  Pick<typeof buffers, 'hasAddon' | 'directCore' | 'memoryOf' | 'createIn' | 'overWhole'>
>()

/** Memory that processes share. */
export const overlayPart = new Part<Pick<typeof overlay, 'createShared' | 'openShared'>>()

/** Why the memory of a certain scope cannot leave it. Without it: what is said to any scope. */
export const advicePart = new Part<Pick<typeof advice, 'whyNot'>>()

type Heaps = Pick<typeof format, 'format'> &
  Pick<typeof eviction, 'evictOwn' | 'evictRole'> &
  Pick<typeof channels, 'freeChannel' | 'giveHandles' | 'makeChannel' | 'takeHandles'> &
  typeof names

/** The heap of a region, and the names of what is in it. */
export const heapPart = new Part<Heaps>(
  "is not loaded in this thread; import Region, MemoryHeap or Mutex from 'sabway' (not 'sabway/bytes')",
)
