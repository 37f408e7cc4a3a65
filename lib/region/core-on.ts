// The core on whatever a region lies on. WebAssembly code uses memories of its own kind only, so on
// a SharedArrayBuffer the core runs as native code, in threads that have the addon.
import { addonMissing } from '../base/addon.js'
import { isMemory } from '../base/brand.js'
import { type Core, type CoreHost, coreCode } from '../base/core.js'
import { SabwayError } from '../base/errors.js'
import type { RegionMemory } from '../base/region-memory.js'
import { bufferPart } from './parts.js'

const NOT_HERE =
  'only native code runs on a SharedArrayBuffer, WebAssembly has memories of its own; use this region in threads that have the addon, or make it by Region.create, and every thread can join'

/** The core on these bytes of the memory. Errors: of a buffer those of `buffers`. */
export const coreOn = (memory: RegionMemory, bytes: Uint8Array<SharedArrayBuffer>, host: CoreHost): Core =>
  isMemory(memory) ? coreCode.instantiate(memory, host) : buffers().directCore(bytes, host)

/** What regions over SharedArrayBuffers need. Errors: ERR_SABWAY_NO_ADDON. */
export function buffers(): NonNullable<typeof bufferPart.loaded> {
  if (bufferPart.loaded?.hasAddon()) return bufferPart.loaded
  throw new SabwayError('ERR_SABWAY_NO_ADDON', `${addonMissing()}; ${NOT_HERE}`)
}
