// Messages of one sender, which a stream may bring twice or in another order: each once, in order.

/** Messages that wait for one before them, at most. */
const HELD_MOST = 4096
const HELD_BYTES_MOST = 2 ** 24

export class Sequence {
  #next = 0
  #held = new Map<number, Uint8Array>()
  #heldBytes = 0
  /** When it began to wait for one that is missing. */
  waitsSince: number | undefined

  /**
   * One with its number: `deliver` is given it, and those that it was missing for, unless it
   * returns false. What this returns says what became of it; `'full'`: too many wait for one.
   */
  add(
    number: number,
    bytes: Uint8Array,
    now: number,
    deliver: (bytes: Uint8Array) => boolean,
  ): 'taken' | 'known' | 'full' {
    if (number < this.#next || this.#held.has(number)) return 'known'
    if (number === this.#next) {
      this.#next++
      if (!deliver(bytes)) return 'taken'
      this.#deliverHeld(deliver)
      this.waitsSince = this.#held.size === 0 ? undefined : now
      return 'taken'
    }
    if (this.#held.size >= HELD_MOST || this.#heldBytes + bytes.length > HELD_BYTES_MOST) return 'full'
    this.#held.set(number, bytes)
    this.#heldBytes += bytes.length
    this.waitsSince ??= now
    return 'taken'
  }

  /** Those that are missing do not come: go on with the first of those that are there. */
  skip(now: number, deliver: (bytes: Uint8Array) => boolean): void {
    if (this.#held.size === 0) return
    this.#next = Math.min(...this.#held.keys())
    this.#deliverHeld(deliver)
    this.waitsSince = this.#held.size === 0 ? undefined : now
  }

  #deliverHeld(deliver: (bytes: Uint8Array) => boolean): void {
    for (;;) {
      const bytes = this.#held.get(this.#next)
      if (bytes === undefined) return
      this.#held.delete(this.#next++)
      this.#heldBytes -= bytes.length
      if (!deliver(bytes)) return
    }
  }
}
