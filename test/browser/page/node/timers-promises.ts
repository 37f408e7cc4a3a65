import * as timers from './timers.js'

export const setImmediate = (): Promise<void> => new Promise((resolve) => timers.setImmediate(resolve))

export const setTimeout = (ms: number): Promise<void> => new Promise((resolve) => globalThis.setTimeout(resolve, ms))
