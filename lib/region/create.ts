// How the memory of a new region is made: its size, where it comes from, and what is written into
// it before any thread joins.
import { addonMissing } from '../base/addon.js'
import * as check from '../base/check.js'
import { coreCode, type GuardedCore, NO_HOST, regionBytes, sharedMemory } from '../base/core.js'
import { coreError, SabwayError } from '../base/errors.js'
import { SW_PAGE } from '../generated/abi.js'
import type { Join } from './overlay.js'
import { overlayPart } from './parts.js'

/**
 * Which participants can join: threads of this process, or other processes of the same user, too.
 */
export interface ShareOptions {
  share?: 'threads' | 'processes'
  /** With share 'processes': make it a POSIX shared memory object of that name. */
  name?: string
}

/** Writes the header, and what else is there from the beginning: 0, or the core's error. */
export type Format = (core: GuardedCore, memory: WebAssembly.Memory) => number

/** What sw_token_name_valid allows, which also knows how long a name may be. */
const NAME = /^[\w.-]+$/

/**
 * A region of so many pages, in which `format` writes the header and what else is there from the
 * beginning.
 */
export function create<R>(pages: number, { share, name }: ShareOptions, format: Format, join: Join<R>): R {
  if (share !== undefined) check.oneOf(share, 'share', ['threads', 'processes'])
  if (name !== undefined) {
    if (typeof name !== 'string') check.refuse('ERR_SABWAY_INVALID_TYPE', 'name must be a string', name)
    if (!NAME.test(name))
      check.refuse('ERR_SABWAY_INVALID_ARGUMENT', "name must be letters, digits, '.', '_' or '-'", name)
  }
  const prepare = (memory: WebAssembly.Memory) => {
    const status = format(coreCode.instantiate(memory, NO_HOST).guarded, memory)
    if (status !== 0) throw coreError(status, 'while making a region')
  }
  if (share === 'processes') return overlays().createShared(pages * SW_PAGE, name, prepare, join)
  if (name !== undefined) {
    throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', "a name is for share: 'processes'")
  }
  const memory = sharedMemory(pages)
  prepare(memory)
  return join(memory, null)
}

/** Join the region that the token of another process names. */
export const open = <R>(token: string, join: Join<R>): R => overlays().openShared(token, join)

/** Errors: ERR_SABWAY_NO_ADDON, where the addon is never loaded, as in a page. */
function overlays(): NonNullable<typeof overlayPart.loaded> {
  if (overlayPart.loaded === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return overlayPart.loaded
}

export function pagesFor(rendererToNative: number, nativeToRenderer: number): number {
  return regionBytes(rendererToNative, nativeToRenderer) / SW_PAGE
}
