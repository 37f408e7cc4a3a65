// Batching: small messages are committed one by one, and published together when there are enough of them, or a moment later.
// They are frames like any others, so the other side, whatever it is, need not know.
import * as check from '../base/check.js'
import type { SabwayError } from '../base/errors.js'
import * as host from '../base/host.js'
import { SW_FRAME_HEADER } from '../generated/abi.js'
import type { Producer } from './producer.js'

export interface BatchOptions {
  /** Bytes of one batch, 8 for each message included (default 16 KiB, or a quarter of the ring). Larger messages go on their own. */
  maxBytes?: number
  /** Milliseconds until a batch that is not full is sent (default 1). 0: as soon as the running code is done. */
  maxDelayMs?: number
}

const DEFAULT_BYTES = 16384
const LONGEST_MS = 1000

/** What batching a ring of this capacity does. Errors: those of check.options, ERR_SABWAY_OUT_OF_RANGE. */
export function batchOptions(given: BatchOptions, capacity: number): Required<BatchOptions> {
  const most = capacity / 4
  const options = check.options(given, 'batch', ['maxBytes', 'maxDelayMs'])
  const { maxBytes = Math.min(DEFAULT_BYTES, most), maxDelayMs = 1 } = options
  check.integer(maxBytes, 'batch.maxBytes', 64, most)
  check.integer(maxDelayMs, 'batch.maxDelayMs', 0, LONGEST_MS)
  return { maxBytes, maxDelayMs }
}

/** Those whose time is running: what they hold is sent when the program ends before. */
const holding = new Set<Batcher>()
/** One listener for the end serves all, from the first batch on. */
let listening = false
/** The program is ending: no time will run out any more, so nothing is held. */
let ended = false

function listen(): void {
  listening = true
  host.onEnd((comesBack) => {
    ended = !comesBack
    for (const batcher of holding) batcher.atEnd()
  })
}

export class Batcher {
  private readonly maxBytes: number
  private readonly maxDelayMs: number
  private held = 0
  private timed = false

  constructor(
    private readonly producer: Producer,
    options: BatchOptions,
    /** Told of the error of a flush that no call has asked for. */
    private readonly report: (error: SabwayError) => void,
  ) {
    const { maxBytes, maxDelayMs } = batchOptions(options, producer.capacity)
    this.maxBytes = maxBytes
    this.maxDelayMs = maxDelayMs
    if (maxDelayMs !== 0) host.needTimers('give batch.maxDelayMs: 0')
  }

  send(message: Uint8Array): boolean {
    return this.add(message) || this.producer.send(message)
  }

  trySend(message: Uint8Array): boolean {
    return this.add(message) || this.producer.trySend(message)
  }

  /** False: it has to go on its own, behind what is flushed now. */
  private add(message: Uint8Array): boolean {
    const length = check.message(message)
    const bytes = SW_FRAME_HEADER + length
    if (this.held + bytes > this.maxBytes) this.flush()
    if (bytes > this.maxBytes || ended || !this.producer.hold(message, length)) {
      this.flush()
      return false
    }
    this.held += bytes
    if (!this.timed) this.plan()
    return true
  }

  private plan(): void {
    this.timed = true
    holding.add(this)
    if (!listening) listen()
    if (this.maxDelayMs === 0) host.microtask(this.onTime)
    else host.after(this.maxDelayMs, this.onTime)
  }

  private readonly onTime = (): void => {
    this.timed = false
    holding.delete(this)
    try {
      this.flush()
    } catch (error) {
      this.report(error as SabwayError)
    }
  }

  /** What cannot be sent at the end is lost as it would be without batching: there is no time left to tell. */
  atEnd(): void {
    try {
      this.flush()
    } catch {
      // The other side is done, or the memory was overwritten.
    }
  }

  /** Send what is there. */
  flush(): void {
    if (this.held === 0) return
    this.held = 0
    this.producer.publish()
  }
}
