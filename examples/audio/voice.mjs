// The sound: a melody of plucked tones. The same numbers at each call, so that a test can compare
// them.

const NOTES = [220, 277.18, 329.63, 440, 329.63, 277.18]
const SECONDS_PER_NOTE = 0.25
const HARMONICS = 6

export class Voice {
  #rate
  #frame = 0

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate
  }

  /**
   * The next `count` samples, from index `start` on.
   * @param {Float32Array} into
   * @param {number} start
   * @param {number} count
   */
  render(into, start, count) {
    for (let i = 0; i < count; i++, this.#frame++) {
      const seconds = this.#frame / this.#rate
      const note = Math.floor(seconds / SECONDS_PER_NOTE)
      const since = seconds - note * SECONDS_PER_NOTE
      const angle = 2 * Math.PI * since * (NOTES[note % NOTES.length] ?? 0)
      let sum = 0
      for (let n = 1; n <= HARMONICS; n++) sum += (Math.sin(n * angle) * Math.exp(-6 * n * since)) / n
      into[start + i] = 0.3 * sum
    }
  }
}
