// What a participant holds of a SharedMemoryPool.
import type { Patience } from '../base/check.js'
import { coreError, type SabwayError } from '../base/errors.js'
import { cloneHint } from '../base/summary.js'
import { OBJECT_ERRORS } from '../generated/abi.js'
import type { HeapMember } from '../heap/member.js'

/** By which another participant takes a block over: `pool.take(shared)`. Structured-cloneable. */
export interface PoolBlockMemory {
  readonly index: number
  /** How often it was given back before: a name from before is none. */
  readonly life: number
  /** The participant that holds it, as a role. */
  readonly holder: number
}

/** How long a call waits for a block or an object, and what ends the waiting. */
export type AcquireOptions = Patience

/** Where a block is that was had. */
export interface PoolPlace {
  readonly member: HeapMember
  /** Of the pool. */
  readonly pointer: number
  readonly generation: number
  /** A block was given back: other calls of this thread may wait for it. */
  onRelease(): void
}

const HINT = cloneHint(
  'A block of a pool stays in its thread: post block.getSharedMemory(), and call take() of the pool there. It',
)
const OVER = new Set<number>([
  OBJECT_ERRORS.ERR_SABWAY_RELEASED.number,
  OBJECT_ERRORS.ERR_SABWAY_NOT_HELD.number,
  OBJECT_ERRORS.ERR_SABWAY_FREED.number,
])

/** A block that this thread holds, until `release`: `using block = pool.acquire()` calls it. */
export class PoolBlock {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = HINT
  /** Which cell of the pool it is: no other block that is held has the same. */
  readonly index: number
  /** Where its bytes are: an offset in the region; 0, where the pool's cells have none. */
  readonly pointer: number
  /**
   * Its bytes, with what the last holder has left. They must not be used any more when the block
   * was released or taken over.
   */
  readonly bytes: Uint8Array
  readonly #place: PoolPlace
  readonly #life: number

  /** @internal */
  constructor(place: PoolPlace, index: number, life: number, bytes: Uint8Array) {
    this.#place = place
    this.index = index
    this.#life = life
    this.bytes = bytes
    this.pointer = bytes.length === 0 ? 0 : bytes.byteOffset
  }

  /**
   * For another participant, which takes the block over; until then it is this one's. Errors:
   * ERR_SABWAY_CLOSED.
   */
  getSharedMemory(): PoolBlockMemory {
    const { member } = this.#place
    member.mustBeOpen()
    return { index: this.index, life: this.#life, holder: member.role }
  }

  /**
   * Give it back. The next holder sees what this one has written. Errors: ERR_SABWAY_RELEASED: it
   * was given back before, by this thread, or for it, because it was taken for dead;
   * ERR_SABWAY_NOT_HELD: another participant has taken it over; ERR_SABWAY_FREED,
   * ERR_SABWAY_CLOSED.
   */
  release(): void {
    this.#place.member.mustBeOpen()
    const status = this.#release()
    if (status !== 0) throw this.#error(status)
  }

  /** As `release`, but a block that is not this thread's any more is left alone. */
  [Symbol.dispose](): void {
    if (this.#place.member.closed) return
    const status = this.#release()
    if (status !== 0 && !OVER.has(status)) throw this.#error(status)
  }

  get [Symbol.toStringTag](): string {
    return 'PoolBlock'
  }

  toJSON(): { index: number; pointer: number; bytes: number } {
    return { index: this.index, pointer: this.pointer, bytes: this.bytes.length }
  }

  #release(): number {
    const { member, pointer, generation } = this.#place
    const status = member.hot.sw_pool_release(member.handle, pointer, generation, this.index, this.#life)
    if (status === 0) this.#place.onRelease()
    return status
  }

  #error(status: number): SabwayError {
    return coreError(status, `block ${this.index} of the pool at ${this.#place.pointer}`)
  }
}
