// Messages of one peer that come in fragments. All that they hold is bounded, whatever the peer
// sends: how many there are, their bytes, and their time.
import type { P2PLimits } from './options.js'
import type { Fragment } from './wire.js'

interface Assembly {
  readonly data: Uint8Array
  readonly count: number
  readonly channel: number
  readonly has: Uint8Array
  readonly begun: number
  missing: number
}

export class Assemblies {
  readonly #limits: Required<P2PLimits>
  /** The oldest first. */
  readonly #all = new Map<number, Assembly>()
  #bytes = 0
  /** Messages that were given up. */
  readonly #lost: () => void

  constructor(limits: Required<P2PLimits>, lost: () => void) {
    this.#limits = limits
    this.#lost = lost
  }

  /**
   * The whole message, when it is that; null: the fragment is one of those that come; undefined: it
   * does not fit the others.
   */
  add(fragment: Fragment, now: number): Uint8Array | null | undefined {
    const { id, index, count, total, channel } = fragment
    const assembly = this.#all.get(id) ?? this.#begin(fragment, now)
    if (assembly === undefined) return null
    if (assembly.count !== count || assembly.data.length !== total || assembly.channel !== channel) return undefined
    if (assembly.has[index] !== 0) return null // it came twice
    assembly.has[index] = 1
    assembly.data.set(fragment.data, fragment.at)
    if (--assembly.missing > 0) return null
    this.#forget(id, assembly)
    return assembly.data
  }

  #begin({ id, total, count, channel }: Fragment, now: number): Assembly | undefined {
    const { assemblies, assemblyBytes } = this.#limits
    if (total > assemblyBytes || assemblies === 0) {
      this.#lost()
      return undefined
    }
    for (const [oldest, assembly] of this.#all) {
      if (this.#all.size < assemblies && this.#bytes + total <= assemblyBytes) break
      this.#giveUp(oldest, assembly)
    }
    const assembly = {
      data: new Uint8Array(total),
      has: new Uint8Array(count),
      missing: count,
      begun: now,
      count,
      channel,
    }
    this.#all.set(id, assembly)
    this.#bytes += total
    return assembly
  }

  /** Give up those whose rest has not come in time. */
  expire(now: number): void {
    for (const [id, assembly] of this.#all) {
      if (now - assembly.begun < this.#limits.assemblyTimeout) break
      this.#giveUp(id, assembly)
    }
  }

  clear(): void {
    for (const [id, assembly] of this.#all) this.#giveUp(id, assembly)
  }

  #giveUp(id: number, assembly: Assembly): void {
    this.#forget(id, assembly)
    this.#lost()
  }

  #forget(id: number, assembly: Assembly): void {
    this.#all.delete(id)
    this.#bytes -= assembly.data.length
  }
}
