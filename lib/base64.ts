// Base64 by the language alone: an AudioWorklet has neither atob nor TextDecoder.

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The bytes of a text in base64, whose padding may be left out. No other letter than those of base64 may stand in it. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(128)
  for (let i = 0; i < LETTERS.length; i++) values[LETTERS.charCodeAt(i)] = i
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array(Math.floor(((text.length - padding) * 3) / 4))
  let bits = 0
  for (let i = 0, at = 0; at < bytes.length; i++) {
    bits = (bits << 6) | values[text.charCodeAt(i)]!
    const left = (6 * (i + 1)) % 8 // bits of this letter that belong to the next byte
    if (left !== 6) bytes[at++] = bits >>> left // behind the first of four letters no byte is whole yet
  }
  return bytes
}
