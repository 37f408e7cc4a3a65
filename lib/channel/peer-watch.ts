// What has become of the other side. Its two role words tell: each names the role's holder, or says
// how the last holder went (SW_ROLE_GONE in layout.h). No polling is needed: a participant that
// closes, leaves, attaches or is evicted rings the holders of the other roles.

import { SabwayError } from '../base/errors.js'
import { SW_CLOSED_BY_CONSUMER, SW_CLOSED_BY_PRODUCER, SW_ROLE_GONE, sw_endpoint, sw_ring } from '../generated/abi.js'
import { endPart } from '../loop/parts.js'
import { type ChannelPlace, otherSide } from '../region/channel-place.js'
import { endpointOf, endpointWord, holderIn } from '../region/endpoint.js'
import { handleParts } from '../region/handle.js'
import { Region } from '../region/region.js'

/** The participant that a role word names as one that ended without leaving; 0 for none. */
const lostIn = (word: number): number =>
  (word & SW_ROLE_GONE) !== 0 && (word & 0x7f) !== 0 ? (word & ~SW_ROLE_GONE) >>> 0 : 0

/** One of the other side's two roles. */
interface Role {
  /** Index of the word that names its holder. */
  readonly holder: number
  /** Index of the word whose `bit` says that the role's holder closed its direction. */
  readonly closed: number
  readonly bit: number
  /** The word at `holder`, as of the last look. */
  seen: number
}

/** How many dead participants are remembered, so that each death is told once. */
const REMEMBERED = 16

export class PeerWatch {
  readonly #region: Region
  readonly #place: ChannelPlace
  readonly #roles: readonly [Role, Role]
  readonly #dead: number[] = []
  #gone = false

  constructor(region: Region, place: ChannelPlace) {
    this.#region = region
    this.#place = place
    const role = (holder: number, closed: number, bit: number): Role => ({ holder, closed, bit, seen: 0 })
    this.#roles = [
      role(place.outgoing(sw_ring.consumer), place.outgoing(sw_ring.closed), SW_CLOSED_BY_CONSUMER),
      role(place.incoming(sw_ring.producer), place.incoming(sw_ring.closed), SW_CLOSED_BY_PRODUCER),
    ]
  }

  /** The role of the participant that receives what this side sends; 0 for none. */
  get receiver(): number {
    return holderIn(Atomics.load(this.#region.words, this.#roles[0].holder))
  }

  /** Does a living participant receive what this side sends? Asks the operating system. */
  get isAlive(): boolean {
    return this.#region.hasPeer(this.#place.side) ?? this.#alive(this.receiver)
  }

  /**
   * Did the other side's last holder end without leaving, and has no other taken its place since?
   * As of the last look.
   */
  get isGone(): boolean {
    // undefined where this memory tells
    return this.#gone && this.#region.deadPeer(this.#place.side) !== 0
  }

  /** Is one of the other side's roles in this set of bits, as sw_channel_role numbers them? */
  concerns(roles: number): boolean {
    const producer = 1 << (1 - this.#place.side)
    const consumer = 1 << (2 + this.#place.side)
    return (roles & (producer | consumer)) !== 0
  }

  /** The participants that hold this side's roles. */
  #holders(): number[] {
    const region = this.#region
    const words = [this.#place.outgoing(sw_ring.producer), this.#place.incoming(sw_ring.consumer)]
    const roles = words.map((word) => holderIn(Atomics.load(region.words, word)))
    return [...new Set(roles)].filter((role) => role !== 0)
  }

  /** Take this side's roles from their holders. Errors: ERR_SABWAY_UNSUPPORTED. */
  evictHolders(): void {
    const { core, size, copied } = this.#region
    if (copied !== undefined) {
      throw new SabwayError(
        'ERR_SABWAY_UNSUPPORTED',
        `a side can be replaced in shared memory only, and this one is copied: ${copied}`,
      )
    }
    for (const role of this.#holders()) core.sw_channel_evict_role(0, size, this.#place.offset, role)
  }

  /** This side could not be taken: find out whether its holders have ended. */
  suspectHolders(): void {
    const region = this.#region
    const parts = { ...handleParts(region.handle), channel: this.#place }
    for (const role of this.#holders()) endPart.loaded?.suspect(region.words, role, () => Region.holding(parts))
  }

  /** Has the other side closed the direction in which it receives? */
  get readsNoMore(): boolean {
    return this.#hasClosed(this.#roles[0])
  }

  /** Has the other side closed the direction in which it sends? */
  get sendsNoMore(): boolean {
    return this.#hasClosed(this.#roles[1])
  }

  #hasClosed({ closed, bit }: Role): boolean {
    return (Atomics.load(this.#region.words, closed) & bit) !== 0
  }

  /**
   * Do the role words show something since the last look: a death, or a successor of a holder that
   * died?
   */
  get hasNews(): boolean {
    return this.#roles.some(({ holder, seen }) => {
      const word = Atomics.load(this.#region.words, holder)
      return word !== seen && (lostIn(word) !== 0 || (this.#gone && holderIn(word) !== 0))
    })
  }

  /** Look at the role words. True when they show a death that was not told yet. */
  look(): boolean {
    let died = false
    for (const role of this.#roles) {
      const word = Atomics.load(this.#region.words, role.holder)
      if (word === role.seen) continue
      role.seen = word
      const lost = lostIn(word)
      if (lost !== 0) died = this.noteDeath(lost) || died
      else if (this.#isHeld(word) && this.#region.copied === undefined) this.#gone = false
    }
    return died
  }

  /**
   * As `look`, and ask the operating system whether holders in other processes are alive: a killed
   * process rings nothing.
   */
  lookClosely(): boolean {
    let died = this.look()
    const lost = this.#region.deadPeer(this.#place.side)
    if (lost !== undefined) return (lost !== 0 && this.noteDeath(lost)) || died
    for (const { seen } of this.#roles) {
      const holder = holderIn(seen)
      if (holder !== 0 && !this.#isNear(holder) && !this.#alive(holder)) died = this.noteDeath(holder) || died
    }
    return died
  }

  /**
   * Remember that this participant of the other side has ended without leaving. False when that was
   * known.
   */
  noteDeath(role: number): boolean {
    if (this.#dead.includes(role)) return false
    this.#dead.push(role)
    if (this.#dead.length > REMEMBERED) this.#dead.shift()
    this.#gone = this.#region.copied !== undefined || this.#roles.every(({ seen }) => !this.#isHeld(seen))
    return true
  }

  #isHeld(word: number): boolean {
    const holder = holderIn(word)
    return holder !== 0 && !this.#dead.includes(holder)
  }

  /** This side was just taken: have the other side's holders look at it. */
  ringHolders(): void {
    const { core, size } = this.#region
    core.sw_channel_ring_holders(0, size, this.#place.offset, otherSide(this.#place.side))
  }

  /**
   * Is the participant a thread of this process? Such a one cannot end without giving its roles
   * back.
   */
  #isNear(role: number): boolean {
    const region = this.#region
    if (!region.processes) return true
    const pid = (index: number) => Atomics.load(region.words, endpointWord(index, sw_endpoint.pid))
    return pid(endpointOf(role)) === pid(region.endpoint)
  }

  #alive(role: number): boolean {
    return this.#region.core.sw_endpoint_role_alive(0, role) !== 0
  }
}
