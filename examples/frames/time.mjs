import { setTimeout as wait } from 'node:timers/promises'

/** Rejects with an AbortError when the signal comes first. */
export const sleep = (seconds, signal) => wait(seconds * 1000, undefined, { signal })
