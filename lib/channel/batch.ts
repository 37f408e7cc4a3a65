// Batching: small messages are committed one by one, and published together when there are enough
// of them, or a moment later. They are frames like any others, so the other side, whatever it is,
// need not know.
import * as check from '../base/check.js'
import type { SabwayError } from '../base/errors.js'
import * as host from '../base/host.js'
import { SW_FRAME_HEADER } from '../generated/abi.js'
import type { Producer } from './producer.js'
import type { SendQueue, SendQueueOwner } from './send-queue.js'

export interface BatchOptions {
  /**
   * Bytes of one batch, 8 for each message included (default 16 KiB, or a quarter of the ring).
   * Larger messages go on their own.
   */
  maxBytes?: number
  /**
   * Milliseconds until a batch that is not full is sent (default 1). 0: as soon as the running code
   * is done.
   */
  maxDelayMs?: number
}

const DEFAULT_BYTES = 16384
const LONGEST_MS = 1000

/**
 * What batching a ring of this capacity does. Errors: those of check.options,
 * ERR_SABWAY_OUT_OF_RANGE.
 */
export function batchOptions(given: BatchOptions, capacity: number): Required<BatchOptions> {
  const most = capacity / 4
  const options = check.options(given, 'batch', ['maxBytes', 'maxDelayMs'])
  const { maxBytes = Math.min(DEFAULT_BYTES, most), maxDelayMs = 1 } = options
  check.integer(maxBytes, 'batch.maxBytes', 64, most)
  check.integer(maxDelayMs, 'batch.maxDelayMs', 0, LONGEST_MS)
  return { maxBytes, maxDelayMs }
}

/** Those whose timer runs: their batches are published when the program ends before that. */
const timed = new Set<Batcher>()
/** One listener for the end serves all, from the first batch on. */
let listening = false
/** The program is ending: no timer will fire any more, so no message waits for others. */
let ended = false

function listen(): void {
  listening = true
  host.onEnd((comesBack) => {
    ended = !comesBack
    for (const batcher of timed) batcher.atEnd()
  })
}

export class Batcher {
  readonly #producer: Producer
  readonly #queue: SendQueue
  readonly #owner: Pick<SendQueueOwner, 'report'>
  readonly #maxBytes: number
  readonly #maxDelayMs: number
  /** Bytes in the ring that are not published yet. */
  #unpublished = 0
  #timerRuns = false

  /** `owner`: told of the error of a flush that no call has asked for. */
  constructor(producer: Producer, queue: SendQueue, options: BatchOptions, owner: Pick<SendQueueOwner, 'report'>) {
    const { maxBytes, maxDelayMs } = batchOptions(options, producer.capacity)
    this.#producer = producer
    this.#queue = queue
    this.#owner = owner
    this.#maxBytes = maxBytes
    this.#maxDelayMs = maxDelayMs
    if (maxDelayMs !== 0) host.needTimers('give batch.maxDelayMs: 0')
  }

  send(message: Uint8Array): boolean {
    return this.#add(message) || this.#queue.send(message)
  }

  trySend(message: Uint8Array): boolean {
    return this.#add(message) || this.#queue.trySend(message)
  }

  /** False: the message has to go on its own, behind the batch, which is published now. */
  #add(message: Uint8Array): boolean {
    const length = check.message(message)
    const bytes = SW_FRAME_HEADER + length
    if (this.#unpublished + bytes > this.#maxBytes) this.flush()
    if (bytes > this.#maxBytes || ended || !this.#producer.appendUnpublished(message, length)) {
      this.flush()
      return false
    }
    this.#unpublished += bytes
    if (!this.#timerRuns) this.#plan()
    return true
  }

  #plan(): void {
    this.#timerRuns = true
    timed.add(this)
    if (!listening) listen()
    if (this.#maxDelayMs === 0) host.microtask(this.#onTime)
    else host.after(this.#maxDelayMs, this.#onTime)
  }

  readonly #onTime = (): void => {
    this.#timerRuns = false
    timed.delete(this)
    try {
      this.flush()
    } catch (error) {
      this.#owner.report(error as SabwayError)
    }
  }

  /**
   * What cannot be sent at the end is lost as it would be without batching: no call is left to
   * tell.
   */
  atEnd(): void {
    try {
      this.flush()
    } catch {
      // The other side is done, or the memory was overwritten.
    }
  }

  /** Publish the batch. */
  flush(): void {
    if (this.#unpublished === 0) return
    this.#unpublished = 0
    this.#producer.publish()
  }
}
