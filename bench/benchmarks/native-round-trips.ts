// Round trips with a native thread, and their baselines: a futex, a threadsafe function, synckit.
import { fileURLToPath } from 'node:url'
import { SharedMemoryChannel, type WaitPolicy } from 'sabway'
import { createSyncFn } from 'synckit'
import { pause, Watchdog } from '../harness/messages.js'
import type { Benchmark, Run } from './benchmark.js'
import { load } from './native.js'

const BYTES = 64

abstract class RoundTrips implements Benchmark {
  abstract readonly name: string
  readonly ours: boolean = true
  abstract open(): Promise<void>
  abstract close(): Promise<void>
  protected abstract trips(times: Float64Array): void | Promise<void>

  async run(count: number): Promise<Run> {
    const times = new Float64Array(count)
    const begin = performance.now()
    await this.trips(times)
    return { seconds: (performance.now() - begin) / 1000, times }
  }
}

/** To the built-in echo and back. */
export class NativeEcho extends RoundTrips {
  readonly name: string
  private channel!: SharedMemoryChannel

  constructor(
    private readonly how: 'wake, then spin' | 'receiveSync' | 'event loop',
    private readonly wait: WaitPolicy,
    override readonly ours = true,
  ) {
    super()
    this.name = `sabway ${how}, ${wait}`
  }

  async open(): Promise<void> {
    this.channel = new SharedMemoryChannel(65_536, 65_536, { wait: this.wait })
    this.channel.startWorker({ builtin: 'echo' })
  }

  async close(): Promise<void> {
    this.channel.cleanup()
  }

  protected trips(times: Float64Array): void | Promise<void> {
    if (this.how === 'receiveSync') return this.blocking(times)
    return this.how === 'event loop' ? this.looping(times) : this.waking(times)
  }

  private blocking(times: Float64Array): void {
    const message = new Uint8Array(BYTES)
    for (let i = 0; i < times.length; i++) {
      const before = performance.now()
      this.channel.trySend(message)
      this.channel.receiveSync()
      times[i] = performance.now() - before
    }
  }

  /** The native thread sleeps before each trip; this one spins for the answer. */
  private async waking(times: Float64Array): Promise<void> {
    const message = new Uint8Array(BYTES)
    const watchdog = new Watchdog()
    for (let i = 0; i < times.length; i++) {
      await pause()
      const before = performance.now()
      this.channel.trySend(message)
      while (this.channel.drain(() => {}, 1) === 0) watchdog.check()
      times[i] = performance.now() - before
    }
  }

  /** Both sleep before each trip. */
  private async looping(times: Float64Array): Promise<void> {
    const message = new Uint8Array(BYTES)
    let arrived = () => {}
    this.channel.startReceiving(() => arrived())
    for (let i = 0; i < times.length; i++) {
      await pause()
      const before = performance.now()
      await new Promise<void>((resolve) => {
        arrived = resolve
        this.channel.send(message)
      })
      times[i] = performance.now() - before
    }
    this.channel.stopReceiving()
  }
}

/**
 * Two bare threads: one wakes the other by a futex, and spins for its answer after a pause; or each
 * sleeps until the other wakes it.
 */
export class Futex extends RoundTrips {
  readonly name = 'two bare threads on a futex'
  override readonly ours = false

  constructor(private readonly bothSleep: boolean) {
    super()
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}
  protected trips(times: Float64Array): void {
    load().futexRoundTrips(times, this.bothSleep)
  }
}

/** A native thread on a futex that answers by a call of a threadsafe function. */
export class CallPerMessage extends RoundTrips {
  readonly name = 'threadsafe function per message'
  override readonly ours = false
  private arrived = () => {}

  async open(): Promise<void> {
    load().open(() => this.arrived())
  }

  async close(): Promise<void> {
    load().shut()
  }

  protected async trips(times: Float64Array): Promise<void> {
    for (let i = 0; i < times.length; i++) {
      await pause()
      const before = performance.now()
      await new Promise<void>((resolve) => {
        this.arrived = resolve
        load().ask()
      })
      times[i] = performance.now() - before
    }
  }
}

/** A worker that is waited for in Atomics.wait, and answers by postMessage. */
export class Synckit extends RoundTrips {
  readonly name = 'synckit: Atomics.wait and postMessage'
  override readonly ours = false
  private call!: (message: Uint8Array) => Uint8Array

  async open(): Promise<void> {
    this.call = createSyncFn(fileURLToPath(new URL('./synckit-worker.js', import.meta.url)))
  }

  async close(): Promise<void> {}

  protected trips(times: Float64Array): void {
    const message = new Uint8Array(BYTES)
    for (let i = 0; i < times.length; i++) {
      const before = performance.now()
      this.call(message)
      times[i] = performance.now() - before
    }
  }
}
