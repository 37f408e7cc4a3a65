// The host of the tests. In a browser test/browser/page/host.ts stands in for this file.

/** Is the native addon there? no-wait-async.test.ts runs tests without it. */
export const haveAddon = !process.execArgv.includes('--no-addons')

/**
 * Do the channels of `open` lie in SharedArrayBuffers? buffers.test.ts runs tests with that.
 */
export const inBuffers = process.env.SABWAY_MEMORY === 'buffer'

/** May this thread block? */
export const mayBlock = true

type Test = (this: Mocha.Context) => unknown

/**
 * A test that needs the native addon or Node, or is about one of them: pending in a browser, and
 * counted there, with the reason if it is another.
 */
export const itNative = (title: string, test: Test, _reason?: string): unknown =>
  haveAddon ? it(title, test) : it.skip(title)

/**
 * A test of how the end of a terminated thread is told: the addon tells it, in a browser a Web Lock
 * does. Node 20 has neither without the addon.
 */
export const itTellsEnds: (title: string, test: Test) => unknown = itNative

/** A test that blocks its thread: pending where that is not allowed, and counted there. */
export const itBlocking = (title: string, test: Test): unknown => it(title, test)
