// Stands for v8.ts in what pages load: they have no serializer of V8's, and need not carry the code
// for it.
import type { Format } from './format.js'

export const v8Format = (): Format | null => null
