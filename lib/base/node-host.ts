// What the library asks of its host in programs of Node and Electron only. Loaded with the addon.
import { microtask } from './host.js'

/** On listeners that want to be last: a program may have loaded several copies of this library. */
const LAST = Symbol.for('sabway.last')

/** Run the task behind all other listeners for 'exit', also those that are added later. */
export function lastOnExit(task: () => void): void {
  const program = process
  const isLast = (listener: object) => LAST in listener
  const run = Object.assign(
    () => {
      const listeners = program.listeners('exit')
      if (listeners.slice(listeners.indexOf(run)).every(isLast)) task()
    },
    { [LAST]: true },
  )
  let moves = false
  program.on('exit', run)
  program.on('newListener', (event, listener) => {
    if (event !== 'exit' || moves || isLast(listener)) return
    moves = true
    microtask(() => {
      moves = false
      program.off('exit', run)
      program.on('exit', run)
    })
  })
}

/**
 * Bytes of address space that this process may have; undefined where that is not limited, or the
 * system does not tell.
 */
export function addressLimit(): number | undefined {
  try {
    const limits = process.getBuiltinModule('node:fs').readFileSync('/proc/self/limits', 'latin1')
    const found = /^Max address space +(\d+)/m.exec(limits)
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined // no /proc
  }
}

/** How many regions a process has addresses for, as measured: docs/guide/troubleshooting.md. */
export const roomForRegions = (): string =>
  process.versions.electron === undefined
    ? 'a process of Node has room for about 12,000'
    : 'a process of Electron has room for about 120'
