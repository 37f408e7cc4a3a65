// What a peer may use up in a second.

/** What may be used up, and comes back in a second. */
export class Bucket {
  readonly #most: number
  #left: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#most = perSecond
    this.#left = perSecond
    this.#at = now
  }

  /** Is there so much? Then it is used up. */
  take(amount: number, now: number): boolean {
    if (now > this.#at) {
      this.#left = Math.min(this.#most, this.#left + ((now - this.#at) / 1000) * this.#most)
      this.#at = now
    }
    if (amount > this.#left) return false
    this.#left -= amount
    return true
  }
}
