// What the Region objects of one JavaScript thread have in common that lie on the same memory, and
// whether participants outside of this thread can be in it, too. While none can, nothing but these
// objects keeps a channel that waits: it is collected with them, in the same run of code, as V8
// needs its addresses. From then on an event loop holds it.
import { LooseRef } from '../base/addon.js'
import { immediate, inAudioWorklet, root } from '../base/host.js'
import type { RegionMemory } from '../base/region-memory.js'

/** What waits for news of the region. */
interface Sleeper {
  wake(): void
}

/**
 * Begins this thread's stay in a lent region, for one endpoint; returns what ends it, and gives the
 * endpoint back.
 */
type Begin = () => () => void

/** Evicts a participant of the region and gives its endpoint back. */
type Evict = (endpoint: number) => void

/**
 * An endpoint that is to be given back when the Region object that has it is collected. Leads to no
 * memory while none is lent.
 */
export interface OwnedEndpoint {
  readonly endpoint: number
  /** The object was collected, and the endpoint was not given back yet. */
  gone: boolean
  /** Of memory that was lent: holds it. */
  evict: Evict | null
  /** A way to those that share the region in this thread: see `evictWhenCollected`. */
  commons: WeakRef<Commons> | null
}

/**
 * How much of V8's external memory a lent region counts for. Never written to, it costs addresses
 * rather than memory. An audio thread is not to be made to collect.
 */
const WEIGHT = inAudioWorklet ? 0 : 4 * 2 ** 20

/** The commons of handles that were made in this realm, whose memory need not be looked at. */
const handles = new WeakMap<object, Commons>()

/**
 * Without the addon: regions that were joined in this run of code. The last few are held until it
 * ends.
 */
const fresh: Commons[] = []
const FRESH = 16

const collected = new FinalizationRegistry<OwnedEndpoint>((owned) => {
  if (owned.evict !== null) return owned.evict(owned.endpoint)
  owned.gone = true
  owned.commons?.deref()?.sweep()
})

export class Commons {
  readonly #memory: RegionMemory
  /**
   * The ways to evict others, by the participant that would do it: through the core that has its
   * endpoint's stack.
   */
  readonly #owned = new Map<OwnedEndpoint, { evict: Evict; begin: Begin }>()
  /**
   * What is to be told when the memory is lent. It leads to objects that may be collected before.
   */
  readonly #onLent = new Map<LooseRef<object>, (owner: never) => void>()
  readonly #asleep = new Set<Sleeper>()
  #lent = false
  #natives = 0
  /**
   * V8 does not count shared memory, and so sees no reason to look for regions that were dropped.
   * This is what it counts for one that is freed by a callback: where none is needed, it looks when
   * it has no room for another.
   */
  #weight: ArrayBuffer | null = null

  /** `token`: how other processes get at the memory, if they can. */
  constructor(
    memory: RegionMemory,
    readonly token?: string,
  ) {
    this.#memory = memory
  }

  /** The commons of a handle that was made in this realm. */
  static of(handle: object): Commons | undefined {
    return handles.get(handle)
  }

  /** Can no participant be in the region that is not of this thread? */
  get secluded(): boolean {
    return !this.#lent && this.#natives === 0
  }

  /**
   * A handle: its memory counts as lent when it is looked at, which is what cloning does, and
   * attaching in this realm does not.
   */
  handle<Parts extends object>(parts: Parts): Parts & { readonly memory: RegionMemory } {
    const lend = () => this.lend()
    const handle = Object.defineProperty(parts, 'memory', { get: lend, enumerable: true, configurable: true })
    if (this.token === undefined) handles.set(handle, this)
    else this.lend() // the token is there to be read
    return handle as Parts & { memory: RegionMemory }
  }

  /** The memory, for this thread. */
  peek(): RegionMemory {
    return this.#memory
  }

  /** The memory, for others: from now on participants of other threads may be in it. */
  lend(): RegionMemory {
    if (this.#lent) return this.#memory
    this.sweep()
    this.#lent = true
    for (const [owned, { begin }] of this.#owned) {
      owned.evict = begin()
      this.#weight ??= new ArrayBuffer(WEIGHT)
    }
    for (const [way, act] of this.#onLent) {
      const owner = way.get()
      if (owner !== undefined) act(owner as never)
    }
    this.#onLent.clear()
    this.rouse()
    return this.#memory
  }

  /**
   * Call `act` with its owner as soon as participants of other threads may be in the region, unless
   * the owner was collected before. The only owner is held: it is collected together with this. The
   * returned function takes that back.
   */
  whenLent<Owner extends object>(owner: Owner, act: (owner: Owner) => void): () => void {
    const way = new LooseRef(owner)
    if (this.#lent) act(owner)
    else {
      this.#onLent.set(way, act)
      if (this.#onLent.size > 1) this.#linkLater()
    }
    return () => void this.#onLent.delete(way)
  }

  /** A native thread takes part, until the returned function is called. */
  employ(): () => void {
    this.#natives++
    this.rouse()
    return () => void this.#natives--
  }

  /**
   * Without the addon: when `owner` is collected, evict it from the region. `evict` leads to the
   * memory, and so does `begin`. While none is lent, the objects that share the region do that.
   * Returns a function that takes all of that back, and ends the stay.
   */
  evictWhenCollected(owner: object, endpoint: number, evict: Evict, begin: Begin): () => void {
    this.sweep()
    const owned: OwnedEndpoint = { endpoint, gone: false, evict: this.#lent ? begin() : null, commons: null }
    if (this.#lent) this.#weight ??= new ArrayBuffer(WEIGHT)
    else if (this.#owned.size !== 0) this.#linkLater()
    this.#owned.set(owned, { evict, begin })
    collected.register(owner, owned, owned)
    return () => {
      collected.unregister(owned)
      this.#owned.delete(owned)
      if (this.#owned.size === 0) this.#weight = null
      owned.evict?.(endpoint)
    }
  }

  /**
   * Have the collector's callback find the objects that are left. A WeakRef keeps what it leads to
   * until the running code ends, and so it is made later; a loop that makes and drops thousands in
   * between finds its memory again, and loses but the news.
   */
  #linkLater(): void {
    fresh.push(this)
    if (fresh.length > FRESH) fresh.shift()
    if (fresh.length > 1) return
    try {
      root(immediate, link)
    } catch {
      fresh.length = 0 // a scope without an event loop, where the collector's callbacks do not run
    }
  }

  /** Make a way to this one from each of its endpoints. */
  link(): void {
    const reference = new WeakRef(this)
    for (const owned of this.#owned.keys()) owned.commons = reference
    for (const way of this.#onLent.keys()) {
      way.loosen()
      if (way.get() === undefined) this.#onLent.delete(way)
    }
    this.sweep() // of those that the collector was quicker to find
  }

  /** Evict the participants whose objects were collected. */
  sweep(): void {
    const all = [...this.#owned]
    const left = all.find(([{ gone }]) => !gone)
    for (const [owned] of all) {
      if (!owned.gone) continue
      this.#owned.delete(owned)
      left?.[1].evict(owned.endpoint)
    }
  }

  /**
   * Have it called when there may be news. Held by the objects of this region, and by nothing else.
   */
  sleep(sleeper: Sleeper): void {
    this.#asleep.add(sleeper)
  }

  forget(sleeper: Sleeper): void {
    this.#asleep.delete(sleeper)
  }

  /** Something has happened in the region. */
  rouse(): void {
    if (this.#asleep.size === 0) return
    const asleep = [...this.#asleep]
    this.#asleep.clear()
    for (const sleeper of asleep) sleeper.wake()
  }
}

function link(): void {
  for (const commons of fresh.splice(0)) commons.link()
}
