// Codecs that compress and encrypt, by names that can be told to other threads and processes.
import type { Codec, CodecName } from 'sabway'
import { compressed, encrypted } from 'sabway/codecs'

export const KEY = Uint8Array.from({ length: 32 }, (_, i) => (i * 37 + 11) & 255)

export const json: Codec<unknown> = {
  name: 'json',
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes.slice())),
}

/** Such as 'encrypted compressed msgpack'. */
export function codecFor(name: string, key = KEY): Codec<unknown> {
  const [first, ...rest] = name.split(' ')
  const inner = rest.length > 1 ? codecFor(rest.join(' '), key) : rest[0] === 'json' ? json : (rest[0] as CodecName)
  return first === 'compressed' ? compressed<unknown>(inner, { threshold: 256 }) : encrypted<unknown>(inner, { key })
}

/** Bytes of which each seed has others, and which no codec makes smaller. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}
