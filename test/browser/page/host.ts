// Stands in for test/js/support/host.ts in a browser.
export const haveAddon = false

/** Titles of the tests that need the addon: only these may be pending, as suite.ts sees to. */
export const pending = new Set<string>()

export function itNative(title: string, _test: (this: Mocha.Context) => unknown): void {
  pending.add(title)
  it.skip(title)
}
