// How the end of a JavaScript thread without the addon is noticed: as long as others may be in its
// regions it holds a Web Lock, whose name stands in its endpoints. Others ask for the same lock,
// and are given it when the holder has ended, however it did.
import * as host from '../base/host.js'
import { SW_LOCKED, SW_YIELDED, sw_endpoint } from '../generated/abi.js'
import { endpointWord, ringWatchers, type StayRegion } from './endpoint.js'

/**
 * 64 random bits. Only those that share memory with the holder, and scripts of its origin, can know
 * them.
 */
export interface LockName {
  readonly low: number
  readonly high: number
}

/** What is told of this thread's own lock. */
interface Holder {
  /** It is held from now on. */
  onHeld(): void
  /** There is none, or a script of this origin has `stolen` it: its name tells nothing any more. */
  onLost(stolen: boolean): void
}

interface OwnLock extends LockName {
  held: boolean
  readonly holders: Set<Holder>
  release(): void
}

/**
 * This thread's lock, while a region of this thread needs it: a page that holds one is not kept in
 * the back/forward cache.
 */
let ownLock: OwnLock | null = null
let refused = false

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')
const text = ({ low, high }: LockName): string => `sabway-${hex(high)}${hex(low)}`

/**
 * Hold this thread's lock until `releaseLock`. Returns its name, and whether it is held already;
 * null where there are no locks. Asking for it takes a moment: `onHeld` tells when it is over.
 */
function holdLock(holder: Holder): { name: LockName; held: boolean } | null {
  ownLock ??= request()
  if (ownLock === null) return null
  ownLock.holders.add(holder)
  return { name: ownLock, held: ownLock.held }
}

function releaseLock(holder: Holder): void {
  if (ownLock?.holders.delete(holder) && ownLock.holders.size === 0) {
    ownLock.release()
    ownLock = null
  }
}

function request(): OwnLock | null {
  const locks = host.locks()
  const random = host.randomWords()
  if (refused || locks === undefined || random === undefined) return null
  let release = () => {}
  const over = new Promise<void>((resolve) => {
    release = resolve
  })
  const made: OwnLock = { low: random[0]! | 1, high: random[1]!, held: false, holders: new Set(), release }
  const onGranted = () => {
    made.held = true
    for (const holder of made.holders) holder.onHeld()
    return over
  }
  host.root(() => locks.request(text(made), onGranted)).catch(() => onLost(made))
  return made
}

function onLost(lost: OwnLock): void {
  if (!lost.held) refused = true // an opaque origin has no locks
  if (ownLock === lost) ownLock = null
  for (const holder of lost.holders) holder.onLost(lost.held)
}

// ---- what others are told of it ----

/**
 * Holds that are to tell that their thread has yielded. One task for all: an ended one is held no
 * longer than it lasts.
 */
const yielding = new Set<Hold>()
let yields = false

function tellYielded(): void {
  yields = false
  for (const hold of yielding) hold.onYield()
  yielding.clear()
}

/** The lock, as the words of an endpoint tell of it. */
class Hold implements Holder {
  readonly #region: StayRegion
  readonly #onStolen: () => void
  #over = false

  constructor(region: StayRegion, onStolen: () => void) {
    this.#region = region
    this.#onStolen = onStolen
    const { words, endpoint } = region
    const found = holdLock(this)
    if (found === null) return
    Atomics.store(words, endpointWord(endpoint, sw_endpoint.lock_high), found.name.high)
    Atomics.store(words, endpointWord(endpoint, sw_endpoint.lock_low), found.name.low)
    if (found.held) {
      this.onHeld()
      return
    }
    // Watched from now on: it may end before it holds its lock, and with mutexes instead of a role.
    ringWatchers(words, endpoint)
    yielding.add(this)
    if (!yields) host.microtask(tellYielded)
    yields = true
  }

  onYield(): void {
    this.#addSkill(SW_YIELDED)
  }

  #addSkill(skill: number): void {
    const { words, endpoint } = this.#region
    if (!this.#over) Atomics.or(words, endpointWord(endpoint, sw_endpoint.skills), skill)
  }

  onHeld(): void {
    this.#addSkill(SW_LOCKED)
    ringWatchers(this.#region.words, this.#region.endpoint)
  }

  onLost(stolen: boolean): void {
    if (stolen) {
      this.#onStolen() // others have been told that it has ended
      return
    }
    const { words, endpoint } = this.#region
    Atomics.store(words, endpointWord(endpoint, sw_endpoint.lock_low), 0)
    Atomics.and(words, endpointWord(endpoint, sw_endpoint.skills), ~SW_LOCKED)
  }

  letGo(): void {
    this.#over = true
    yielding.delete(this)
    releaseLock(this)
  }
}

/**
 * Hold this thread's lock for its endpoint in a region, and have the endpoint tell of it. The
 * returned function lets it go; it touches nothing of the endpoint, which may have its next owner.
 */
export function hold(region: StayRegion, onStolen: () => void): () => void {
  const begun = new Hold(region, onStolen)
  return () => begun.letGo()
}

// ---- the locks of others ----

/**
 * In Node a lock is asked for again and again rather than waited for. Where requests of two threads
 * wait, the threads of Node 24 wake each other without end, and run nothing else; and a lock that a
 * thread's end has set free is given to those that wait only when something asks for another.
 */
const LOOK_MS = 100

interface Watched {
  readonly callbacks: Set<() => void>
  /** Ends the request, where one waits. */
  readonly abort: AbortController
}

const watched = new Map<string, Watched>()
let looking = false

/**
 * Call `act` once when the holder of that lock, which holds it or has asked for it, has ended or
 * let it go. The returned function takes that back.
 */
export function whenFree(name: LockName, act: () => void): () => void {
  const key = text(name)
  const entry = watched.get(key) ?? watch(key)
  entry.callbacks.add(act)
  return () => {
    if (!entry.callbacks.delete(act) || entry.callbacks.size !== 0 || watched.get(key) !== entry) return
    watched.delete(key)
    entry.abort.abort()
  }
}

function watch(key: string): Watched {
  const entry: Watched = { callbacks: new Set(), abort: new AbortController() }
  watched.set(key, entry)
  if (!host.inNode) wait(key, entry)
  else if (!looking) void look()
  return entry
}

/** Wait behind the holder. Shared: all that wait are told at once. */
function wait(key: string, entry: Watched): void {
  const { signal } = entry.abort
  const onFree = () => tell(key, entry)
  host.root(() => host.locks()!.request(key, { mode: 'shared', signal }, onFree)).catch(() => {})
}

function tell(key: string, entry: Watched): void {
  if (watched.get(key) !== entry) return
  watched.delete(key)
  for (const act of [...entry.callbacks]) act()
}

/** Ask for each lock that is watched, and again after a while. */
async function look(): Promise<void> {
  looking = watched.size !== 0
  if (!looking) return
  await Promise.allSettled(
    [...watched].map(async ([key, entry]) => {
      if (await isAvailable(key)) tell(key, entry)
    }),
  )
  host.after(LOOK_MS, look).unref()
}

/** Is that lock free now? */
export const isFree = (name: LockName): Promise<boolean> => isAvailable(text(name))

async function isAvailable(key: string): Promise<boolean> {
  const options = { mode: 'shared', ifAvailable: true } as const
  try {
    return (await host.root(() => host.locks()!.request(key, options, (lock) => lock !== null))) === true
  } catch {
    return false
  }
}

/**
 * Does the host know of that lock: is it held, or has it been asked for? Node knows at once, but
 * tells only of this thread's.
 */
export async function isKnown(name: LockName): Promise<boolean> {
  if (host.inNode) return true
  try {
    const { held = [], pending = [] } = await host.locks()!.query()
    return [...held, ...pending].some((lock) => lock.name === text(name))
  } catch {
    return true
  }
}
