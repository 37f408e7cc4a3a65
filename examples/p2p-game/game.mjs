// The game, as an engine has it: of the network it knows the queues of its channels and one call,
// which the page exposes. Players collect stars. Where a player is may be lost on the way, since
// the next message says it again; stars and chat may not.

// 'sabway/p2p', with a bundler
import { P2PQueue } from '../../dist/browser-p2p.mjs'
import { Meter } from './meter.mjs'

const [POSITIONS, CHAT, STARS] = [0, 1, 2]
export const CHANNELS = 3

const SPEED = 0.6 // of the field's width, in a second
const REACH = 0.03
const LONGEST_TEXT = 200

/** Number, x, y, score, star, when it was sent, and what it answers: see #send. */
const POSITION_BYTES = 44

/**
 * @typedef {{
 *   incoming: import('../../dist/browser-p2p.mjs').P2PReader,
 *   outgoing: import('../../dist/browser-p2p.mjs').P2PWriter,
 * }} Sides
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ sent: number, came: number }} Answer
 * @typedef {Point & { score: number, meter: Meter, answer: Answer | null }} Player
 * @typedef {{
 *   getP2PChannelQueue(channel: number): SharedArrayBuffer | ArrayBuffer,
 *   sendP2PMessage(target: string | null, channel: number, reliable: boolean): boolean,
 * }} Sdk
 */

/**
 * Where a star lies, the same for all.
 * @param {number} number
 * @returns {Point}
 */
export function starAt(number) {
  const part = (/** @type {number} */ seed) => {
    const mixed = Math.imul(number * 2 + seed, 0x9e3779b1)
    return 0.05 + 0.9 * (((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32)
  }
  return { x: part(1), y: part(2) }
}

export class Game {
  #sdk
  #id
  /** @type {Sides[]} */
  #queues
  #encoder = new TextEncoder()
  #decoder = new TextDecoder()
  #packet = new DataView(new ArrayBuffer(POSITION_BYTES))
  #number = 0
  /** Stars that this player has taken, of which another one may have been first. */
  #taken = new Set()

  /** @type {Map<string, Player>} */
  players = new Map()
  /** @type {Point & { score: number }} */
  me = { x: Math.random(), y: Math.random(), score: 0 }
  star = 0
  /** The share of positions that this player does not send, to see what the others' meters say. */
  lose = 0
  /** The most messages that the last frame has found in a queue. */
  depth = 0
  /** @type {(from: string, text: string) => void} */
  onChat = () => {}

  /**
   * @param {Sdk} sdk
   * @param {string} id
   */
  constructor(sdk, id) {
    this.#sdk = sdk
    this.#id = id
    this.#queues = [POSITIONS, CHAT, STARS].map((channel) => {
      const queue = P2PQueue.attach(sdk.getP2PChannelQueue(channel))
      return { incoming: queue.reader('incoming'), outgoing: queue.writer('outgoing') }
    })
  }

  /** @param {string} text */
  say(text) {
    const bytes = this.#encoder.encode(text.slice(0, LONGEST_TEXT))
    this.#write(CHAT, null, true, bytes)
    this.onChat(this.#id, text.slice(0, LONGEST_TEXT))
  }

  /** @param {string} peer */
  leave(peer) {
    this.players.delete(peer)
  }

  /**
   * A frame: read what has come, move towards `goal`, and tell the others.
   * @param {number} seconds since the last one
   * @param {Point | null} goal
   * @param {readonly string[]} peers
   */
  frame(seconds, goal, peers) {
    const now = performance.now()
    this.#read(now)
    const { me } = this
    if (goal !== null) {
      const [dx, dy] = [goal.x - me.x, goal.y - me.y]
      const part = Math.min(1, (SPEED * seconds) / Math.hypot(dx, dy) || 0)
      me.x = Math.min(1, Math.max(0, me.x + dx * part))
      me.y = Math.min(1, Math.max(0, me.y + dy * part))
    }
    const star = starAt(this.star)
    if (Math.hypot(star.x - me.x, star.y - me.y) < REACH) this.#take()
    for (const peer of peers) this.#send(peer, now)
    this.#number++
  }

  #take() {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, this.star, true)
    this.#write(STARS, null, true, bytes)
    this.#taken.add(this.star)
    this.me.score++
    this.star++
  }

  /** @param {number} now */
  #read(now) {
    this.depth = Math.max(...this.#queues.map(({ incoming }) => incoming.pending))
    this.#queue(POSITIONS).incoming.read(({ from, data }) => {
      if (data.length === POSITION_BYTES) this.#moved(from, data, now)
    })
    this.#queue(CHAT).incoming.read((message) => {
      // A decoder takes no shared memory.
      this.onChat(message.from, this.#decoder.decode(message.copy()).slice(0, LONGEST_TEXT))
    })
    this.#queue(STARS).incoming.read(({ from, data }) => {
      if (data.length === 4) this.#starTaken(from, viewOf(data).getUint32(0, true))
    })
  }

  /**
   * @param {string} from
   * @param {Uint8Array} data
   * @param {number} now
   */
  #moved(from, data, now) {
    const packet = viewOf(data)
    const player = this.players.get(from) ?? { x: 0, y: 0, score: 0, meter: new Meter(), answer: null }
    this.players.set(from, player)
    const answered = packet.getFloat64(28, true)
    if (answered > 0) player.meter.trip(now - answered - packet.getFloat64(36, true))
    if (!player.meter.heard(packet.getUint32(0, true), now)) return
    player.x = packet.getFloat32(4, true)
    player.y = packet.getFloat32(8, true)
    player.score = packet.getUint32(12, true)
    this.star = Math.max(this.star, packet.getUint32(16, true))
    player.answer = { sent: packet.getFloat64(20, true), came: now }
  }

  /**
   * Two players may take a star at once: it is that one's whose id is less, and both know.
   * @param {string} from
   * @param {number} number
   */
  #starTaken(from, number) {
    if (this.#taken.has(number) && from < this.#id) {
      this.#taken.delete(number)
      this.me.score--
    }
    this.star = Math.max(this.star, number + 1)
  }

  /**
   * Each peer is sent when its last message was sent, and for how long it lay here: a trip there
   * and back is what is between, by its own clock.
   * @param {string} peer
   * @param {number} now
   */
  #send(peer, now) {
    if (Math.random() < this.lose) return
    const packet = this.#packet
    const player = this.players.get(peer)
    const answer = player?.answer
    packet.setUint32(0, this.#number, true)
    packet.setFloat32(4, this.me.x, true)
    packet.setFloat32(8, this.me.y, true)
    packet.setUint32(12, this.me.score, true)
    packet.setUint32(16, this.star, true)
    packet.setFloat64(20, now, true)
    packet.setFloat64(28, answer?.sent ?? 0, true)
    packet.setFloat64(36, answer ? now - answer.came : 0, true)
    if (player !== undefined) player.answer = null
    this.#write(POSITIONS, peer, false, new Uint8Array(packet.buffer))
  }

  /**
   * @param {number} channel
   * @param {string | null} target
   * @param {boolean} reliable
   * @param {Uint8Array} data
   */
  #write(channel, target, reliable, data) {
    this.#queue(channel).outgoing.write(this.#id, channel, data)
    this.#sdk.sendP2PMessage(target, channel, reliable)
  }

  /** @param {number} channel */
  #queue(channel) {
    return /** @type {Sides} */ (this.#queues[channel])
  }
}

/** @param {Uint8Array} data */
const viewOf = ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength)
