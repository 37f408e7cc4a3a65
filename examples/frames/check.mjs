// What is taken from any of the pipes goes through here: is each frame the next one, is it whole,
// how old is it?
import { createHistogram } from 'node:perf_hooks'
import { crc32c } from 'sabway'
import { decode, FRAME_HEADER, frameBytes } from './layout.mjs'

const clock = () => Number(process.hrtime.bigint()) / 1e9

/**
 * A stretch of frames that are measured together. Frames come one after the other, so it may have
 * several parts.
 */
export class Segment {
  frames = 0
  bytes = 0
  seconds = 0
  #latency = createHistogram()
  #since = null

  add(bytes, latency) {
    this.frames++
    this.bytes += bytes
    this.#latency.record(Math.max(1, latency))
  }

  resume() {
    this.#since ??= clock()
  }

  pause() {
    if (this.#since !== null) this.seconds += clock() - this.#since
    this.#since = null
  }

  get elapsed() {
    return this.seconds + (this.#since === null ? 0 : clock() - this.#since)
  }

  /** What it amounts to. Milliseconds, and null where there was no frame. */
  summary() {
    const seconds = this.elapsed
    const at = (percent) => (this.frames === 0 ? null : this.#latency.percentile(percent) / 1e6)
    return {
      frames: this.frames,
      framesPerSecond: seconds > 0 ? this.frames / seconds : 0,
      bytesPerSecond: seconds > 0 ? this.bytes / seconds : 0,
      latencyP50Ms: at(50),
      latencyP99Ms: at(99),
    }
  }
}

/** Takes the frames of one pipe in their order. */
export class FrameCheck {
  frames = 0
  lost = 0
  wrong = 0
  /** What was wrong first, in words. */
  problem = null
  /** Where frames are counted now, if anywhere: set it with `measure`. */
  #segment = null
  #recent = new Segment()
  #next = 0

  constructor({ width, height }) {
    this.resize({ width, height })
  }

  /** From the next frame on, this is their size. */
  resize({ width, height }) {
    this.width = width
    this.height = height
  }

  /** From the next frame on, count into this segment (null: into none). */
  measure(segment) {
    this.#segment?.pause()
    this.#segment = segment
    segment?.resume()
  }

  /** The sender begins again with frame 0. */
  restart() {
    this.#next = 0
  }

  get next() {
    return this.#next
  }

  /** What came since it was asked last, for the live line. */
  takeRecent() {
    const recent = this.#recent
    this.#recent = new Segment()
    this.#recent.resume()
    return recent.summary()
  }

  /**
   * One message, and when it came. The bytes may lie in shared memory: nothing is copied, and
   * nothing kept.
   */
  take(bytes, now, header = decode(bytes)) {
    this.frames++
    if (header === null) return this.#blame(`message of ${bytes.length} bytes is no frame`)
    const { number, width, height } = header
    if (number > this.#next) {
      this.lost += number - this.#next
      this.problem ??= `frame ${number} came where ${this.#next} was due`
    } else if (number < this.#next) {
      this.#blame(`frame ${number} came again, or late: ${this.#next} was due`)
    }
    this.#next = Math.max(this.#next, number + 1)
    if (width !== this.width || height !== this.height || bytes.length !== frameBytes(width, height)) {
      return this.#blame(
        `frame ${number} is ${width}x${height} in ${bytes.length} bytes, not ${this.width}x${this.height}`,
      )
    }
    if (crc32c(bytes.subarray(FRAME_HEADER)) !== header.crc) return this.#blame(`frame ${number} fails its check sum`)
    const latency = Number(now - header.time)
    this.#segment?.add(bytes.length, latency)
    this.#recent.add(bytes.length, latency)
  }

  /** The sender says that it has sent `total` frames: are the last ones missing? */
  expectTotal(total) {
    if (total === this.#next) return
    this.lost += Math.abs(total - this.#next)
    this.problem ??= `the last frame taken is number ${this.#next - 1}, the last sent number ${total - 1}`
  }

  #blame(problem) {
    this.wrong++
    this.problem ??= problem
  }
}
