// Work that an object does again and again, as long as it is there.
import { after, LONGEST_TIMER_MS, root, type Timer } from './host.js'

/**
 * Call `act` with the owner every `milliseconds`; with Infinity never. Neither the process nor the
 * owner is kept alive for it. Errors: ERR_SABWAY_UNSUPPORTED.
 */
export function every<T extends object>(owner: T, milliseconds: number, act: (owner: T) => void): Timer {
  const weakly = weak(owner)
  let timer: Timer
  let over = false
  const plan = () => {
    timer = root(() => after(milliseconds, turn))
    timer.unref()
  }
  const turn = () => {
    const there = weakly.deref()
    if (there === undefined || over) return
    plan() // first: `act` may throw
    act(there)
  }
  plan()
  return {
    cancel() {
      over = true
      timer.cancel()
    },
    unref() {},
  }
}

/** Not in `every`, whose functions would hold what any of them names. */
const weak = <T extends object>(owner: T): { deref(): T | undefined } =>
  typeof WeakRef === 'undefined' ? { deref: () => owner } : new WeakRef(owner)

/** The longest interval that a program may ask for, but for Infinity. */
export const LONGEST_INTERVAL_MS = LONGEST_TIMER_MS
