// Is the other side still there? Asked only while somebody listens for 'close' or 'peer-died', and then without polling: who
// closes or is evicted rings those that hold a role, and who attaches does so too.
import {
  SW_CLOSED_BY_CONSUMER,
  SW_CLOSED_BY_PRODUCER,
  SW_HEAP_AT,
  SW_NATIVE,
  SW_RENDERER,
  sw_channel,
  sw_endpoint,
  sw_ring,
} from './generated/abi.js'
import { endpointWord, type Region } from './region.js'

/** Index, in an Int32Array over the region, of a word of the ring that this side produces. */
function ringWord(producingSide: number, field: number): number {
  return (SW_HEAP_AT + sw_channel.rings + producingSide * sw_ring.sizeof + field) >>> 2
}

/** Where one of the peer's two roles shows: the word that names its holder, and how an orderly end of it looks. */
interface Role {
  holder: number
  closed: number
  bit: number
}

export class PeerWatch {
  readonly #roles: readonly [Role, Role]
  /** Roles that were seen alive and have not been seen to end. */
  readonly #known = new Set<number>()

  constructor(
    private readonly region: Region,
    private readonly side: number,
  ) {
    const other = SW_RENDERER + SW_NATIVE - side
    const role = (ring: number, holder: number, bit: number): Role => ({
      holder: ringWord(ring, holder),
      closed: ringWord(ring, sw_ring.closed),
      bit,
    })
    this.#roles = [
      role(side, sw_ring.consumer, SW_CLOSED_BY_CONSUMER),
      role(other, sw_ring.producer, SW_CLOSED_BY_PRODUCER),
    ]
  }

  /** The role word of whoever receives what this side sends; who sends there is the same participant, or not there yet. */
  get receiver(): number {
    return Atomics.load(this.region.words, this.#roles[0].holder)
  }

  /** Is that one alive? */
  get there(): boolean {
    return this.region.hasPeer(this.side) ?? this.#alive(this.receiver)
  }

  /** Is one of the other side's roles in this set, as sw_channel_role counts them? */
  isMeant(roles: number): boolean {
    const producer = 1 << (1 - this.side)
    const consumer = 1 << (2 + this.side)
    return (roles & (producer | consumer)) !== 0
  }

  /** Has the other side said that it reads no more? */
  get readsNoMore(): boolean {
    return this.#said(this.#roles[0])
  }

  /** And that it sends no more? */
  get sendsNoMore(): boolean {
    return this.#said(this.#roles[1])
  }

  #said({ closed, bit }: Role): boolean {
    return (Atomics.load(this.region.words, closed) & bit) !== 0
  }

  /** Take note of who is there now. True when somebody who was there has gone without closing, since the last call. */
  look(): boolean {
    const { words } = this.region
    const holders = this.#roles.map(({ holder }) => Atomics.load(words, holder))
    const dead = new Set<number>()
    for (const role of this.#known) {
      const gone = this.#roles.filter((_, i) => holders[i] !== role)
      if (gone.length !== 2 && this.#alive(role)) continue
      this.#known.delete(role)
      // Whoever closes says so before it lets go of the role.
      if (!gone.some((each) => this.#said(each))) dead.add(role)
    }
    for (const role of holders) if (!dead.has(role) && this.#alive(role) && this.#isNear(role)) this.#known.add(role)
    return dead.size !== 0
  }

  /** Have whoever holds the other side look: this side has just come. */
  greet(): void {
    const { words, core } = this.region
    for (const { holder } of this.#roles) core.sw_endpoint_ring(0, Atomics.load(words, holder))
  }

  /** Whoever is there now is about to leave in order. */
  forget(): void {
    this.#known.clear()
  }

  /** Of this process? The deaths of others are the listener thread's to tell. */
  #isNear(role: number): boolean {
    const { region } = this
    if (!region.processes) return true
    const pid = (index: number) => Atomics.load(region.words, endpointWord(index, sw_endpoint.pid))
    return pid((role & 0xff) - 1) === pid(region.endpoint)
  }

  #alive(role: number): boolean {
    return role !== 0 && this.region.core.sw_endpoint_role_alive(0, role) !== 0
  }
}
