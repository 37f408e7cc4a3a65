import { setTimeout as sleep } from 'node:timers/promises'

/** --expose-gc is in .mocharc.json. */
export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
}

/** Collect until the condition holds: finalizers run in later turns of the event loop. */
export async function collectUntil(condition: () => boolean, what: string, rounds = 500): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    if (condition()) return
    collectGarbage()
    await sleep(i < 20 ? 1 : 20)
  }
  throw new Error(`after ${rounds} garbage collections still not: ${what}`)
}
