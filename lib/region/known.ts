// The Region objects of this thread, so that one thread has one for each memory, however often it
// opens the handle or the token.
//
// A SharedArrayBuffer that comes by postMessage is another object than the one that was posted, so
// two of them are compared by their bytes: what is written through the one shows in the other.
import { type Weakly, weakly } from '../base/addon.js'
import { bytesOf, type RegionMemory } from '../base/region-memory.js'
import { sw_instance } from '../generated/abi.js'
import type { Commons } from './commons.js'

/** What is compared of a Region. */
export interface KnownRegion {
  readonly words: Int32Array
  /** This thread's own block: its scratch is no other participant's. */
  readonly instance: number
  readonly commons: Commons
  readonly closed: boolean
}

/** They keep no region from being collected. */
const known = new Set<Weakly<KnownRegion>>()

export function remember(region: KnownRegion): void {
  known.add(weakly(region))
}

/** The open Region that `isIt` says yes to. */
function find<R extends KnownRegion>(isIt: (region: KnownRegion) => boolean): R | undefined {
  for (const way of known) {
    const region = way()
    if (region === undefined || region.closed) known.delete(way)
    else if (isIt(region)) return region as R
  }
  return undefined
}

export const withCommons = <R extends KnownRegion>(commons: Commons): R | undefined =>
  find((region) => region.commons === commons)

/**
 * Each process that has the memory open makes tokens of its own, but size and nonce are the
 * memory's.
 */
const identityOf = (token: string | undefined): string | undefined => token?.split(':').slice(5, 7).join()

export function withToken<R extends KnownRegion>(token: string): R | undefined {
  const identity = identityOf(token)
  return identity === '' ? undefined : find((region) => identityOf(region.commons.token) === identity)
}

export function inMemory<R extends KnownRegion>(memory: RegionMemory): R | undefined {
  const { buffer, length } = bytesOf(memory)
  const words = new Int32Array(buffer, 0, length / 4)
  return find((region) => region.words.length === words.length && isSame(region, words))
}

function isSame({ words, instance }: KnownRegion, others: Int32Array): boolean {
  const at = (instance + sw_instance.scratch) >>> 2
  const before = Atomics.load(others, at)
  Atomics.add(words, at, 1)
  const after = Atomics.load(others, at)
  Atomics.sub(words, at, 1)
  return after === ((before + 1) | 0) && Atomics.load(others, at) === before
}
