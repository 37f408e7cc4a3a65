// The region that an object of a heap has for itself, where a program gives it no other place: what
// leads to the object leads to the region, too.
import * as check from '../base/check.js'
import type { RegionHandle } from '../base/region-handle.js'
import { isShared, type SharedObjectMemory } from '../heap/heap-object.js'

/** What another thread makes its own object of. Structured-cloneable. */
export interface OwnedMemory extends SharedObjectMemory {
  /** Of an object in a region of its own: that region. */
  readonly region?: RegionHandle
}

/** The region in what another thread's object gave, where that has one of its own. */
export function handleIn(memory: unknown): RegionHandle | null {
  if (typeof memory !== 'object' || !isShared(memory)) return null
  const { region } = check.fields(memory, 'memory', ['region'])
  return region === undefined ? null : (region as RegionHandle)
}
