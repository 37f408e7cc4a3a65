// Stands in for test/js/support/generated.ts in a browser.
import * as abi from '../../../lib/generated/abi.js'

export const generated: unknown = abi
