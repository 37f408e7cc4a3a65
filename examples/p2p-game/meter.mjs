// What one peer's messages say of the network between: how many are lost, and how long they take.

/** Milliseconds that are looked back. */
const WINDOW = 3000
/** A number so far behind is of a page that was loaded again. */
const AGAIN = 600
const TRIPS = 15

export class Meter {
  /** @type {{ number: number, at: number }[]} */
  #heard = []
  #highest = -1
  /** @type {number[]} */
  #trips = []

  /**
   * Message `number` of this peer has come. Was it sent after all others that have?
   * @param {number} number
   * @param {number} now
   */
  heard(number, now) {
    if (number < this.#highest - AGAIN) {
      this.#heard = []
      this.#highest = -1
    }
    this.#heard.push({ number, at: now })
    const isNew = number > this.#highest
    if (isNew) this.#highest = number
    return isNew
  }

  /**
   * One of ours was there and back.
   * @param {number} milliseconds
   */
  trip(milliseconds) {
    this.#trips.push(milliseconds)
    if (this.#trips.length > TRIPS) this.#trips.shift()
  }

  /**
   * The share of the last seconds' messages that did not come, from 0 to 1.
   * @param {number} now
   */
  loss(now) {
    while (this.#heard[0] !== undefined && this.#heard[0].at < now - WINDOW) this.#heard.shift()
    if (this.#heard.length < 2) return 0
    const least = Math.min(...this.#heard.map(({ number }) => number))
    const sent = this.#highest - least + 1
    return Math.max(0, 1 - this.#heard.length / sent)
  }

  /** The median of the last trips there and back, in milliseconds; null before the first. */
  get roundTrip() {
    const sorted = [...this.#trips].sort((a, b) => a - b)
    return sorted[sorted.length >> 1] ?? null
  }
}
