// A seeded script of calls to the core on one region, and what each of them answered. Which
// core executes a call, the native or the WebAssembly one, is decided by `hostFor`.
import { abi } from '../js/support/abi.js'
import { type Call, Calls, type Transcript } from './calls.js'
import { type Arena, ENDPOINTS, type Endpoint, type Host, type HostName, instanceOf } from './hosts.js'

export type HostFor = (call: Call) => HostName

const SLEEPS = [1, 2, 3, 5, 6, 7] // SW_SLEEP_QUIET is 4
const OPERATIONS_PER_ROUND = 260
const BATCH = 24

/** One round: a region of random capacities, formatted anew, both of its rings in use. */
export class Script extends Calls {
  readonly #capacities: [number, number]
  readonly #size: bigint

  constructor(
    private readonly arena: Arena,
    seed: number,
    private readonly hostFor: HostFor,
    private readonly identity: { pid: number; startLow: number; startHigh: number },
  ) {
    super(seed, arena)
    this.#capacities = [this.#capacity(), this.#capacity()]
    this.#size = BigInt(arena.bytes.length)
  }

  run(): Transcript {
    this.#open()
    for (let i = 0; i < OPERATIONS_PER_ROUND; i++) {
      this.#step()
      if (i % 65 === 64) this.checkpoint()
    }
    for (const endpoint of ENDPOINTS) this.#finish(endpoint)
    this.checkpoint()
    return this.transcript
  }

  // ---- chance ----

  #capacity(): number {
    return abi.SW_RING_MIN << this.below(4)
  }

  /** Mostly small, some of every size, now and then the whole ring and a byte more. */
  #length(capacity: number): number {
    const kind = this.below(20)
    if (kind < 10) return this.below(80)
    if (kind < 17) return this.below(capacity / 3)
    if (kind < 19) return this.below(capacity)
    return capacity - 8 + this.below(10)
  }

  protected hostOf(call: Call): Host {
    return this.arena.host(this.hostFor(call), call.endpoint as Endpoint)
  }

  #open(): void {
    const { arena } = this
    arena.bytes.fill(0)
    const [first, second] = this.#capacities
    this.call(0, 'sw_region_bytes', first, second)
    if (this.below(2) === 0) {
      this.call(0, 'sw_region_format', 0, arena.pages, first, second)
    } else {
      this.call(0, 'sw_region_format_empty', 0, arena.pages, 0)
      this.call(0, 'sw_channel_format', 0, abi.SW_HEAP_AT, first, second)
    }
    this.#startHigh()
    for (const endpoint of ENDPOINTS) {
      const { pid, startLow, startHigh } = this.identity
      this.call(endpoint, 'sw_region_verify', 0, arena.pages)
      this.call(endpoint, 'sw_region_channel', 0, this.#size)
      this.call(endpoint, 'sw_endpoint_claim', 0, pid, startLow, startHigh)
      this.#openProducer(endpoint)
      this.#openConsumer(endpoint)
    }
  }

  /** Half of the time the counters begin where they soon pass 2^32. */
  #startHigh(): void {
    for (const side of ENDPOINTS) {
      const at = (abi.SW_HEAP_AT + abi.sw_channel.rings + side * abi.sw_ring.sizeof) >>> 2
      const position = this.below(2) === 0 ? 0 : -8 * (1 + this.below(2000))
      this.arena.words[at + (abi.sw_ring.head >>> 2)] = position
      this.arena.words[at + (abi.sw_ring.tail >>> 2)] = position
    }
  }

  #openProducer(endpoint: Endpoint): void {
    const { producer } = instanceOf(endpoint)
    this.call(endpoint, 'sw_channel_open_producer', producer, 0, this.#size, abi.SW_HEAP_AT, 0, endpoint, endpoint)
  }

  #openConsumer(endpoint: Endpoint): void {
    const { consumer } = instanceOf(endpoint)
    this.call(endpoint, 'sw_channel_open_consumer', consumer, 0, this.#size, abi.SW_HEAP_AT, 0, endpoint, endpoint)
  }

  #step(): void {
    const endpoint = ENDPOINTS[this.below(2)]!
    const kind = this.below(100)
    if (kind < 30) this.#reserve(endpoint)
    else if (kind < 38) this.#appendBatch(endpoint)
    else if (kind < 46) this.call(endpoint, 'sw_producer_publish', instanceOf(endpoint).producer)
    else if (kind < 66) this.#peek(endpoint)
    else if (kind < 74) this.call(endpoint, 'sw_consumer_release', instanceOf(endpoint).consumer)
    else if (kind < 78) this.call(endpoint, 'sw_consumer_release_first', instanceOf(endpoint).consumer, this.below(4))
    else if (kind < 86) this.#sleep(endpoint)
    else if (kind < 93) this.#ask(endpoint)
    else if (kind < 96) this.#hand(endpoint)
    else if (kind < 98) this.#misuse(endpoint)
    else if (kind < 99) this.call(endpoint, 'sw_channel_check', 0, this.#size, abi.SW_HEAP_AT)
    else if (this.below(4) === 0) this.#close(endpoint)
  }

  // ---- operations ----

  #fill(at: number, length: number): void {
    const salt = this.below(256)
    for (let i = 0; i < length; i++) this.arena.bytes[at + i] = (salt + i * 7) & 0xff
    this.transcript.messages++
  }

  #reserve(endpoint: Endpoint): void {
    const { producer } = instanceOf(endpoint)
    const length = this.#length(this.#capacities[endpoint])
    const at = Number(this.call(endpoint, 'sw_producer_reserve', producer, length, this.below(9) & 7)) >>> 0
    if (at === 0) {
      this.#status(producer + abi.sw_producer.status)
      return
    }
    const kind = this.below(60)
    if (kind < 3) this.call(endpoint, 'sw_producer_abandon', producer)
    if (kind <= 3) return // left open: what comes next finds it so
    const shorter = this.below(4) === 0 ? this.below(length + 1) : length
    this.#fill(at, shorter)
    this.call(endpoint, kind < 25 ? 'sw_producer_commit' : 'sw_producer_push', producer, shorter)
    if (kind >= 40) this.#append(endpoint)
  }

  /** Behind a push there may be room on offer; now and then ask for more than that. */
  #append(endpoint: Endpoint): void {
    const { producer } = instanceOf(endpoint)
    const room = this.#word((producer + abi.sw_producer.room) >>> 2)
    const length = this.below(10) === 0 ? room + 1 : this.below(Math.min(room, 300) + 1)
    if (length <= room) this.#fill(this.#word((producer + abi.sw_producer.next) >>> 2), length)
    this.call(endpoint, 'sw_producer_append', producer, length, this.below(2))
  }

  #status(at: number): void {
    this.note(`status ${this.arena.words[at >>> 2]}`)
  }

  /** Payloads anywhere in the room on offer; now and then a slice that cannot be right. */
  #appendBatch(endpoint: Endpoint): void {
    const { producer, outgoing } = instanceOf(endpoint)
    const count = this.below(BATCH)
    const word = outgoing >>> 2
    const room = this.#word((producer + abi.sw_producer.room) >>> 2)
    if (room !== 0) this.#fill(this.#word((producer + abi.sw_producer.next) >>> 2), Math.min(room, 2000))
    for (let i = 0; i < count; i++) {
      this.arena.words[word + 2 * i] = this.below(40) === 0 ? 8 : this.below(8)
      this.arena.words[word + 2 * i + 1] = this.#length(this.#capacities[endpoint]) >>> this.below(6)
    }
    this.call(endpoint, 'sw_producer_append_batch', producer, outgoing, count, this.below(3) === 0 ? 0 : 1)
    this.#status(producer + abi.sw_producer.status)
  }

  #word(index: number): number {
    return this.arena.words[index]! >>> 0
  }

  #peek(endpoint: Endpoint): void {
    const { consumer, incoming } = instanceOf(endpoint)
    const got = Number(this.call(endpoint, 'sw_consumer_peek_batch', consumer, incoming, 1 + this.below(BATCH)))
    for (let i = 0; i < got; i++) {
      const [at, length] = [this.#word((incoming >>> 2) + 2 * i), this.#word((incoming >>> 2) + 2 * i + 1)]
      let sum = 0
      for (let k = at; k < at + length; k++) sum = (Math.imul(sum, 31) + this.arena.bytes[k]!) | 0
      this.note(`message ${at} ${length} ${sum}`)
    }
    if (this.below(2) === 0) this.call(endpoint, 'sw_consumer_release', consumer)
  }

  #sleep(endpoint: Endpoint): void {
    const kind = this.below(5)
    if (kind < 2) this.call(endpoint, 'sw_endpoint_arm', 0, endpoint, SLEEPS[this.below(SLEEPS.length)]!)
    else if (kind === 2) this.call(endpoint, 'sw_endpoint_disarm', 0, endpoint)
    else this.#wantSpace(endpoint)
  }

  #wantSpace(endpoint: Endpoint): void {
    const { producer } = instanceOf(endpoint)
    this.call(endpoint, 'sw_producer_want_space', producer, this.#length(this.#capacities[endpoint]))
  }

  /** Questions, which change nothing but what a handle has seen. */
  #ask(endpoint: Endpoint): void {
    const { producer, consumer } = instanceOf(endpoint)
    const questions: [string, ...number[]][] = [
      ['sw_producer_used', producer],
      ['sw_consumer_ready', consumer],
      ['sw_consumer_used', consumer],
      ['sw_endpoint_role_alive', 0, this.arena.words[(producer + 48) >>> 2]! >>> 0],
      [
        'sw_endpoint_ring',
        0,
        this.below(2) === 0 ? this.arena.words[(producer + 48) >>> 2]! >>> 0 : this.below(1 << 30),
      ],
      ['sw_layout_hash'],
      ['sw_endpoint_set_skills', 0, endpoint, this.below(16)],
      ['sw_relay_serve', 0],
      ['sw_endpoint_wake_path', 0, endpoint, this.arena.words[(producer + 48) >>> 2]! >>> 0, this.below(4)],
      ['sw_wait_next_window', this.below(1 << 20), this.below(1 << 20), this.below(1 << 20)],
      ['sw_wait_skip_yields', this.below(1 << 13), this.below(1 << 18)],
      ['sw_wait_limit_ms', this.below(8), this.below(20)],
    ]
    const [name, ...args] = questions[this.below(questions.length)]!
    this.call(endpoint, name, ...args)
  }

  /** The role goes to another participant, or to the same one again. */
  #hand(endpoint: Endpoint): void {
    const { producer, consumer } = instanceOf(endpoint)
    const role = this.arena.words[(producer + 48) >>> 2]! >>> 0
    const kind = this.below(5)
    if (kind === 0 || kind === 4) this.call(endpoint, 'sw_channel_evict_role', 0, this.#size, abi.SW_HEAP_AT, role)
    if (kind !== 1) this.call(endpoint, 'sw_producer_leave', producer)
    if (kind !== 2) this.call(endpoint, 'sw_consumer_leave', consumer)
    if (kind === 3) {
      const { pid, startLow, startHigh } = this.identity
      this.call(endpoint, 'sw_endpoint_release_role', 0, role)
      this.call(endpoint, 'sw_endpoint_claim', 0, pid, startLow, startHigh)
    }
    this.#openProducer(endpoint) // SIDE_TAKEN where it never left
    this.#openConsumer(endpoint)
  }

  #misuse(endpoint: Endpoint): void {
    const { producer } = instanceOf(endpoint)
    const kind = this.below(4)
    if (kind === 0) this.call(endpoint, 'sw_producer_commit', producer, this.below(1 << 20))
    else if (kind === 1) this.call(endpoint, 'sw_producer_abandon', producer)
    else if (kind === 2) {
      this.call(endpoint, 'sw_region_format', 0, 1, 1, 1)
      this.call(endpoint, 'sw_region_format_empty', 0, 1, 0)
    } else this.call(endpoint, 'sw_channel_check', 0, this.#size, abi.SW_HEAP_AT + 4)
  }

  #close(endpoint: Endpoint): void {
    const { producer, consumer } = instanceOf(endpoint)
    if (this.below(2) === 0) this.call(endpoint, 'sw_producer_close', producer)
    else this.call(endpoint, 'sw_consumer_close', consumer)
  }

  /** Drain, close, leave. */
  #finish(endpoint: Endpoint): void {
    const { producer, consumer, incoming } = instanceOf(endpoint)
    const role = this.arena.words[(producer + 48) >>> 2]! >>> 0
    this.call(endpoint, 'sw_producer_close', producer)
    for (let more = true; more; ) {
      more = Number(this.call(endpoint, 'sw_consumer_peek_batch', consumer, incoming, BATCH)) > 0
      this.call(endpoint, 'sw_consumer_release', consumer)
    }
    this.call(endpoint, 'sw_channel_check', 0, this.#size, abi.SW_HEAP_AT)
    this.call(endpoint, 'sw_consumer_close', consumer)
    this.call(endpoint, 'sw_producer_leave', producer)
    this.call(endpoint, 'sw_consumer_leave', consumer)
    this.call(endpoint, 'sw_endpoint_release_role', 0, role)
  }
}
