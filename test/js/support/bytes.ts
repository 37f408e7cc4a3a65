// Messages whose content can be told from their number alone.

/**
 * Byte i of message `seed`: no two messages of a test look alike, and no shifted copy of one does.
 */
export function pattern(seed: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  fill(bytes, seed)
  return bytes
}

export function fill(bytes: Uint8Array, seed: number): void {
  let state = (seed * 2654435761 + 12345) >>> 0
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
}

/** A copy of `bytes` that starts `misalignment` bytes behind an 8-byte boundary. */
export function placed(bytes: Uint8Array, misalignment: number): Uint8Array {
  const view = new Uint8Array(new ArrayBuffer(bytes.length + 8), misalignment, bytes.length)
  view.set(bytes)
  return view
}

/** Numbers from 0 up to 1 (mulberry32): the same seed gives the same run. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Integers of 32 bits, as many as wanted: the same for each seed. */
export function integers(seed: number): () => number {
  const next = random(seed)
  return () => Math.floor(next() * 2 ** 32)
}
