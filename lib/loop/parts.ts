// What an event loop can do without.
import { Part } from '../base/part.js'
import type * as endWatch from './end-watch.js'

/** Sees the ends of threads that hold a lock. */
export const endPart = new Part<Pick<typeof endWatch, 'EndWatch' | 'suspect'>>()
