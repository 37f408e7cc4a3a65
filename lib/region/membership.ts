// This thread's membership of a region: an endpoint, the core on the region's bytes, and the
// addon's binding where there is an addon. Others see it by the endpoint's words:
//
//   free --claim and bind--> claimed, no skills --skills--> in use --leave--> free
//
// With the addon it is one call: where the thread ends behind it, the binding gives the endpoint
// back, and where the process does, others ask the operating system and take it. Without, a crash
// leaves the endpoint claimed, and others see the end of the thread by its Web Lock (endpoint.ts),
// if it held one. What the constructor throws behind the claim gives the endpoint back.
import { type Addon, addon, type Identity, type RegionBinding, type SharedMemory } from '../base/addon.js'
import type { CoreHost, GuardedCore, HotCore, Offset } from '../base/core.js'
import { adopt, coreError, SabwayError } from '../base/errors.js'
import { bytesOf, type RegionMemory } from '../base/region-memory.js'
import {
  SW_ENDPOINTS,
  SW_INSTANCE_BYTES,
  SW_INSTANCES_AT,
  SW_PAGE,
  SW_REGION_PROCESSES,
  SW_SLEEP_ATOMICS,
  SW_SLEEP_FUTEX,
  SW_STACK_BYTES,
  SW_WAKES_ATOMICS,
  SW_WAKES_FUTEX,
  sw_endpoint,
  sw_instance,
  sw_region_header,
} from '../generated/abi.js'
import type { Commons } from './commons.js'
import { coreOn } from './core-on.js'
import { endpointWord, evict, leave, roleOf, stay } from './endpoint.js'
import { heapPart } from './parts.js'

/**
 * What a region asks of the addon: of this context's, or of the one in the preload script of an
 * Electron page.
 */
export interface RegionHost {
  alive: Addon['alive']
  /**
   * Take an endpoint: from now on it is rung, and given back when the addon's environment ends.
   * `claim` takes one for that process.
   */
  join(bytes: Uint8Array<SharedArrayBuffer>, claim: (of: Identity) => number, away?: SharedMemory): Joined
}

interface Joined {
  endpoint: number
  binding: RegionBinding | null
}

/** Without an addon there is no process to tell of. */
const ALONE: Identity = { pid: 1, startLow: 0, startHigh: 0 }

/** By the addon of this context; null where there is none. */
export function ownHost(): RegionHost | null {
  const native = addon()
  if (native === null) return null
  return {
    alive: native.alive,
    join(bytes, _claim, away) {
      const binding = new native.RegionBinding(bytes, undefined, away)
      return { endpoint: mustBeClaimed(binding.endpoint), binding }
    },
  }
}

/** What the core's import for waking needs, and what it counts. */
interface Waking {
  readonly words: Int32Array<SharedArrayBuffer>
  readonly commons: Commons
  binding: RegionBinding | null
  processes: boolean
  wakes: number
}

/** Wake the sleeper of that doorbell. 0 when this thread cannot. */
function wake(waking: Waking, doorbell: Offset, how: number): number {
  const { words, commons, binding } = waking
  const at = doorbell >>> 0
  if (at >= words.byteLength || at % 4 !== 0) return 1 // from a handle that was overwritten
  if (how === SW_SLEEP_FUTEX && binding === null) return 0
  waking.wakes++
  commons.rouse()
  if (commons.secluded) return 1
  if (how === SW_SLEEP_ATOMICS || binding === null) Atomics.notify(words, at >>> 2)
  // V8's waiters are this process's only: for those of another the futex is where its relay can
  // hear it.
  if (how !== SW_SLEEP_ATOMICS || waking.processes) binding?.ring(at, how)
  return 1
}

export class Membership {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  readonly words: Int32Array<SharedArrayBuffer>
  readonly size: bigint
  /** What code on this memory asks of its host, in this thread. */
  readonly codeHost: CoreHost
  readonly core: GuardedCore
  readonly hot: HotCore
  readonly processes: boolean
  readonly endpoint: number
  readonly instance: Offset
  readonly commons: Commons
  readonly binding: RegionBinding | null
  /**
   * Not the Region: the core's imports hold this, and the instance lives as long as its exports are
   * held.
   */
  readonly #waking: Waking
  /** Names this claim of the endpoint. */
  readonly #role: number
  /** Without the addon: calls off what is to be done when `owner` is collected. */
  readonly #forgetOwner: (() => void) | null

  /**
   * Join the region in `memory`. Where there is no addon the endpoint is given back when `owner` is
   * collected, which this does not hold. `away`: the shared memory, where the region is a private
   * copy.
   */
  constructor(
    owner: object,
    commons: Commons,
    memory: RegionMemory,
    host: RegionHost | null,
    away: SharedMemory | undefined,
  ) {
    const bytes = bytesOf(memory)
    this.bytes = bytes
    const words = new Int32Array(bytes.buffer, 0, bytes.length / 4)
    this.words = words
    const size = BigInt(bytes.length)
    this.size = size
    this.commons = commons
    const waking: Waking = { words, commons, binding: null, processes: false, wakes: 0 }
    this.#waking = waking
    this.codeHost = {
      wake: (doorbell, how) => wake(waking, doorbell, how),
      alive: host === null ? () => 1 : host.alive,
    }
    const { guarded: core, hot, stackPointer } = coreOn(memory, bytes, this.codeHost)
    this.core = core
    this.hot = hot
    const status = core.sw_region_verify(0, bytes.length / SW_PAGE)
    if (status !== 0) throw coreError(status, describeHeader(words))
    const empty = core.sw_region_channel(0, size) === 0 && core.sw_region_heap(0, size) === 0
    if (empty) throw new SabwayError('ERR_SABWAY_CORRUPT', 'its header names a place where no channel can be')
    this.processes = (Atomics.load(words, sw_region_header.flags >>> 2) & SW_REGION_PROCESSES) !== 0
    waking.processes = this.processes
    let claimed = -1
    const claim = ({ pid, startLow, startHigh }: Identity) => {
      claimed = mustBeClaimed(core.sw_endpoint_claim(0, pid, startLow, startHigh))
      return claimed
    }
    let joined: Joined
    try {
      joined = host?.join(bytes, claim, away) ?? { endpoint: claim(ALONE), binding: null }
    } catch (error) {
      // A fresh claim holds nothing, and the core has no stack yet.
      if (claimed >= 0) core.sw_endpoint_release_role(0, roleOf(words, claimed))
      throw adopt(error)
    }
    const { endpoint, binding } = joined
    this.endpoint = endpoint
    this.binding = binding
    this.instance = SW_INSTANCES_AT + endpoint * SW_INSTANCE_BYTES
    stackPointer.value = this.instance + sw_instance.stack + SW_STACK_BYTES
    this.#role = roleOf(words, endpoint)
    heapPart.loaded?.evictOwn(this, endpoint) // what earlier owners have left
    waking.binding = binding
    // Before the stay, which may add to them.
    core.sw_endpoint_set_skills(0, endpoint, binding === null ? SW_WAKES_ATOMICS : SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
    this.#forgetOwner =
      binding === null
        ? commons.evictWhenCollected(
            owner,
            endpoint,
            (other) => leave(this, roleOf(words, other)),
            () => stay(this),
          )
        : null
  }

  /** Calls made to wake others. */
  get wakes(): number {
    return this.#waking.wakes
  }

  /** Give the endpoint and its roles back. Once. */
  leave(): void {
    const { core, words, endpoint, binding } = this
    Atomics.notify(words, endpointWord(endpoint, sw_endpoint.doorbell)) // V8 need not keep our wait
    if (binding === null) {
      this.#forgetOwner?.()
      leave(this, this.#role)
      return
    }
    // While JavaScript can: sleepers that relied on this relay find another mechanism.
    core.sw_endpoint_set_skills(0, endpoint, SW_WAKES_ATOMICS | SW_WAKES_FUTEX)
    core.sw_relay_serve(0)
    evict(this, this.#role)
    binding.close()
  }
}

/** The index, which is an error where it is negative. */
function mustBeClaimed(index: number): number {
  if (index < 0)
    throw coreError(index, `a region has room for ${SW_ENDPOINTS} threads; clean up channels no longer used`)
  return index
}

function describeHeader(words: Int32Array): string {
  const hex = (field: number) => `0x${(words[field >>> 2]! >>> 0).toString(16)}`
  return (
    `its header says magic ${hex(sw_region_header.magic)}, layout ${hex(sw_region_header.layout_hash)}; ` +
    'open handles of regions made by the same version of Sabway'
  )
}
