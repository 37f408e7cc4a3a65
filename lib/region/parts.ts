// What a region can do without.
import { Part } from '../base/part.js'
import type * as locks from './locks.js'
import type * as overlay from './overlay.js'

/** The locks by which the ends of threads without the addon are seen. */
export const lockPart = new Part<Pick<typeof locks, 'hold' | 'letGo'>>()

/** Memory that processes share. */
export const overlayPart = new Part<Pick<typeof overlay, 'createShared' | 'openShared'>>()
