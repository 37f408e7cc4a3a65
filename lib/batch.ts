// Batching: small messages are written side by side into one reservation of the ring, and published together when it is full, or
// a moment later. They are frames like any others, so the other side, whatever it is, need not know.
import * as check from './check.js'
import { copyIn } from './copy.js'
import { SabwayError } from './errors.js'
import { SW_ALIGN, SW_FRAME_DATA, SW_FRAME_HEADER, sw_frame } from './generated/abi.js'
import type { Outgoing } from './outgoing.js'
import type { Region } from './region.js'

export interface BatchOptions {
  /** Bytes of one batch, 8 for each message included (default 16 KiB, or a quarter of the ring). Larger messages go on their own. */
  maxBytes?: number
  /** Milliseconds until a batch that is not full is sent (default 1). 0: as soon as the running code is done. */
  maxDelayMs?: number
}

const DEFAULT_BYTES = 16384
const LONGEST_MS = 1000

export class Batcher {
  private readonly bytes: Uint8Array
  private readonly words: Int32Array
  private readonly maxBytes: number
  private readonly maxDelayMs: number
  private at = 0
  private end = 0
  private start = 0
  private count = 0
  private payload = 0
  private timed = false

  constructor(
    private readonly region: Region,
    private readonly outgoing: Outgoing,
    options: BatchOptions,
    /** Told what a flush that nobody called has met. */
    private readonly report: (error: SabwayError) => void,
  ) {
    const most = outgoing.capacity / 4
    if (typeof options !== 'object' || options === null)
      throw new SabwayError('ERR_SABWAY_INVALID_TYPE', 'batch must be { maxBytes, maxDelayMs }')
    const { maxBytes = Math.min(DEFAULT_BYTES, most), maxDelayMs = 1 } = options
    check.integer(maxBytes, 'batch.maxBytes', 64, most)
    check.integer(maxDelayMs, 'batch.maxDelayMs', 0, LONGEST_MS)
    this.maxBytes = maxBytes & ~(SW_ALIGN - 1)
    this.maxDelayMs = maxDelayMs
    this.bytes = region.bytes
    this.words = region.words
  }

  send(message: Uint8Array): boolean {
    return this.add(message) || this.outgoing.send(message)
  }

  trySend(message: Uint8Array): boolean {
    return this.add(message) || this.outgoing.trySend(message)
  }

  /** False: it has to go on its own, behind what is flushed now. */
  private add(message: Uint8Array): boolean {
    if (!(message instanceof Uint8Array)) check.bytes(message)
    const { length } = message
    const span = (SW_FRAME_HEADER + length + (SW_ALIGN - 1)) & ~(SW_ALIGN - 1)
    if (span > this.end - this.at && !this.begin(span)) return false
    const word = this.at >>> 2
    this.words[word + (sw_frame.length >>> 2)] = SW_FRAME_HEADER + length
    this.words[word + (sw_frame.info >>> 2)] = SW_FRAME_DATA
    copyIn(this.bytes, this.at + SW_FRAME_HEADER, message, length, this.region.binding)
    this.at += span
    this.count++
    this.payload += length
    return true
  }

  private begin(span: number): boolean {
    this.flush()
    if (span > this.maxBytes) return false
    const at = this.outgoing.openRun(this.maxBytes - SW_FRAME_HEADER)
    if (at === 0) return false
    this.start = this.at = at - SW_FRAME_HEADER
    this.end = this.start + this.maxBytes
    if (!this.timed) {
      this.timed = true
      if (this.maxDelayMs === 0) queueMicrotask(this.onTime)
      else setTimeout(this.onTime, this.maxDelayMs)
    }
    return true
  }

  private readonly onTime = (): void => {
    this.timed = false
    try {
      this.flush()
    } catch (error) {
      this.report(error as SabwayError)
    }
  }

  /** Send what is there. */
  flush(): void {
    if (this.end === 0) return
    const { at, start, count, payload } = this
    this.at = this.end = this.count = this.payload = 0
    this.outgoing.pushRun(at - start, count, payload)
  }
}
