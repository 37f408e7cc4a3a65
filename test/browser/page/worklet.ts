// Runs in an AudioWorkletGlobalScope, which has neither timers nor MessageChannel: checks in the
// scope itself, and an echo per block.
import { type ChannelHandle, type SabwayError, SharedMemoryChannel } from './sabway.js'

interface Processor {
  readonly port: MessagePort
}
declare const AudioWorkletProcessor: new () => Processor
declare function registerProcessor(name: string, made: new (options: WorkletOptions) => Processor): void

export interface WorkletOptions {
  processorOptions: { handle: ChannelHandle }
}

/**
 * What the worklet posts: what went wrong in its checks, and after each block how many messages it
 * has echoed.
 */
export type WorkletReport = { failures: string[] } | { echoed: number }

const pairOf = (codec?: 'structured') => {
  const renderer = new SharedMemoryChannel<unknown>(8192, 8192, codec && { codec })
  return { renderer, native: SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native' }) }
}

function equal(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what}: ${actual}, expected ${expected}`)
}

const codeOf = (error: unknown): string => (error as SabwayError)?.code ?? String((error as Error)?.stack ?? error)

function code(act: () => unknown): string {
  try {
    act()
    return 'none'
  } catch (error) {
    return codeOf(error)
  }
}

const CHECKS: Record<string, () => unknown> = {
  'bytes by trySend, drain and receiveSync(0)'() {
    const { renderer, native } = pairOf()
    for (let i = 0; i < 1000; i++) {
      equal(renderer.trySend(Uint8Array.of(i & 255, i >>> 8)), true, 'trySend')
      if (i % 2 === 0) equal((native.receiveSync(0) as Uint8Array)[1], i >>> 8, 'receiveSync')
      else
        equal(
          native.drain((bytes, start) => equal(bytes[start], i & 255, 'drain')),
          1,
          'drain',
        )
      equal(native.receiveSync(0), null, 'an empty ring')
    }
  },
  values() {
    const { renderer, native } = pairOf('structured')
    renderer.trySend({ text: 'ä€😀'.repeat(50), map: new Map([[1, 2n]]), floats: Float32Array.of(1, 2.5) })
    const value = native.receiveSync(0) as { text: string; map: Map<number, bigint>; floats: Float32Array }
    equal(value.text, 'ä€😀'.repeat(50), 'text')
    equal(value.map.get(1), 2n, 'map')
    equal(value.floats[1], 2.5, 'floats')
  },
  'a message is the receiver’s own'() {
    const { renderer, native } = pairOf()
    const sent = new Uint8Array(1000).fill(1)
    renderer.trySend(sent)
    const first = native.receiveSync(0) as Uint8Array
    sent.fill(2)
    while (renderer.trySend(sent));
    native.drain(() => {})
    while (renderer.trySend(sent));
    equal(
      first.every((byte) => byte === 1),
      true,
      'the first message is as it was',
    )
    equal(first.buffer instanceof ArrayBuffer, true, 'it is a copy')
  },
  'a full ring: send says that nothing can wait here'() {
    const { renderer, native } = pairOf()
    let sent = 0
    while (renderer.trySend(new Uint8Array(1000))) sent++
    equal(
      code(() => renderer.send(new Uint8Array(1000))),
      'ERR_SABWAY_UNSUPPORTED',
      'send',
    )
    equal(renderer.stats().sent.queued, 0, 'queued')
    equal(
      native.drain(() => {}),
      sent,
      'messages',
    )
    equal(renderer.send(new Uint8Array(1000)), true, 'send where there is room')
  },
  'what waits says so'() {
    const { native } = pairOf()
    for (const act of [
      () => native.startReceiving(() => {}),
      () => native.addEventListener('message', () => {}),
      () => native.addEventListener('close', () => {}),
      () => native.port().start(),
    ])
      equal(code(act), 'ERR_SABWAY_UNSUPPORTED', String(act))
  },
  async 'a promise of a message is rejected'() {
    const { native } = pairOf()
    const why = await native.receive().then(() => 'none', codeOf)
    equal(why, 'ERR_SABWAY_UNSUPPORTED', 'receive')
  },
}

class Tests extends AudioWorkletProcessor {
  readonly #channel: SharedMemoryChannel
  #echoed = 0

  constructor({ processorOptions }: WorkletOptions) {
    super()
    this.#channel = SharedMemoryChannel.attach(processorOptions.handle, { side: 'native' })
    void this.#check()
  }

  async #check(): Promise<void> {
    const failures: string[] = []
    for (const [name, run] of Object.entries(CHECKS)) {
      try {
        await run()
      } catch (error) {
        failures.push(`${name}: ${codeOf(error)}`)
      }
    }
    this.port.postMessage({ failures } satisfies WorkletReport)
  }

  /** Each block: every message that is there goes back, as long as there is room. */
  process(): boolean {
    for (;;) {
      const message = this.#channel.receiveSync(0)
      if (message === null) break
      if (this.#channel.trySend(message)) this.#echoed++
    }
    this.port.postMessage({ echoed: this.#echoed } satisfies WorkletReport)
    return true
  }
}

registerProcessor('tests', Tests)
