// @ts-expect-error: npm's `assert`, Node's own for browsers, brings no types
import assert from 'assert/build/assert.js'

export default assert.strict
