// Throughput between JavaScript and a native thread, and of a threadsafe function.
import { fileURLToPath } from 'node:url'
import { crc32c, SharedMemoryChannel } from 'sabway'
import { makeMessages, Watchdog, wordAt } from '../harness/messages.js'
import { capacityFor, type Job, type Load } from '../transports/transport.js'
import type { Benchmark, Run } from './benchmark.js'

const SMALL = 4096

const seconds = (begin: number) => (performance.now() - begin) / 1000

// ---- JavaScript to native: the built-in sink counts, and computes a CRC over every byte ----

export class ToSink implements Benchmark {
  readonly ours = true
  private channel!: SharedMemoryChannel
  private send!: Job

  constructor(
    readonly name: string,
    private readonly size: number,
    private readonly sender: (channel: SharedMemoryChannel, load: Load) => Job,
  ) {}

  async open(): Promise<void> {
    this.channel = new SharedMemoryChannel(capacityFor(this.size), SMALL)
    this.channel.startWorker({ builtin: 'sink' })
    this.send = this.sender(this.channel, { size: this.size, lead: 0 })
    const messages = makeMessages(this.size)
    await this.run(messages.length)
    const crc = messages.reduce((crc, message) => crc32c(message, crc), 0)
    const seen = this.channel.stats().worker?.crc
    if (seen !== crc) throw new Error(`the sink's CRC is ${seen}, not ${crc}`)
  }

  async run(count: number): Promise<Run> {
    const watchdog = new Watchdog()
    const goal = this.received() + count
    const begin = performance.now()
    await this.send(count)
    while (this.received() < goal) watchdog.check()
    return { seconds: seconds(begin) }
  }

  async close(): Promise<void> {
    this.channel.cleanup()
  }

  private received(): number {
    const { worker } = this.channel.stats()
    if (worker === undefined) throw new Error('the native worker has ended')
    return worker.received
  }
}

// ---- native to JavaScript: the built-in source; every message carries its number ----

/**
 * Nothing is copied out: what counts is that the source writes into memory its own cache still has.
 */
const inPlace = (size: number) => (size <= 256 ? capacityFor(size) : Math.max(1 << 19, 4 * size))

abstract class FromSource implements Benchmark {
  readonly ours = true
  abstract readonly name: string
  private channel!: SharedMemoryChannel
  protected next = 0
  protected wrong = 0

  constructor(private readonly size: number) {}

  protected abstract receive(channel: SharedMemoryChannel, count: number): void | Promise<void>

  async open(): Promise<void> {
    this.channel = new SharedMemoryChannel(SMALL, inPlace(this.size))
  }

  async run(count: number): Promise<Run> {
    this.next = 0
    this.wrong = 0
    const begin = performance.now()
    this.channel.startWorker({ builtin: 'source', size: this.size, count })
    await this.receive(this.channel, count)
    const run = { seconds: seconds(begin) }
    this.channel.stopWorker()
    if (this.next !== count || this.wrong !== 0) throw new Error(`${this.next} of ${count} came, ${this.wrong} wrong`)
    return run
  }

  async close(): Promise<void> {
    this.channel.cleanup()
  }
}

export class SourceDrain extends FromSource {
  readonly name = 'sabway drain'

  protected receive(channel: SharedMemoryChannel, count: number): void {
    let next = 0
    let wrong = 0
    const take = (bytes: Uint8Array, start: number) => {
      if (wordAt(bytes, start) !== next++) wrong++
    }
    const watchdog = new Watchdog()
    while (next < count) if (channel.drain(take) === 0) watchdog.check()
    this.next = next
    this.wrong = wrong
  }
}

export class SourceLoop extends FromSource {
  readonly name: string

  constructor(
    size: number,
    private readonly copy: boolean,
  ) {
    super(size)
    this.name = copy ? 'sabway startReceiving, own copies' : 'sabway startReceiving, in place'
  }

  protected receive(channel: SharedMemoryChannel, count: number): Promise<void> {
    return new Promise((resolve) => {
      let next = 0
      let wrong = 0
      const take = (message: Uint8Array, start = 0) => {
        if (wordAt(message, start) !== next++) wrong++
        if (next < count) return
        this.next = next
        this.wrong = wrong
        channel.stopReceiving()
        resolve()
      }
      if (this.copy) channel.startReceiving((message) => take(message))
      else channel.startReceiving(take, { copy: false })
    })
  }
}

// ---- the baseline: what addons do without Sabway ----

export interface TsfnBaseline {
  futexRoundTrips(times: Float64Array, bothSleep: boolean): void
  open(callback: (bytes: Uint8Array) => void): void
  ask(): void
  shut(): void
  start(count: number, size: number, queue: number, callback: (bytes: Uint8Array | null) => void): void
}

let loaded: { exports: TsfnBaseline } | undefined

/** Not called .node, so that nothing takes it for Sabway's own addon. */
export function load(): TsfnBaseline {
  if (loaded === undefined) {
    loaded = { exports: {} as TsfnBaseline }
    process.dlopen(loaded, fileURLToPath(new URL('../../Release/tsfn_baseline.addon', import.meta.url)))
  }
  return loaded.exports
}

/** Calls that may wait at a time. */
const QUEUE = 1024

export class ThreadsafeFunction implements Benchmark {
  readonly name = 'threadsafe function, copy'
  readonly ours = false
  private addon!: TsfnBaseline

  constructor(private readonly size: number) {}

  async open(): Promise<void> {
    this.addon = load()
  }

  run(count: number): Promise<Run> {
    return new Promise((resolve, reject) => {
      let next = 0
      let wrong = 0
      const begin = performance.now()
      let run: Run
      this.addon.start(count, this.size, QUEUE, (message) => {
        if (message === null) {
          if (next === count && wrong === 0) resolve(run)
          else reject(new Error(`${next} of ${count} came, ${wrong} wrong`))
          return
        }
        if (wordAt(message, 0) !== next++) wrong++
        if (next === count) run = { seconds: seconds(begin) }
      })
    })
  }

  async close(): Promise<void> {}
}
