// Stands in for test/js/support/host.ts in a browser.
export const haveAddon = false
export const inBuffers = false

/** May this thread block? A page's main thread may not. */
export const mayBlock = typeof document === 'undefined'

/**
 * Titles of the tests that cannot run here, each with the reason: only these may be pending, as
 * suite.ts sees to.
 */
export const pending = new Map<string, string>()

type Test = (this: Mocha.Context) => unknown

export function itNative(title: string, _test: Test, reason = 'it needs the native addon, or Node'): void {
  pending.set(title, reason)
  it.skip(title)
}

export const itTellsEnds = (title: string, test: Test): unknown => it(title, test)

export function itBlocking(title: string, test: Test): void {
  if (mayBlock) it(title, test)
  else itNative(title, test, "a page's main thread may not block")
}
