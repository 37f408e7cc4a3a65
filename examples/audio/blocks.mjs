// What travels: blocks of samples from the synthesizer to the audio thread, and levels from there
// to the page.

/** Samples of a block: what the Web Audio API renders at a time. */
export const BLOCK = 128
export const BLOCK_BYTES = BLOCK * Float32Array.BYTES_PER_ELEMENT

/**
 * A level: the peak since the last one (a float), blocks rendered so far, and how many of them came
 * too late.
 */
export const LEVEL_BYTES = 12
/** Blocks between two levels: about 23 of them a second. */
export const LEVEL_EVERY = 16
