// Stands for native.ts in what pages load: they have nothing of Node's, and need not carry the code
// for it.
import type { Aead, Deflate } from './means.js'

export const nativeDeflate = (): Deflate | null => null
export const nativeAead = (): Aead | null => null
export const nativeKey = (_value: unknown): Uint8Array | undefined => undefined
export const inSnapshot = (): boolean => false
