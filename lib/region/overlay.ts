// Memory that processes share, as a WebAssembly.Memory: the addon maps it over a new one, whose
// `buffer` is the shared memory from then on. Where the system has no way to do that, the
// WebAssembly.Memory is a private region with the same channel, and the addon copies messages
// between the two. Loaded with the addon.
import { type Addon, addon, addonMissing, reclaiming, type SharedMemory } from '../base/addon.js'
import { sharedMemory } from '../base/core.js'
import { adopting, SabwayError } from '../base/errors.js'
import { SW_PAGE } from '../generated/abi.js'

/**
 * Join the region in this memory. `copied`: why it is a private copy of the shared one; undefined
 * where it is that.
 */
export type Join<R> = (memory: WebAssembly.Memory, shared: SharedMemory | null, copied?: string) => R

/** New memory of so many bytes, in which `prepare` writes a region. */
export function createShared<R>(
  bytes: number,
  name: string | undefined,
  prepare: (memory: WebAssembly.Memory) => void,
  join: Join<R>,
): R {
  const { SharedMemory } = needAddon()
  return reclaiming(() => overlaid(() => new SharedMemory(bytes, name), prepare, join), true)
}

/** The memory that the token of another process names. */
export function openShared<R>(token: string, join: Join<R>): R {
  const { SharedMemory } = needAddon()
  return reclaiming(() => overlaid(() => new SharedMemory(token), null, join), true)
}

function needAddon(): Addon {
  const native = addon()
  if (native === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return native
}

function overlaid<R>(
  open: () => SharedMemory,
  prepare: ((memory: WebAssembly.Memory) => void) | null,
  join: Join<R>,
): R {
  const shared = adopting(open)
  try {
    const memory = sharedMemory(shared.size() / SW_PAGE)
    const bytes = new Uint8Array(memory.buffer)
    const copied = whyNotOverlaid(shared, bytes)
    prepare?.(memory)
    if (copied !== undefined) adopting(() => shared.mirror(bytes, prepare !== null))
    return join(memory, shared, copied)
  } catch (error) {
    shared.close()
    throw error
  }
}

function whyNotOverlaid(shared: SharedMemory, bytes: Uint8Array): string | undefined {
  try {
    adopting(() => shared.overlay(bytes))
    return undefined
  } catch (error) {
    if ((error as SabwayError).code !== 'ERR_SABWAY_UNSUPPORTED') throw error
    return (error as SabwayError).message
  }
}
