/** What Linux tells of this process (test/js/support/threads.ts): a page has no native threads. */
export const readdirSync = (): string[] => []

export function readFileSync(path: string): never {
  throw new Error(`a page cannot read ${path}`)
}

export const chmodSync = readFileSync
