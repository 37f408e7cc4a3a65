// A network of peers in memory: for one player, and for tests, which have it delay, lose and cut.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { after, microtask, now } from '../base/host.js'
import { idWords } from './ids.js'
import type { P2PTransport, P2PTransportEvents } from './transport.js'

export interface P2PLoopbackOptions {
  /** Milliseconds that everything takes, or the least and the most: 0 unless given. */
  delay?: number | readonly [number, number]
  /** Which part of what may be lost is lost, from 0 to 1: 0 unless given. */
  loss?: number
  /** Of the generator of delays and losses: 1 unless given. */
  seed?: number
  /** Bytes on their way from one peer to another, at most: 1 MiB unless given. */
  maxInFlight?: number
  /** Time stands still, but for calls of `advance`. */
  manual?: boolean
}

/** One way of a connection. */
interface Link {
  /** When the last of what must stay in order arrives. */
  last: number
  inFlight: number
  /** Something was refused. */
  isBlocked: boolean
}

interface Task {
  readonly at: number
  readonly run: () => void
}

/**
 * Peers in one thread. Each gets a transport by its id; all that are started are connected.
 *
 *     const hub = new P2PLoopback()
 *     const alice = new P2PManager({ transport: hub.connect('alice') })
 *     const bob = new P2PManager({ transport: hub.connect('bob') })
 */
export class P2PLoopback {
  readonly #delay: readonly [number, number]
  readonly #loss: number
  readonly #most: number
  readonly #manual: boolean
  readonly #nodes = new Map<string, Node>()
  readonly #cut = new Set<string>()
  #random: number
  #time = 0
  /** By their times. */
  #tasks: Task[] = []
  #isPlanned = false

  /** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
  constructor(options?: P2PLoopbackOptions) {
    const given = check.options(options, 'options', ['delay', 'loss', 'seed', 'maxInFlight', 'manual'])
    const { delay = 0, loss = 0, manual = false } = given
    const [least, most] = typeof delay === 'number' ? [delay, delay] : delay
    this.#delay = [check.milliseconds(least, 'delay'), check.milliseconds(most, 'delay')]
    if (!(check.number(loss, 'loss') >= 0 && loss <= 1))
      check.refuse('ERR_SABWAY_OUT_OF_RANGE', 'loss must be from 0 to 1', loss)
    check.flag(manual, 'manual')
    this.#loss = loss
    this.#manual = manual
    this.#random = check.integer(given.seed ?? 1, 'seed', 0, 2 ** 32 - 1)
    this.#most = check.integer(given.maxInFlight ?? 2 ** 20, 'maxInFlight', 1, Number.MAX_SAFE_INTEGER)
  }

  /**
   * A transport for a peer. When it is closed, another may have the id. Errors:
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT; ERR_SABWAY_INVALID_STATE: it is taken.
   */
  connect(id: string): P2PTransport {
    idWords(id, 'id')
    if (this.#nodes.has(id)) {
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        `'${id}' is connected; close that transport, or take another id`,
      )
    }
    const node = new Node(id, this.#network)
    this.#nodes.set(id, node)
    return node
  }

  /** Cut the connection between two peers: both are told that the other one has failed. */
  cut(a: string, b: string): void {
    this.#cut.add(pairOf(a, b))
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#leave(one, other, (events) => events.failed(other, new Error('the connection was cut')))
    }
  }

  /** Connect them again. */
  heal(a: string, b: string): void {
    if (this.#cut.delete(pairOf(a, b))) this.#join(a, b)
  }

  /** With `manual`: let so many milliseconds pass, and everything in them happen. */
  advance(milliseconds: number): void {
    const end = this.#time + check.milliseconds(milliseconds, 'milliseconds')
    for (let task = this.#tasks[0]; task !== undefined && task.at <= end; task = this.#tasks[0]) {
      this.#tasks.shift()
      this.#time = task.at
      task.run()
    }
    this.#time = end
  }

  // ---- time ----

  /** With `manual` what `advance` has made it; without delays it stands still. */
  #now(): number {
    return this.#manual || this.#delay[1] === 0 ? this.#time : now()
  }

  /** From 0 to 1, always the same for a seed. */
  #next(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  #arrival(): number {
    const [least, most] = this.#delay
    return this.#now() + (most > least ? least + this.#next() * (most - least) : least)
  }

  #plan(at: number, run: () => void): void {
    let place = this.#tasks.length
    while (place > 0 && this.#tasks[place - 1]!.at > at) place--
    this.#tasks.splice(place, 0, { at, run })
    this.#wake()
  }

  /** Have the next one happen at its time. */
  #wake(): void {
    const next = this.#tasks[0]
    if (this.#manual || this.#isPlanned || next === undefined) return
    this.#isPlanned = true
    const turn = () => {
      this.#isPlanned = false
      // What comes of these has a turn of its own.
      const end = Math.max(this.#now(), next.at)
      const tasks = this.#tasks.filter(({ at }) => at <= end)
      this.#tasks = this.#tasks.slice(tasks.length)
      try {
        for (const { run } of tasks) run()
      } finally {
        this.#wake()
      }
    }
    const wait = next.at - this.#now()
    if (wait <= 0) microtask(turn)
    else after(wait, turn)
  }

  // ---- peers ----

  readonly #network: Network = {
    started: (node) => {
      for (const other of this.#nodes.values())
        if (other !== node && other.events !== undefined) this.#join(node.id, other.id)
    },
    send: (node, peer, reliable, bytes) => this.#send(node, peer, reliable, bytes),
    disconnect: (node, peer) => {
      for (const [one, other] of [
        [node.id, peer],
        [peer, node.id],
      ] as const) {
        this.#leave(one, other, (events) => events.left(other))
      }
    },
    closed: (node) => {
      for (const peer of [...node.links.keys()]) this.#leave(peer, node.id, (events) => events.left(node.id))
      if (this.#nodes.get(node.id) === node) this.#nodes.delete(node.id)
    },
  }

  #join(a: string, b: string): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const node = this.#nodes.get(one)
      if (node?.events === undefined || this.#cut.has(pairOf(a, b)) || this.#nodes.get(other)?.events === undefined)
        continue
      const at = this.#arrival()
      const link = { last: at, inFlight: 0, isBlocked: false }
      node.links.set(other, link)
      this.#plan(at, () => {
        if (node.links.get(other) === link) node.events?.joined(other)
      })
    }
  }

  #leave(one: string, other: string, tell: (events: P2PTransportEvents) => void): void {
    const node = this.#nodes.get(one)
    if (!node?.links.delete(other)) return
    this.#plan(this.#now(), () => {
      if (node.events !== undefined) tell(node.events)
    })
  }

  #send(node: Node, peer: string, reliable: boolean, bytes: Uint8Array): boolean {
    const link = node.links.get(peer)
    const target = this.#nodes.get(peer)
    const back = target?.links.get(node.id)
    if (link === undefined || target === undefined || back === undefined) return true // it is lost
    const { length } = bytes
    if (link.inFlight > 0 && link.inFlight + length > this.#most) {
      link.isBlocked = true
      return false
    }
    if (!reliable && this.#next() < this.#loss) return true
    // Nothing arrives before the peer has been told of this one.
    const at = Math.max(this.#arrival(), reliable ? Math.max(link.last, back.last) : back.last)
    if (reliable) link.last = at
    link.inFlight += length
    const copy = bytes.slice()
    this.#plan(at, () => {
      if (node.links.get(peer) !== link) return
      link.inFlight -= length
      if (target.links.get(node.id) === back) target.events?.message(node.id, copy)
      if (!link.isBlocked || link.inFlight > this.#most / 2) return
      link.isBlocked = false
      node.events?.drained(peer)
    })
    return true
  }
}

const pairOf = (a: string, b: string): string => JSON.stringify([a, b].sort())

interface Network {
  started(node: Node): void
  send(node: Node, peer: string, reliable: boolean, bytes: Uint8Array): boolean
  disconnect(node: Node, peer: string): void
  closed(node: Node): void
}

class Node implements P2PTransport {
  readonly id: string
  readonly #network: Network
  readonly links = new Map<string, Link>()
  events: P2PTransportEvents | undefined

  constructor(id: string, network: Network) {
    this.id = id
    this.#network = network
  }

  start(events: P2PTransportEvents): void {
    this.events = events
    this.#network.started(this)
  }

  send(peer: string, _channel: number, reliable: boolean, bytes: Uint8Array): boolean {
    return this.#network.send(this, peer, reliable, bytes)
  }

  disconnect(peer: string): void {
    this.#network.disconnect(this, peer)
  }

  close(): void {
    this.events = undefined
    this.#network.closed(this)
    this.links.clear()
  }
}
