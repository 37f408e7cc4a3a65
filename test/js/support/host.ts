// The host of the tests. In a browser test/browser/page/host.ts stands in for this file.

/** Is the native addon there? */
export const haveAddon = true

/** A test that needs the native addon, or is about it: pending in a browser, and counted there. */
export const itNative: (title: string, test: (this: Mocha.Context) => unknown) => void = it
