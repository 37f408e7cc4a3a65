// A part of the library that only some entry points load. Each room has a slot for what it can do
// without, or can have only when it was loaded, and names it by type alone: so no bundler keeps a
// part that no entry point provides. load.ts, whole.ts and objects.ts
// provide them.
import { SabwayError } from './errors.js'

export class Part<T> {
  readonly #wayOut: string
  #loaded: T | null = null

  /** `wayOut`: what a program is to do that asks for it where it is not loaded. */
  constructor(wayOut = "is not in 'sabway/bytes'; import 'sabway' in this thread, in its place or beside it") {
    this.#wayOut = wayOut
  }

  provide(part: T): void {
    this.#loaded = part
  }

  /** Null where no entry point has provided it. */
  get loaded(): T | null {
    return this.#loaded
  }

  /** The part, for `what` a program asks for. Errors: ERR_SABWAY_NOT_LOADED. */
  for(what: string): T {
    if (this.#loaded !== null) return this.#loaded
    throw new SabwayError('ERR_SABWAY_NOT_LOADED', `${what} ${this.#wayOut}`)
  }
}
