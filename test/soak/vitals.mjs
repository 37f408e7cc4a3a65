// What the process takes from the system, over time, and whether it grows.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const MIB = 2 ** 20
const entries = (path) => readdirSync(path).length
const rss = () => (Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024) / MIB

/** Growth that is no leak: caches of the allocator and of V8, threads on their way out. */
const BOUNDS = { rss: 96, threads: 6, files: 12 }
const UNITS = { rss: 'MiB of memory', threads: 'threads', files: 'open files' }

/**
 * Descriptors, without the modules that Node itself leaves open when a thread is terminated while
 * it loads them.
 */
function files() {
  return readdirSync('/proc/self/fd').filter((fd) => !isModule(`/proc/self/fd/${fd}`)).length
}

function isModule(path) {
  try {
    return /\.[cm]?js$/.test(readlinkSync(path))
  } catch {
    return true // closed meanwhile
  }
}

export function vitals() {
  return { rss: rss(), threads: entries('/proc/self/task'), files: files() }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1]

export class Vitals {
  #samples = []

  sample() {
    const now = vitals()
    this.#samples.push(now)
    return now
  }

  /**
   * The last quarter against the second one (the first is for warming up): sentences, none when
   * nothing grows.
   */
  growth() {
    const quarter = this.#samples.length >> 2
    if (quarter < 2) return []
    const early = this.#samples.slice(quarter, 2 * quarter)
    const late = this.#samples.slice(-quarter)
    return Object.entries(BOUNDS).flatMap(([what, bound]) => {
      const before = median(early.map((sample) => sample[what]))
      const after = median(late.map((sample) => sample[what]))
      if (after - before <= bound) return []
      return [`${UNITS[what]} grew from ${before.toFixed(0)} to ${after.toFixed(0)}`]
    })
  }
}
