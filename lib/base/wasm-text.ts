// WebAssembly code as text in a JavaScript file. Base64 would hide from gzip what repeats in the
// code, because the same bytes become other letters at each of three places: it makes the core a
// third larger to load. Here a byte is always the same letters. Decoded by the language alone: an
// AudioWorklet has neither atob nor TextDecoder.

/** The letter of 0. From there to '~' the letters of ASCII follow one another. */
const FIRST = 35
/**
 * What '~' adds to the number of the letter behind it. native/codegen/build.mjs writes what is read
 * here.
 */
const MORE = 91

export function wasmBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  let added = 0
  for (let i = 0; i < text.length; i++) {
    const number = text.charCodeAt(i) - FIRST
    if (number === MORE) added += MORE
    else {
      bytes.push(added + number)
      added = 0
    }
  }
  return Uint8Array.from(bytes)
}
