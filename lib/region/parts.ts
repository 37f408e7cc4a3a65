// What a region can do without.
import { Part } from '../base/part.js'
import type * as locks from './locks.js'

/** The locks by which the ends of threads without the addon are seen. */
export const lockPart = new Part<Pick<typeof locks, 'hold' | 'letGo'>>()
