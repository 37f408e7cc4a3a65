// Stands in for files of test/js/support that only itNative tests use.
const none = (): never => {
  throw new Error('not in a browser')
}

export const root = new URL('/', globalThis.location.href)
export const plugin = (name: string): string => name
export const rawAddon = none
export const runChild = none
export const openShared = none
export const killAll = async (): Promise<void> => {}
export class Peer {}
