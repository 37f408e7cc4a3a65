// What a soak does, one class for each kind of peer. A lane is ticked on every turn of the event
// loop, and now and then its peer is ended and begun anew.
import { Worker } from 'node:worker_threads'
import { crc32c, Region, SharedMemoryChannel } from 'sabway'
import { random } from '../../build/test/js/support/bytes.js'
import { Sequence } from './messages.mjs'

const ROOM = 1 << 17
const AT_ONCE = 64

export class Lane {
  messages = 0
  bytes = 0
  restarts = 0

  constructor(name, seed, fail) {
    this.name = name
    this.chance = random(seed)
    this.fail = (text) => fail(`${name}: ${text}`)
  }

  below(limit) {
    return Math.floor(this.chance() * limit)
  }

  /** A number that changes while the lane moves. */
  get progress() {
    return this.messages
  }

  tick() {}
}

/** One channel, whose messages are counted. */
class ChannelLane extends Lane {
  constructor(name, seed, fail) {
    super(name, seed, fail)
    this.channel = new SharedMemoryChannel(ROOM, ROOM)
    this.channel.addEventListener('error', ({ error }) => this.fail(error.message))
  }

  count(message) {
    this.messages++
    this.bytes += message.length
  }

  check() {
    const region = Region.open({ sabway: 'region', memory: this.channel.handle.memory })
    try {
      region.check()
    } catch (error) {
      this.fail(error.message)
    } finally {
      region.close()
    }
  }

  async end() {
    this.channel.cleanup()
  }
}

/** Sends a sequence in every way there is. */
class Sender {
  sent = 0
  #unsent = []
  #direct = null

  constructor(lane, sequence) {
    this.lane = lane
    this.sequence = sequence
  }

  #next() {
    return this.#unsent[0] ?? this.#make(1)[0]
  }

  #make(count) {
    while (this.#unsent.length < count) this.#unsent.push(this.sequence.make(this.sent + this.#unsent.length))
    return this.#unsent
  }

  #done(count) {
    this.#unsent.splice(0, count)
    this.sent += count
    return count > 0
  }

  some() {
    for (let i = 0; i < AT_ONCE && this.#direct === null; i++) {
      if (!this.#one()) return
    }
  }

  /** A death is told, and the message was not sent: the next call waits for the successor. */
  async #untilSent(message) {
    for (;;) {
      try {
        await this.lane.channel.sendDirect(message)
        this.#direct = null
        return
      } catch (error) {
        if (error.code === 'ERR_SABWAY_PEER_DIED') continue
        this.lane.fail(error.message)
        return
      }
    }
  }

  #one() {
    const { channel } = this.lane
    const way = this.lane.below(40)
    if (way < 5) return this.#done(channel.sendBatch(this.#make(1 + this.lane.below(30))))
    if (way < 10) return this.#inPlace()
    const message = this.#next()
    if (way === 10) {
      this.#direct = this.#untilSent(message)
      return this.#done(1)
    }
    if (way === 11) {
      this.#done(1)
      return channel.send(message)
    }
    return channel.trySend(message) && this.#done(1)
  }

  #inPlace() {
    const { channel } = this.lane
    const message = this.#next()
    const room = channel.reserve(Math.min(message.length + this.lane.below(100), ROOM))
    if (room === null) return false
    if (this.lane.below(5) === 0) {
      channel.abandon()
      return true
    }
    room.set(message)
    channel.commit(message.length)
    return this.#done(1)
  }
}

/** The native echo worker: what is sent comes back, once and in order, over all of its lives. */
export class EchoLane extends ChannelLane {
  #received = 0

  constructor(seed, fail) {
    super('native echo', seed, fail)
    const sequence = new Sequence(seed)
    this.sender = new Sender(this, sequence)
    this.channel.startWorker({ builtin: 'echo' })
    this.channel.startReceiving((message) => {
      const wrong = sequence.wrong(this.#received, message)
      if (wrong !== null) this.fail(wrong)
      this.#received++
      this.count(message)
    })
  }

  tick() {
    this.sender.some()
  }

  async restart() {
    this.restarts++
    this.channel.stopWorker()
    if (this.below(4) === 0) this.check()
    this.channel.startWorker({ builtin: 'echo' })
  }
}

/** The native sink: its check-sum over all it was sent is ours. */
export class SinkLane extends ChannelLane {
  #crc = 0
  #count = 0
  #paused = false

  constructor(seed, fail) {
    super('native sink', seed, fail)
    this.sequence = new Sequence(seed)
    this.channel.startWorker({ builtin: 'sink' })
  }

  tick() {
    for (let i = 0; i < AT_ONCE && !this.#paused; i++) {
      const message = this.sequence.make(this.#count)
      if (!this.channel.trySend(message)) return
      this.#crc = crc32c(message, this.#crc)
      this.#count++
      this.count(message)
    }
  }

  async restart() {
    this.#paused = true
    const expected = this.#count
    const deadline = performance.now() + 10_000
    let worker = this.channel.stats().worker
    while (worker !== undefined && worker.received < expected && performance.now() < deadline) {
      await new Promise(setImmediate)
      worker = this.channel.stats().worker
    }
    if (worker?.received !== expected) this.fail(`the sink received ${worker?.received} of ${expected}`)
    else if (worker.crc !== this.#crc) this.fail(`the sink's check-sum is ${worker.crc}, not ${this.#crc}`)
    this.restarts++
    this.channel.stopWorker()
    this.channel.startWorker({ builtin: 'sink' })
    this.sequence = new Sequence(this.below(2 ** 31))
    this.#count = this.#crc = 0
    this.#paused = false
  }
}

/**
 * The native source: numbers from 0 in each of its lives, and the rest of the last one before that.
 */
export class SourceLane extends ChannelLane {
  #expected = 0
  #restarted = false

  constructor(seed, fail) {
    super('native source', seed, fail)
    this.#start()
    this.channel.startReceiving((message) => {
      const number = new DataView(message.buffer, message.byteOffset).getUint32(0, true)
      if (this.#restarted && number === 0) {
        this.#restarted = false
        this.#expected = 0
      }
      if (number !== this.#expected++) this.fail(`number ${number} came, not ${this.#expected - 1}`)
      const at = 4 + this.below(message.length - 4)
      if (message[at] !== ((number + at) & 0xff)) this.fail(`byte ${at} of message ${number} is wrong`)
      this.count(message)
    })
  }

  #start() {
    this.channel.startWorker({ builtin: 'source', size: 5 + this.below(2000), rate: this.below(2) * 5000 })
  }

  async restart() {
    if (this.#restarted) return // nothing has come of this life yet
    this.restarts++
    this.channel.stopWorker()
    this.#restarted = true
    this.#start()
  }
}

/**
 * A JavaScript thread that is terminated: both directions have sequences that go on over all of its
 * lives.
 */
export class ThreadLane extends ChannelLane {
  #received = 0
  #progress = new Int32Array(new SharedArrayBuffer(12))
  #thread

  constructor(seed, fail) {
    super('threads', seed, fail)
    this.seeds = { outgoing: seed + 1, incoming: seed + 2 }
    this.incoming = new Sequence(this.seeds.outgoing)
    this.sender = new Sender(this, new Sequence(this.seeds.incoming))
    this.channel.startReceiving((message) => {
      const wrong = this.incoming.wrong(this.#received, message)
      if (wrong !== null) this.fail(wrong)
      this.#received++
      this.count(message)
    })
    this.#start()
  }

  #start() {
    const workerData = {
      handle: this.channel.handle,
      seeds: this.seeds,
      from: this.#received,
      progress: this.#progress,
    }
    this.#thread = new Worker(new URL('thread.mjs', import.meta.url), { workerData })
    this.#thread.on('message', (text) => this.fail(`in the thread: ${text}`))
    this.#thread.on('error', (error) => this.fail(`in the thread: ${error.message}`))
  }

  tick() {
    this.sender.some()
  }

  async restart() {
    this.restarts++
    await this.#thread.terminate()
    const sent = Atomics.load(this.#progress, 0)
    const deadline = performance.now() + 10_000
    while (this.channel.stats().received.used > 0 && performance.now() < deadline) await new Promise(setImmediate)
    if (this.#received < sent || this.#received > sent + 1) this.fail(`${this.#received} came, and ${sent} were sent`)
    Atomics.store(this.#progress, 0, this.#received)
    this.check()
    this.#start()
  }

  async end() {
    await this.#thread.terminate()
    await super.end()
  }
}
