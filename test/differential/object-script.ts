// A seeded script of calls to the heap and to everything in it, by participants that join, leave
// and die. Which core executes a call is decided by `hostFor`.
import { generated } from '../js/support/generated.js'
import { type Call, Calls, type Transcript } from './calls.js'
import { type Host, instanceOf, type ObjectArena, type ObjectHostName } from './hosts.js'

export type ObjectHostFor = (call: Call) => ObjectHostName

type Struct = Record<string, number>
const abi = generated as Record<`SW_${string}`, number> & Record<`sw_${string}`, Struct>
const at = (struct: `sw_${string}`, field: string): number => abi[struct]![field]!

/** Endpoints that may be claimed: more than three are needed while the dead still have theirs. */
export const PARTICIPANTS = [0, 1, 2, 3, 4, 5, 6, 7] as const
const JOINED_MOST = 3
const OBJECTS_MOST = 9
const BLOCKS_MOST = 40
const MAP_HANDLES = 4
const KEYS = 24
/** Above the highest that Linux gives: such a process is not there. */
const DEAD_PID = 0x3fffffff
const OWNER_DIED = (generated as { OBJECT_ERRORS: Record<string, { number: number }> }).OBJECT_ERRORS
  .ERR_SABWAY_OWNER_DIED!.number
const COMPONENTS = [0x00, 0x11, 0x12, 0x20, 0x22, 0x31, 0x32]
const MAP_FLAGS = [0, 0, 1, 2, 3, 4, 8, 12]

interface Made {
  at: number
  generation: number
}

/** What the objects of one type have in common. */
interface Type {
  type: number
  name: string
  make(endpoint: number): number
  use(endpoint: number, object: Made): void
  objects: Made[]
}

export class ObjectScript extends Calls {
  readonly #size: bigint
  readonly #words: Int32Array
  readonly #doubles: Float64Array
  readonly #bytes: Uint8Array
  #joined: number[] = []
  #blocks: number[] = []
  #mutexes: number[] = []
  #channels: Made[] = []
  #nodes: [number, number][] = []
  #clock = 1000
  /** Of pools: index, life, and the holder. */
  #items: [number, number, number][] = []
  readonly #types: Type[]
  /** Locks and signals, one of each type. */
  readonly #syncs = new Map<number, Made>()

  constructor(
    private readonly arena: ObjectArena,
    seed: number,
    private readonly hostFor: ObjectHostFor,
    private readonly identity: { pid: number; startLow: number; startHigh: number },
    private readonly operations: number,
    private readonly checkpoints: number,
  ) {
    super(seed, arena)
    this.#size = BigInt(arena.bytes.length)
    this.#words = arena.words
    this.#bytes = arena.bytes
    this.#doubles = new Float64Array(arena.bytes.buffer)
    const containers: [string, number, Type['make'], Type['use']][] = [
      ['string', abi.SW_TYPE_STRING!, (e) => this.#made(e, 'sw_string_new'), (e, o) => this.#string(e, o)],
      ['vector', abi.SW_TYPE_VECTOR!, (e) => this.#makeVector(e), (e, o) => this.#vector(e, o)],
      ['list', abi.SW_TYPE_LIST!, (e) => this.#makeList(e), (e, o) => this.#list(e, o)],
      ['map', abi.SW_TYPE_MAP!, (e) => this.#makeMap(e), (e, o) => this.#openMap(e, o)],
      ['record', abi.SW_TYPE_RECORD!, (e) => this.#makeRecord(e, 1), (e, o) => this.#record(e, o, abi.SW_TYPE_RECORD!)],
      [
        'record',
        abi.SW_TYPE_RECORDS!,
        (e) => this.#makeRecord(e, 2 + this.below(20)),
        (e, o) => this.#record(e, o, abi.SW_TYPE_RECORDS!),
      ],
      ['pool', abi.SW_TYPE_POOL!, (e) => this.#makePool(e), (e, o) => this.#pool(e, o)],
      ['queue', abi.SW_TYPE_QUEUE!, (e) => this.#makeQueue(e), (e, o) => this.#queue(e, o)],
      ['broadcast', abi.SW_TYPE_BROADCAST!, (e) => this.#makeBroadcast(e), (e, o) => this.#broadcast(e, o)],
    ]
    this.#types = containers.map(([name, type, make, use]) => ({ name, type, make, use, objects: [] }))
  }

  run(): Transcript {
    this.#open()
    for (let i = 1; i <= this.operations; i++) {
      this.#step(this.any(this.#joined))
      if (i % Math.ceil(this.operations / this.checkpoints) === 0) this.checkpoint()
    }
    this.#checkAll(this.#joined[0]!)
    while (this.#joined.length > 0) this.#leave(this.#joined[0]!)
    this.checkpoint()
    return this.transcript
  }

  protected hostOf(call: Call): Host {
    return this.arena.host(this.hostFor(call), call.endpoint)
  }

  #open(): void {
    this.arena.bytes.fill(0)
    this.call(0, 'sw_heap_format', 0, abi.SW_HEAP_AT!, this.#size)
    this.call(0, 'sw_region_format_empty', 0, this.arena.pages, abi.SW_HEAP_AT!)
    while (this.#joined.length < JOINED_MOST) this.#join()
  }

  #step(endpoint: number): void {
    const kind = this.below(100)
    if (kind < 22) this.#heap(endpoint)
    else if (kind < 30) this.#mutex(endpoint)
    else if (kind < 38) this.#name(endpoint)
    else if (kind < 48) this.#channel(endpoint)
    else if (kind < 51) this.#ready(endpoint)
    else if (kind < 58) this.#sync(endpoint)
    else if (kind < 66) this.#map(endpoint)
    else if (kind < 97) this.#container(endpoint)
    else if (kind < 98) this.#leave(endpoint)
    else if (kind < 99) this.#die(endpoint)
    else this.#checkAll(endpoint)
    if (this.#joined.length === 0 || (this.#joined.length < JOINED_MOST && this.below(8) === 0)) this.#join()
  }

  // ---- memory ----

  #word(offset: number): number {
    return this.#words[offset >>> 2]! >>> 0
  }

  #set(offset: number, ...words: number[]): void {
    words.forEach((word, i) => {
      this.#words[(offset >>> 2) + i] = word
    })
  }

  #fill(offset: number, length: number): void {
    const salt = this.below(256)
    for (let i = 0; i < length; i++) this.#bytes[offset + i] = (salt + i * 7) & 0xff
  }

  /** What a call has written, so that a difference is seen behind that call. */
  #saw(offset: number, length: number): void {
    let sum = 0
    for (let i = offset; i < offset + length; i++) sum = (Math.imul(sum, 31) + this.#bytes[i]!) | 0
    this.note(`  ${length} bytes ${sum}`)
  }

  /** A participant's handles, what it gives (`from`, `more`), and what it gets (`to`). */
  #of(endpoint: number) {
    const { at: instance, producer, consumer, outgoing, incoming } = instanceOf(endpoint)
    const scratch = instance + at('sw_instance', 'scratch')
    const heap = instance + at('sw_instance', 'heap')
    const map = (i: number) => incoming + 2048 + i * at('sw_map_handle', 'sizeof')
    const queue = map(MAP_HANDLES)
    const offer = (i: number) => queue + at('sw_queue_handle', 'sizeof') + i * at('sw_offer', 'sizeof')
    return { heap, producer, consumer, incoming, map, queue, offer, from: scratch, more: scratch + 256, to: outgoing }
  }

  /** Of a call that returns an offset, or 0 with the heap's status. */
  #made(endpoint: number, name: string, ...args: (number | bigint)[]): number {
    const { heap } = this.#of(endpoint)
    const made = Number(this.call(endpoint, name, heap, ...args)) >>> 0
    if (made === 0) this.note(`  status ${this.#words[(heap + at('sw_heap', 'status')) >>> 2]}`)
    return made
  }

  // ---- participants ----

  #join(): void {
    const { pid, startLow, startHigh } = this.identity
    const index = Number(this.call(0, 'sw_endpoint_claim', 0, pid, startLow, startHigh))
    if (!PARTICIPANTS.includes(index as 0)) throw new Error(`endpoint ${index}`)
    const { heap, map } = this.#of(index)
    this.call(index, 'sw_region_evict', 0, this.#size, index)
    this.call(index, 'sw_heap_open', heap, 0, this.#size, abi.SW_HEAP_AT!, index)
    this.#words[(heap + at('sw_heap', 'ordered')) >>> 2] = index & 1 // both kinds
    for (let i = 0; i < MAP_HANDLES; i++) this.#bytes.fill(0, map(i), map(i + 1))
    this.#joined.push(index)
  }

  #role(endpoint: number): number {
    return this.#word(this.#of(endpoint).heap + 8)
  }

  #forget(endpoint: number): void {
    this.#joined = this.#joined.filter((each) => each !== endpoint)
  }

  #leave(endpoint: number): void {
    const { heap, map } = this.#of(endpoint)
    for (let i = 0; i < MAP_HANDLES; i++) this.#closeMap(endpoint, map(i))
    this.call(endpoint, 'sw_heap_close', heap)
    this.call(endpoint, 'sw_region_evict', 0, this.#size, endpoint)
    this.call(endpoint, 'sw_endpoint_release_role', 0, this.#role(endpoint))
    this.#forget(endpoint)
  }

  /** Its process is gone; most of the time another participant notices. */
  #die(endpoint: number): void {
    const role = this.#role(endpoint)
    const words = at('sw_region_header', 'sizeof') + endpoint * at('sw_endpoint', 'sizeof')
    this.#set(words + at('sw_endpoint', 'pid'), DEAD_PID)
    this.#forget(endpoint)
    if (this.#joined.length === 0) return
    const witness = this.any(this.#joined)
    const noticed = this.below(4)
    this.call(witness, 'sw_endpoint_role_alive', 0, role)
    if (noticed > 0) this.call(witness, 'sw_region_evict_role', 0, this.#size, role)
    if (noticed > 1) this.call(witness, 'sw_endpoint_release_role', 0, role)
  }

  #checkAll(endpoint: number): void {
    const { heap } = this.#of(endpoint)
    this.call(endpoint, 'sw_heap_check', heap)
    this.call(endpoint, 'sw_heap_lock_at', heap)
    this.call(endpoint, 'sw_directory_check', heap)
    this.call(endpoint, 'sw_channel_reclaim', heap)
    for (const { name, objects } of this.#types) {
      for (const { at: object, generation } of objects) {
        if (name === 'map') {
          this.#mapBlocks(endpoint, object)
          continue
        }
        if (name === 'queue') {
          const { queue } = this.#of(endpoint)
          const opened = this.call(endpoint, 'sw_queue_open', queue, heap, object, generation)
          if (opened === 0) this.call(endpoint, 'sw_queue_check', queue, heap)
          continue
        }
        const more = name === 'record' ? [] : [generation]
        this.call(endpoint, `sw_${name}_check`, heap, object, ...more)
      }
    }
  }

  // ---- heap ----

  #bytesWanted(): number {
    const kind = this.below(20)
    if (kind < 12) return 1 + this.below(200)
    if (kind < 18) return 1 + this.below(9000)
    return kind < 19 ? this.below(100_000) : 0
  }

  #heap(endpoint: number): void {
    const { heap, to, from } = this.#of(endpoint)
    const kind = this.below(20)
    const block = this.#blocks.length === 0 ? 4096 : this.any(this.#blocks)
    if (kind < 8 && this.#blocks.length < BLOCKS_MOST) {
      const bytes = this.#bytesWanted()
      const made =
        kind < 6
          ? this.#made(endpoint, 'sw_heap_alloc', bytes)
          : this.#made(endpoint, 'sw_heap_alloc_aligned', bytes, this.below(9) === 0 ? 3 : 1 << this.below(14))
      if (made === 0) return
      this.#fill(made, bytes)
      this.#blocks.push(made)
    } else if (kind < 14) {
      this.#blocks = this.#blocks.filter((each) => each !== block)
      this.call(endpoint, 'sw_heap_free', heap, block)
      if (this.below(6) === 0) this.call(endpoint, 'sw_heap_free', heap, block) // twice
    } else if (kind < 16) {
      const bytes = this.#bytesWanted()
      const made = this.#made(endpoint, 'sw_heap_realloc', block, bytes)
      if (made === 0) return
      this.#blocks = this.#blocks.filter((each) => each !== block)
      this.#blocks.push(made)
    } else if (kind < 17) this.#made(endpoint, 'sw_heap_usable', block + 8 * this.below(2))
    else if (kind < 18) this.call(endpoint, 'sw_heap_free', heap, this.below(2) === 0 ? block + 8 : this.below(1 << 24))
    else if (kind < 19) {
      this.call(endpoint, 'sw_heap_stats_of', heap, to)
      this.#saw(to, at('sw_heap_stats', 'sizeof'))
    } else {
      this.#set(from, 0, 0)
      for (let i = 0; i < 5 && this.call(endpoint, 'sw_heap_walk', heap, from, to) === 1; i++) this.#saw(to, 12)
    }
  }

  // ---- mutexes ----

  #mutex(endpoint: number): void {
    const { heap } = this.#of(endpoint)
    if (this.#mutexes.length < 2 || this.below(30) === 0) {
      const made = this.#made(endpoint, 'sw_mutex_new')
      if (made !== 0) this.#mutexes.push(made)
      return
    }
    const mutex = this.any(this.#mutexes)
    const kind = this.below(20)
    if (kind < 6) this.call(endpoint, 'sw_mutex_try_lock', 0, mutex, endpoint)
    else if (kind < 13) {
      const holder = this.below(5) > 0 ? this.#holder(endpoint, mutex) : endpoint
      if (this.below(3) > 0) this.call(holder, 'sw_mutex_consistent', 0, mutex, holder)
      this.call(holder, 'sw_mutex_unlock', 0, mutex, holder)
    } else if (kind < 15) {
      this.call(endpoint, 'sw_mutex_begin_wait', 0, mutex, endpoint)
      if (this.below(2) === 0) this.call(endpoint, 'sw_mutex_request_handoff', 0, mutex, endpoint)
      this.call(endpoint, 'sw_endpoint_arm', 0, endpoint, 1 + this.below(3))
      this.call(endpoint, 'sw_mutex_try_lock', 0, mutex, endpoint)
    } else if (kind < 17) {
      this.call(endpoint, 'sw_endpoint_disarm', 0, endpoint)
      this.call(endpoint, 'sw_mutex_end_wait', 0, mutex, endpoint)
    } else if (kind < 18) {
      this.call(endpoint, 'sw_mutex_holder', mutex)
      this.call(endpoint, 'sw_mutex_check', mutex)
    } else if (kind < 19) this.call(endpoint, 'sw_mutex_evict', 0, mutex, this.#role(this.any(PARTICIPANTS)))
    else {
      this.call(endpoint, 'sw_mutex_free', heap, mutex)
      if (this.below(3) === 0) this.call(endpoint, 'sw_mutex_free', heap, mutex)
      this.#mutexes = this.#mutexes.filter((each) => each !== mutex)
    }
  }

  /** The endpoint that holds it, or `endpoint`. */
  #holder(endpoint: number, mutex: number): number {
    const role = this.#word(mutex)
    return this.#joined.find((each) => ((role ^ this.#role(each)) & ~abi.SW_MUTEX_INHERITED!) === 0) ?? endpoint
  }

  // ---- names ----

  #name(endpoint: number): void {
    const { heap, from, more, to } = this.#of(endpoint)
    const which = this.below(30)
    const length = this.below(20) === 0 ? 256 : which * 8
    this.#bytes.fill(97 + which, from, from + Math.min(length, 250))
    const kind = this.below(10)
    if (kind < 4) {
      const status = this.call(endpoint, 'sw_directory_find', heap, from, length, to)
      if (status === 1) this.#saw(to, 12)
    } else if (kind < 8) {
      const objects = this.#types.flatMap((type) => type.objects)
      const things: [number, number, number][] = [
        ...this.#blocks.map((each) => [abi.SW_KIND_MEMORY!, each, 0] as [number, number, number]),
        ...this.#mutexes.map((each) => [abi.SW_KIND_MUTEX!, each, 0] as [number, number, number]),
        ...this.#channels.map((each) => [abi.SW_KIND_CHANNEL!, each.at, each.generation] as [number, number, number]),
        ...objects.map((each) => [abi.SW_KIND_OBJECT!, each.at, each.generation] as [number, number, number]),
      ]
      if (things.length === 0) return
      this.#set(more, ...this.any(things))
      if (this.call(endpoint, 'sw_directory_add', heap, from, length, more, to) === 0) this.#saw(to, 12)
    } else if (kind < 9) {
      this.call(endpoint, 'sw_directory_remove', heap, from, length, 0)
    } else {
      this.#set(more, 0)
      for (let i = 0; i < 4; i++) {
        if (this.call(endpoint, 'sw_directory_next', heap, more, to, to + 16, more + 4) !== 1) break
        this.#saw(to, 12)
        this.#saw(to + 16, this.#word(more + 4))
      }
    }
  }

  // ---- channels ----

  #channel(endpoint: number): void {
    const { heap, producer, consumer, incoming } = this.#of(endpoint)
    if (this.#channels.length === 0 || (this.#channels.length < 4 && this.below(8) === 0)) {
      const made = this.#made(endpoint, 'sw_channel_new', abi.SW_RING_MIN! << this.below(3), abi.SW_RING_MIN!)
      if (made === 0) return
      const generation = Number(this.call(endpoint, 'sw_channel_generation', 0, this.#size, made)) >>> 0
      this.#channels.push({ at: made, generation })
      return
    }
    const channel = this.any(this.#channels)
    const side = this.below(2)
    const kind = this.below(20)
    if (kind < 4) {
      for (const [what, handle] of [
        ['producer', producer],
        ['consumer', consumer],
      ] as const)
        this.call(
          endpoint,
          `sw_channel_open_${what}`,
          handle,
          0,
          this.#size,
          channel.at,
          channel.generation,
          side,
          endpoint,
        )
    } else if (!this.#isOpen(producer) || !this.#isOpen(consumer)) {
      this.call(endpoint, 'sw_channel_ring_holders', 0, this.#size, channel.at, side)
    } else if (kind < 10) this.#send(endpoint)
    else if (kind < 14) {
      const got = Number(this.call(endpoint, 'sw_consumer_peek_batch', consumer, incoming, 16))
      for (let i = 0; i < got; i++) this.#saw(this.#word(incoming + 8 * i), this.#word(incoming + 8 * i + 4))
      this.call(endpoint, 'sw_consumer_release', consumer)
    } else if (kind < 15) {
      this.call(endpoint, 'sw_consumer_set_slot', consumer, this.below(4096))
      this.call(endpoint, 'sw_producer_set_slot', producer, this.below(4096))
    } else if (kind < 17) {
      this.call(endpoint, 'sw_producer_close', producer)
      this.call(endpoint, 'sw_consumer_close', consumer)
    } else if (kind < 19) {
      this.call(endpoint, 'sw_producer_leave', producer)
      this.call(endpoint, 'sw_consumer_leave', consumer)
    }
    if (kind < 17) return
    const freed = this.call(endpoint, 'sw_channel_free', heap, channel.at, channel.generation, 0)
    if (freed === 1) this.#channels = this.#channels.filter((each) => each !== channel)
  }

  /** Does the handle lead to a ring? */
  #isOpen(handle: number): boolean {
    return this.#word(handle + 4) !== 0
  }

  #send(endpoint: number): void {
    const { producer } = this.#of(endpoint)
    const length = this.below(600)
    const place = Number(this.call(endpoint, 'sw_producer_reserve', producer, length, 0)) >>> 0
    if (place === 0) return
    this.#fill(place, length)
    this.call(endpoint, 'sw_producer_push', producer, length)
    this.transcript.messages++
  }

  #ready(endpoint: number): void {
    const { to } = this.#of(endpoint)
    const other = this.any(this.#joined)
    for (let i = this.below(4); i > 0; i--) {
      const slot = this.below(4) === 0 ? this.below(2 ** 32) : this.below(200)
      this.call(endpoint, 'sw_ready_mark', 0, other, slot)
    }
    this.call(endpoint, 'sw_ready_some', 0, endpoint)
    if (this.below(2) === 0) return
    const got = Number(this.call(endpoint, 'sw_ready_take', 0, endpoint, to, 1 + this.below(64)))
    this.#saw(to, 4 * got)
  }

  // ---- containers ----

  #container(endpoint: number): void {
    const type = this.any(this.#types)
    if (type.objects.length === 0 || (type.objects.length < OBJECTS_MOST && this.below(12) === 0)) {
      const made = type.make(endpoint)
      if (made === 0) return
      const { heap, to } = this.#of(endpoint)
      this.call(endpoint, 'sw_object_type', heap, made, to)
      type.objects.push({ at: made, generation: this.#word(to) })
      return
    }
    const object = this.any(type.objects)
    if (this.below(40) > 0) {
      // now and then of another generation, or of another type
      const [wrong, other] = [this.below(40) === 0, this.below(60) === 0]
      const wanted = wrong ? { at: object.at, generation: object.generation + 1 } : object
      const user = other && type.name !== 'record' ? this.#types[this.below(4)]! : type
      user.use(endpoint, wanted)
      return
    }
    const more = type.name === 'record' ? [type.type, object.generation] : [object.generation]
    const status =
      type.name === 'queue'
        ? this.#freeQueue(endpoint, object)
        : this.call(endpoint, `sw_${type.name}_free`, this.#of(endpoint).heap, object.at, ...more)
    if (status === 0 && this.below(2) === 0) type.objects = type.objects.filter((each) => each !== object)
  }

  // ---- strings ----

  #text(endpoint: number): number {
    const length = this.below(10) === 0 ? this.below(10_000) : 1 + this.below(60)
    const text = this.#made(endpoint, 'sw_string_alloc', length)
    if (text !== 0) this.#fill(text + at('sw_text', 'bytes'), length)
    return text
  }

  #string(endpoint: number, { at: string, generation }: Made): void {
    const { heap, from } = this.#of(endpoint)
    const head = [heap, string, generation] as const
    const version = this.#word(string + at('sw_object', 'root') + 4) - (this.below(4) === 0 ? 1 : 0)
    const length = this.below(200)
    const kind = this.below(12)
    this.#fill(from, length)
    if (kind < 4) this.call(endpoint, 'sw_string_set', ...head, from, length)
    else if (kind < 6) this.call(endpoint, 'sw_string_compare_set', ...head, version, from, length)
    else if (kind < 8) {
      const text = this.below(6) === 0 ? 0 : this.#text(endpoint)
      const done = this.call(endpoint, 'sw_string_replace', ...head, text)
      if (done !== 0 && text !== 0) this.call(endpoint, 'sw_heap_free', heap, text)
    } else if (kind < 10) {
      const text = this.#text(endpoint)
      const done = this.call(endpoint, 'sw_string_compare_replace', ...head, version, text)
      if (done !== 1 && text !== 0) this.call(endpoint, 'sw_heap_free', heap, text)
    } else {
      const begun = this.call(endpoint, 'sw_string_begin_read', ...head)
      if (begun !== 0 || this.below(6) > 0) this.call(endpoint, 'sw_string_end_read', heap, string)
    }
  }

  // ---- vectors ----

  // ---- locks and signals ----

  /** Of any type, with any of its calls, in any order: each finds the object in any state. */
  #sync(endpoint: number): void {
    const { heap, to } = this.#of(endpoint)
    const type = abi.SW_TYPE_EVENT! + this.below(8)
    const made = this.#syncs.get(type) ?? this.#makeSync(endpoint, type)
    if (made === null) return
    const head = [heap, made.at, made.generation] as const
    const general = [heap, made.at, type, made.generation] as const
    const number = this.below(6)
    const calls: Record<number, [string, ...number[]][]> = {
      [abi.SW_TYPE_EVENT!]: [['sw_event_set'], ['sw_event_reset'], ['sw_event_try']],
      [abi.SW_TYPE_SEMAPHORE!]: [
        ['sw_semaphore_try_acquire'],
        ['sw_semaphore_try_acquire'],
        ['sw_semaphore_release', number],
        ['sw_semaphore_consume', number],
        ['sw_semaphore_post'],
        ['sw_semaphore_available'],
      ],
      [abi.SW_TYPE_CONDITION!]: [
        ['sw_condition_enlist'],
        ['sw_condition_try'],
        ['sw_condition_leave'],
        ['sw_condition_notify', number & 1],
      ],
      [abi.SW_TYPE_RWLOCK!]: [
        ['sw_rwlock_try_read'],
        ['sw_rwlock_end_read'],
        ['sw_rwlock_end_read'],
        ['sw_rwlock_try_write', number & 1],
        ['sw_rwlock_consistent'],
        ['sw_rwlock_end_write'],
      ],
      [abi.SW_TYPE_BARRIER!]: [
        ['sw_barrier_join'],
        ['sw_barrier_leave'],
        ['sw_barrier_arrive', to],
        ['sw_barrier_arrive', to],
        ['sw_barrier_try', number],
        ['sw_barrier_withdraw', number],
        ['sw_barrier_reset'],
      ],
      [abi.SW_TYPE_WAIT_GROUP!]: [
        ['sw_group_add', number * 20],
        ['sw_group_claim'],
        ['sw_group_done'],
        ['sw_group_try'],
        ['sw_group_mend'],
        ['sw_group_left'],
      ],
      [abi.SW_TYPE_ONCE!]: [['sw_once_begin'], ['sw_once_end', number & 1]],
      [abi.SW_TYPE_SPIN_LOCK!]: [['sw_spin_try_lock', number & 1], ['sw_spin_unlock']],
    }
    for (let i = this.below(12); i >= 0; i--) {
      const [name, ...more] = this.any(calls[type]!)
      this.call(endpoint, name, ...head, ...more)
    }
    if (this.below(3) === 0) {
      this.call(endpoint, 'sw_sync_begin_wait', ...general, this.below(2))
      this.call(endpoint, 'sw_sync_end_wait', ...general, this.below(2))
    }
    this.call(endpoint, 'sw_sync_check', ...general)
    if (this.below(12) !== 0) return
    this.call(endpoint, 'sw_sync_free', ...general)
    this.#syncs.delete(type)
  }

  #makeSync(endpoint: number, type: number): Made | null {
    const { heap, to } = this.#of(endpoint)
    const limit = type === abi.SW_TYPE_SEMAPHORE ? this.any([3, 64, 100]) : type === abi.SW_TYPE_BARRIER ? 3 : 0
    const initial = type === abi.SW_TYPE_SEMAPHORE ? this.below(4) : 0
    const leaves = type === abi.SW_TYPE_BARRIER || type === abi.SW_TYPE_WAIT_GROUP
    const options =
      type === abi.SW_TYPE_EVENT ? this.below(2) : leaves ? 2 * this.below(2) : this.below(20) === 0 ? 1 : 0
    const made = this.#made(endpoint, 'sw_sync_new', type, limit, initial, options)
    if (made === 0) return null
    this.call(endpoint, 'sw_object_type', heap, made, to)
    const found = { at: made, generation: this.#word(to) }
    this.#syncs.set(type, found)
    return found
  }

  #makeVector(endpoint: number): number {
    const type = this.below(20) === 0 ? this.below(256) : this.any(COMPONENTS)
    return this.#made(endpoint, 'sw_vector_new', type, 1 + this.below(3), this.below(3) * 20)
  }

  #vector(endpoint: number, { at: vector, generation }: Made): void {
    const { heap, from, to } = this.#of(endpoint)
    const head = [heap, vector, generation] as const
    const index = this.below((this.#word(vector + at('sw_vector', 'length')) % 1000) + 2)
    const kind = this.below(20)
    this.#fill(from, 24)
    if (kind < 8) {
      for (let i = this.below(12); i >= 0; i--) this.call(endpoint, 'sw_vector_push', ...head, from)
    } else if (kind < 10) {
      if (this.call(endpoint, 'sw_vector_pop', ...head, to) === 1) this.#saw(to, 24)
    } else if (kind < 13) {
      if (this.call(endpoint, 'sw_vector_get', ...head, index, to) === 1) this.#saw(to, 24)
    } else if (kind < 15) this.call(endpoint, 'sw_vector_set', ...head, index, from)
    else if (kind < 17) this.call(endpoint, 'sw_vector_delete', ...head, index)
    else if (kind < 18) {
      const count = this.below(50)
      const got = this.call(endpoint, 'sw_vector_begin_push', ...head, count)
      if (got === 0 && this.below(12) > 0) this.call(endpoint, 'sw_vector_end_push', heap, vector, count)
    } else if (kind < 19) this.call(endpoint, 'sw_vector_check', ...head)
    else this.call(endpoint, 'sw_vector_clear', ...head)
  }

  // ---- lists ----

  #makeList(endpoint: number): number {
    return this.#made(endpoint, 'sw_list_new', this.any(COMPONENTS), 1 + this.below(3))
  }

  #list(endpoint: number, { at: list, generation }: Made): void {
    const { heap, from, more, to } = this.#of(endpoint)
    const head = [heap, list, generation] as const
    const [node, number] = this.#nodes.length === 0 ? [0, 0] : this.any(this.#nodes)
    const kind = this.below(20)
    this.#fill(from, 24)
    if (kind < 8) this.call(endpoint, 'sw_list_insert', ...head, from)
    else if (kind < 12) {
      // the cursor stays where it was, unless the list is read from its beginning
      if (this.below(2) === 0) this.#set(more, 0, 0, 0, 0, 0)
      const room = 8 + this.below(400)
      const got = Number(this.call(endpoint, 'sw_list_read', ...head, more, to, room))
      if (got > 0) {
        this.#nodes = [...this.#nodes.slice(-10), [this.#word(to), this.#word(to + 4)]]
        this.#saw(to, 16 * got)
      }
    } else if (kind < 14) this.call(endpoint, 'sw_list_delete', ...head, node, number)
    else if (kind < 16) {
      const result = this.call(endpoint, 'sw_list_delete_index', ...head, this.below(6), this.below(2) * to)
      if (result === 1) this.#saw(to, 24)
    } else if (kind < 18) {
      this.#set(more + 64, node)
      this.call(endpoint, 'sw_list_set', ...head, more + 64, number, from)
      this.#saw(more + 64, 4)
    } else if (kind < 19) this.call(endpoint, 'sw_list_check', ...head)
    else this.call(endpoint, 'sw_list_clear', ...head)
  }

  // ---- maps ----

  #makeMap(endpoint: number): number {
    const { from } = this.#of(endpoint)
    this.#set(
      from,
      this.any(MAP_FLAGS),
      this.below(40),
      4 + this.below(20),
      0,
      this.below(2 ** 32),
      this.below(2 ** 32),
    )
    this.#doubles[(from + 24) / 8] = 1 + this.below(40)
    return this.#made(endpoint, 'sw_map_new', from)
  }

  #openMap(endpoint: number, { at: map, generation }: Made): void {
    const { heap, map: handles } = this.#of(endpoint)
    const handle = handles(this.below(MAP_HANDLES))
    this.#closeMap(endpoint, handle)
    // what a participant has overwritten may be a map that cannot be opened
    if (this.call(endpoint, 'sw_map_open', handle, heap, map, generation) !== 0)
      this.#bytes.fill(0, handle, handle + at('sw_map_handle', 'sizeof'))
  }

  #isOpenMap(handle: number): boolean {
    return this.#word(handle + at('sw_map_handle', 'tag')) === abi.SW_MAP_TAG
  }

  #closeMap(endpoint: number, handle: number): void {
    if (this.#isOpenMap(handle)) this.call(endpoint, 'sw_map_close', handle)
    this.#bytes.fill(0, handle, handle + at('sw_map_handle', 'sizeof'))
  }

  /** Writes a key to `place`: its type and length. */
  #key(place: number): [number, number] {
    const which = this.below(KEYS)
    const kind = this.below(8)
    const type = kind < 4 ? abi.SW_MAP_NUMBER! : this.any([abi.SW_MAP_BIGINT!, abi.SW_MAP_STRING!, abi.SW_MAP_BYTES!])
    if (type === abi.SW_MAP_NUMBER) {
      this.#doubles[place / 8] = this.below(10) === 0 ? this.any([-0, NaN, 0.5, Infinity, 2 ** 40]) : which
      return [type, 8]
    }
    const length = type === abi.SW_MAP_BIGINT ? 8 * (1 + (which % 2)) : which * 3
    this.#bytes.fill(which, place, place + length)
    return [type, length]
  }

  #value(place: number): [number, number] {
    if (this.below(2) === 0) {
      this.#doubles[place / 8] = this.below(1000)
      return [abi.SW_MAP_NUMBER!, 8]
    }
    const type = 1 + this.below(8)
    const length =
      type === abi.SW_MAP_NUMBER || type === abi.SW_MAP_BIGINT
        ? 8
        : type >= abi.SW_MAP_NULL! && type <= abi.SW_MAP_TRUE!
          ? 0
          : this.below(120)
    this.#fill(place, length)
    return [type, length]
  }

  #map(endpoint: number): void {
    const { map: handles, from, more, to } = this.#of(endpoint)
    const map = handles(this.below(MAP_HANDLES))
    if (!this.#isOpenMap(map)) return
    this.#clock += this.below(3)
    this.#doubles[(map + at('sw_map_handle', 'now')) / 8] = this.#clock
    this.#doubles[(map + at('sw_map_handle', 'expires')) / 8] = this.below(4) === 0 ? this.#clock + this.below(30) : 0
    const key = [...this.#key(from), from] as const
    const [type, length] = [key[0], key[1]]
    const [valueType, valueLength] = this.#value(more)
    const kind = this.below(28)
    if (kind < 7) {
      const mode = this.below(3)
      this.call(endpoint, 'sw_map_put', map, type, from, length, valueType, more, valueLength, mode)
    } else if (kind < 11) {
      const found = Number(this.call(endpoint, 'sw_map_get', map, type, from, length, to, 1 + this.below(200)))
      if (found > 0) this.#saw(to, this.#word(map + at('sw_map_handle', 'length')))
    } else if (kind < 13) this.call(endpoint, 'sw_map_delete', map, type, from, length)
    else if (kind < 15) this.call(endpoint, 'sw_map_put_number', map, this.below(KEYS), this.below(1000))
    else if (kind < 16) this.call(endpoint, 'sw_map_get_number', map, this.below(KEYS))
    else if (kind < 17) this.call(endpoint, 'sw_map_add_number', map, this.below(KEYS), this.below(100))
    else if (kind < 18) this.call(endpoint, 'sw_map_add', map, type, from, length, this.below(100))
    else if (kind < 19) {
      this.#set(to, this.below(2 ** 32), 0)
      this.call(endpoint, 'sw_map_add_integer', map, type, from, length, to)
      this.#saw(to, 8)
    } else if (kind < 21) {
      const expected = this.#value(to)
      const next = this.below(3) === 0 ? 0 : valueType
      const args = [map, type, from, length, expected[0], to, expected[1], next, more, valueLength]
      this.call(endpoint, 'sw_map_replace_if', ...args)
    } else if (kind < 22) this.#walkMap(endpoint, map)
    else if (kind < 24) {
      // enough for the table to grow
      const first = 100 * this.below(4)
      for (let i = 0; i < 40; i++) this.call(endpoint, 'sw_map_put_number', map, first + i, i)
    } else if (kind < 25) this.call(endpoint, 'sw_map_prune', map)
    else if (kind < 26) this.call(endpoint, 'sw_map_check', map)
    else if (kind < 27) this.call(endpoint, 'sw_map_size', map)
    else if (this.below(2) === 0) this.call(endpoint, 'sw_map_clear', map)
    this.note(`  status ${this.#words[(map + at('sw_map_handle', 'status')) >>> 2]}`)
  }

  /** Needs all room up to the handles of maps. */
  #mapBlocks(endpoint: number, map: number): void {
    const { heap, more, to } = this.#of(endpoint)
    this.#set(more, 0, 0, 0)
    for (let i = 0; i < 8; i++) {
      const got = Number(this.call(endpoint, 'sw_map_blocks', heap, map, more, to, 1500))
      if (got <= 0) return
      this.#saw(to, 4 * got)
    }
  }

  #walkMap(endpoint: number, map: number): void {
    const { more, to } = this.#of(endpoint)
    this.#set(more, 0, 0, 0, 0)
    for (let i = 0; i < 8; i++) {
      const bytes = Number(this.call(endpoint, 'sw_map_next', map, more, to, 4096))
      if (bytes <= 0) return
      this.#saw(to, bytes)
    }
  }

  // ---- records ----

  static readonly #ROW = 48

  /** A text, and words of each width behind it. */
  #makeRecord(endpoint: number, rows: number): number {
    const { from } = this.#of(endpoint)
    const row = ObjectScript.#ROW
    this.#set(from, 7, rows, rows, 0, rows * row, this.below(3) === 0 ? 4 : 2 * rows, 1, row, 8)
    return this.#made(endpoint, 'sw_record_new', rows === 1 ? abi.SW_TYPE_RECORD! : abi.SW_TYPE_RECORDS!, from)
  }

  #record(endpoint: number, { at: record, generation }: Made, type: number): void {
    const { heap, from, to } = this.#of(endpoint)
    const row = ObjectScript.#ROW * this.below(3)
    const kind = this.below(24)
    if (kind < 10) this.#lockRecord(endpoint, record, type, generation)
    else if (kind < 13) this.#change(endpoint, record)
    else if (kind < 15) {
      const text = this.below(5) === 0 ? 0 : this.#text(endpoint)
      const done = this.call(endpoint, 'sw_record_set_text', heap, record, type, generation, row, text)
      if (done !== 0 && text !== 0) this.call(endpoint, 'sw_heap_free', heap, text)
    } else if (kind < 17) this.call(endpoint, 'sw_record_undo', heap, record)
    else if (kind < 20) {
      this.call(endpoint, 'sw_record_commit', heap, record)
      this.call(endpoint, 'sw_mutex_unlock', 0, record, endpoint)
    } else if (kind < 23) {
      this.#set(from, 0, ObjectScript.#ROW, row + 9, 20)
      const got = this.call(endpoint, 'sw_record_snapshot', heap, record, type, generation, from, 2, to)
      if (got === 0) this.#saw(to, ObjectScript.#ROW + 24)
    } else {
      const plan = record + at('sw_record', 'plan')
      const words = Array.from({ length: at('sw_record_plan', 'sizeof') / 4 }, (_, i) => this.#word(plan + 4 * i))
      if (this.below(3) === 0) words[this.below(words.length)]! += 8
      this.#set(from, ...words)
      this.call(endpoint, 'sw_record_open', heap, record, type, generation, from)
      this.call(endpoint, 'sw_record_check', heap, record)
    }
  }

  /** Several changes by the one that has locked it, which most of the time gives it back. */
  #lockRecord(endpoint: number, record: number, type: number, generation: number): void {
    const { heap } = this.#of(endpoint)
    const got = Number(this.call(endpoint, 'sw_mutex_try_lock', 0, record, endpoint))
    if (got !== 0 && got !== OWNER_DIED) return
    const inherited = got === OWNER_DIED ? 1 : 0
    if (this.call(endpoint, 'sw_record_locked', heap, record, type, generation, inherited) === 0) {
      for (let i = this.below(12); i > 0; i--) this.#change(endpoint, record)
      if (this.below(5) === 0) return
      this.call(endpoint, 'sw_record_commit', heap, record)
    }
    this.call(endpoint, 'sw_mutex_unlock', 0, record, endpoint)
  }

  #change(endpoint: number, record: number): void {
    const { heap } = this.#of(endpoint)
    const row = ObjectScript.#ROW * this.below(3)
    const field = row + 8 * (1 + this.below(5))
    const kind = this.below(12)
    if (kind < 6) {
      const width = this.any([1, 2, 4, 3])
      this.call(endpoint, 'sw_record_write32', heap, record, field + width * this.below(2), width, this.below(2 ** 32))
    } else if (kind < 8)
      this.call(endpoint, 'sw_record_write64', heap, record, field, this.below(2 ** 32), this.below(2 ** 32))
    else if (kind < 11) {
      const text = this.below(6) === 0 ? 0 : this.#text(endpoint)
      const done = this.call(endpoint, 'sw_record_write_text', heap, record, row, text)
      if (done !== 0 && text !== 0) this.call(endpoint, 'sw_heap_free', heap, text)
    } else this.call(endpoint, this.below(3) === 0 ? 'sw_record_commit' : 'sw_record_undo', heap, record)
  }

  // ---- pools ----

  #makePool(endpoint: number): number {
    const most = 1 + this.below(150)
    const bytes = this.any([0, 16, 100, 2000])
    const growth = abi.SW_POOL_GROWTH! * (1 + this.below(3)) - (this.below(20) === 0 ? 1 : 0)
    return this.#made(endpoint, 'sw_pool_new', bytes, this.below(most + 1), most, growth)
  }

  #pool(endpoint: number, { at: pool, generation }: Made): void {
    const { heap, to } = this.#of(endpoint)
    const kind = this.below(40)
    const item = this.#items.length === 0 ? [0, 0, this.#role(endpoint)] : this.any(this.#items)
    const [index, life, holder] = item as [number, number, number]
    const got = (status: number | bigint | undefined) => {
      if (status !== 0) return
      this.#saw(to, 12)
      this.#items.push([this.#word(to), this.#word(to + 4), this.#role(endpoint)])
      if (this.#items.length > 40) this.#items.shift()
    }
    if (kind < 18) {
      for (let i = 0; i < 4; i++) got(this.call(endpoint, 'sw_pool_acquire', heap, pool, generation, to))
    } else if (kind < 30) {
      const its = this.#joined.find((each) => this.#role(each) === holder) ?? endpoint
      this.call(its, 'sw_pool_release', this.#of(its).heap, pool, generation, index, life)
    } else if (kind < 33) got(this.call(endpoint, 'sw_pool_take', heap, pool, generation, index, life, holder, to))
    else if (kind < 35) this.call(endpoint, 'sw_pool_shrink', heap, pool, generation, this.below(50))
    else if (kind < 37) {
      this.call(endpoint, 'sw_pool_stats_of', heap, pool, generation, to)
      this.#saw(to, at('sw_pool_stats', 'sizeof'))
    } else if (kind < 39) {
      const which = this.below(2) === 0 ? 'sw_pool_begin_wait' : 'sw_pool_end_wait'
      this.call(endpoint, which, heap, pool, generation)
    } else {
      this.call(endpoint, 'sw_crc32c_portable', this.below(2 ** 32), to, this.below(2000))
      this.call(endpoint, 'sw_crc32c_zeros', this.below(2 ** 32), BigInt(this.below(2 ** 32)))
    }
  }
  // ---- queues ----

  #makeQueue(endpoint: number): number {
    const { from } = this.#of(endpoint)
    const priority = abi.SW_TYPE_PRIORITY_QUEUE!
    const [type, flags, levels] = this.any([
      [abi.SW_TYPE_QUEUE!, 0, 0],
      [abi.SW_TYPE_QUEUE!, abi.SW_QUEUE_ACK!, 0],
      [abi.SW_TYPE_SINGLE_QUEUE!, 0, 0],
      [abi.SW_TYPE_RING_QUEUE!, 0, 0],
      [priority, 0, 3],
      [priority, abi.SW_QUEUE_SORTED!, 0],
      [priority, abi.SW_QUEUE_ACK!, 0],
      [abi.SW_TYPE_CHANNEL!, 0, 0],
      [abi.SW_TYPE_CHANNEL!, 0, 0],
    ]) as [number, number, number]
    const unbuffered = type === abi.SW_TYPE_CHANNEL && this.below(3) > 0
    this.#set(from, type, flags, unbuffered ? 0 : 1 + this.below(12), levels, this.below(4))
    return this.#made(endpoint, 'sw_queue_new', from)
  }

  #freeQueue(endpoint: number, { at: object, generation }: Made): number | bigint | undefined {
    const { heap, queue } = this.#of(endpoint)
    const opened = this.call(endpoint, 'sw_queue_open', queue, heap, object, generation)
    return opened === 0 ? this.call(endpoint, 'sw_queue_free', queue, heap) : opened
  }

  #queue(endpoint: number, { at: object, generation }: Made): void {
    const { heap, queue } = this.#of(endpoint)
    if (this.call(endpoint, 'sw_queue_open', queue, heap, object, generation) !== 0) return
    for (let i = 1 + this.below(8); i > 0; i--) {
      if (this.below(3) > 0) this.#transfer(endpoint)
      else if (this.below(2) > 0) this.#offer(endpoint)
      else this.#lookAtQueue(endpoint)
    }
    // a place of a queue that has one producer and one consumer stays taken now and then
    const last = this.below(4) > 0 ? 'sw_queue_close_handle' : 'sw_queue_done'
    this.call(endpoint, last, queue, heap)
  }

  /** What a call that takes or looks has found. */
  #sawValue(endpoint: number, type: number): void {
    const { queue, to } = this.#of(endpoint)
    const [length, held] = [at('sw_queue_handle', 'length'), at('sw_queue_handle', 'held')].map((field) =>
      this.#word(queue + field),
    )
    if (type > 0) this.#saw(held === 0 ? to : held! + at('sw_queue_item', 'sizeof'), length!)
  }

  #transfer(endpoint: number): void {
    const { heap, incoming, queue, from, more, to } = this.#of(endpoint)
    const head = [queue, heap] as const
    const priority = this.any([0, 0, 1, 2, 2.5, -1, 1e9])
    const kind = this.below(24)
    const type = this.any([
      abi.SW_MAP_NULL!,
      abi.SW_MAP_TRUE!,
      abi.SW_MAP_STRING!,
      abi.SW_MAP_NUMBER!,
      abi.SW_MAP_NUMBER!,
    ])
    const number = type === abi.SW_MAP_NUMBER
    const length = number ? 8 : type === abi.SW_MAP_STRING ? this.below(this.below(4) === 0 ? 2000 : 100) : 0
    this.#doubles[incoming / 8] = this.any([1, -7, 0.5, -0, 2 ** 27, this.below(1000)])
    if (!number) this.#fill(incoming, length)
    if (kind < 8) this.call(endpoint, 'sw_queue_put', ...head, type, incoming, length, priority)
    else if (kind < 10) {
      const block = Number(this.call(endpoint, 'sw_queue_reserve', ...head, length)) >>> 0
      if (block !== 0) this.#putBlock(endpoint, block, length, priority)
    } else if (kind < 18) {
      const got = Number(this.call(endpoint, 'sw_queue_take', ...head, to, this.any([8, 300, 2000])))
      this.#sawValue(endpoint, got)
      const cell = this.#word(queue + at('sw_queue_handle', 'cell'))
      if (got > 0 && this.below(2) === 0)
        this.call(endpoint, this.below(4) > 0 ? 'sw_queue_ack' : 'sw_queue_nack', ...head, cell)
    } else if (kind < 21) {
      const words = Array.from({ length: 3 }, () =>
        Number(this.call(endpoint, 'sw_queue_pack', ...head, type, incoming, length)),
      )
      if (words.includes(0)) return
      this.#set(from, ...words)
      const put = Number(this.call(endpoint, 'sw_queue_put_many', ...head, from, 3))
      for (const word of words.slice(Math.max(put, 0)))
        this.#sawValue(endpoint, Number(this.call(endpoint, 'sw_queue_unpack', ...head, word, to, 2000)))
    } else {
      const got = Number(this.call(endpoint, 'sw_queue_take_many', ...head, more, 1 + this.below(4)))
      for (let i = 0; i < got; i++) {
        const word = this.#word(more + 4 * i)
        this.#sawValue(endpoint, Number(this.call(endpoint, 'sw_queue_unpack', ...head, word, to, 2000)))
      }
    }
  }

  /** Each participant has two offers, in any of the channels. */
  #offer(endpoint: number): void {
    const { heap, queue, offer, to } = this.#of(endpoint)
    const which = this.below(2)
    const place = offer(which)
    const kind = this.below(10)
    let done: number
    if (kind < 4) {
      const value = (this.below(100) << 4) | abi.SW_QUEUE_INTEGER!
      done = Number(this.call(endpoint, 'sw_offer_send', place, queue, heap, this.below(5), value))
    } else if (kind < 8) done = Number(this.call(endpoint, 'sw_offer_receive', place, queue, heap, this.below(5)))
    else done = Number(this.call(endpoint, kind < 9 ? 'sw_offer_is_done' : 'sw_offer_withdraw', place, heap))
    if (done !== 1) return
    this.#saw(place, 8)
    const word = this.#word(place + at('sw_offer', 'value'))
    if (word === 0) return
    if (this.below(2) === 0) this.call(endpoint, 'sw_queue_discard', queue, heap, word)
    else this.#sawValue(endpoint, Number(this.call(endpoint, 'sw_queue_unpack', queue, heap, word, to, 2000)))
  }

  #putBlock(endpoint: number, block: number, length: number, priority: number): void {
    const { heap, queue } = this.#of(endpoint)
    this.#fill(block + at('sw_queue_item', 'sizeof'), length)
    const put = this.call(endpoint, 'sw_queue_put_block', queue, heap, block, abi.SW_MAP_BYTES!, length, priority)
    if (put !== 1) this.call(endpoint, 'sw_heap_free', heap, block)
  }

  #lookAtQueue(endpoint: number): void {
    const { heap, queue, to } = this.#of(endpoint)
    const head = [queue, heap] as const
    const kind = this.below(20)
    const room = this.below(2)
    if (kind < 4)
      this.#sawValue(endpoint, Number(this.call(endpoint, 'sw_queue_peek', ...head, to, this.any([8, 2000]))))
    else if (kind < 6) this.call(endpoint, 'sw_queue_size', ...head)
    else if (kind < 8) this.call(endpoint, 'sw_queue_has_room', ...head, this.any([0, 2, 5]))
    else if (kind < 10) this.call(endpoint, 'sw_queue_has_news', ...head)
    else if (kind < 11) this.call(endpoint, 'sw_queue_is_closed', ...head)
    else if (kind < 12)
      this.call(endpoint, 'sw_queue_deliveries', ...head, this.#word(queue + at('sw_queue_handle', 'cell')))
    else if (kind < 14) this.call(endpoint, 'sw_queue_begin_wait', ...head, room)
    else if (kind < 16) this.call(endpoint, 'sw_queue_end_wait', ...head, room)
    else if (kind < 17) this.call(endpoint, 'sw_queue_evict_dead', ...head)
    else if (kind < 18) this.call(endpoint, 'sw_queue_block', ...head, this.below(60))
    else if (kind < 19) this.call(endpoint, 'sw_queue_check', ...head)
    else if (this.below(4) === 0) this.call(endpoint, 'sw_queue_close', ...head)
  }

  // ---- broadcasts ----

  #makeBroadcast(endpoint: number): number {
    const policies = [abi.SW_BROADCAST_BLOCK!, abi.SW_BROADCAST_DROP_OLDEST!, abi.SW_BROADCAST_LATEST_ONLY!]
    const capacity = this.any([abi.SW_BROADCAST_MIN!, 500, 4000])
    const made = this.#made(endpoint, 'sw_broadcast_new', capacity, this.any(policies), this.below(4))
    if (made !== 0) this.call(endpoint, 'sw_broadcast_longest', this.#of(endpoint).heap, made)
    return made
  }

  #broadcast(endpoint: number, { at: object, generation }: Made): void {
    const { heap, incoming, more, to } = this.#of(endpoint)
    const head = [heap, object, generation] as const
    for (let i = 1 + this.below(8); i > 0; i--) {
      const kind = this.below(40)
      if (kind < 12) {
        const length = this.below(this.below(4) === 0 ? 2000 : 100)
        this.#fill(incoming, length)
        this.call(endpoint, 'sw_broadcast_try_send', ...head, this.below(256), incoming, length)
      } else if (kind < 24) {
        const got = this.call(endpoint, 'sw_broadcast_try_receive', ...head, to, this.any([8, 300, 2000]), more)
        if (got === 1) this.#saw(to, this.#word(more + at('sw_broadcast_message', 'length')))
      } else if (kind < 28) this.call(endpoint, 'sw_broadcast_subscribe', ...head, this.below(2))
      else if (kind < 30) this.call(endpoint, 'sw_broadcast_unsubscribe', ...head)
      else if (kind < 32) this.call(endpoint, 'sw_broadcast_is_subscribed', ...head)
      else if (kind < 33) this.call(endpoint, 'sw_broadcast_subscribers', ...head)
      else if (kind < 35) this.call(endpoint, 'sw_broadcast_begin_wait', ...head, this.below(2))
      else if (kind < 37) this.call(endpoint, 'sw_broadcast_end_wait', ...head, this.below(2))
      else if (kind < 38) this.call(endpoint, 'sw_broadcast_is_closed', ...head)
      else if (kind < 39) this.call(endpoint, 'sw_broadcast_check', ...head)
      else if (this.below(4) === 0) this.call(endpoint, 'sw_broadcast_close', ...head)
    }
  }
}
