// Everything that Vitest can fake, before the library is loaded.
import { vi } from 'vitest'

vi.useFakeTimers({
  toFake: [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'setImmediate',
    'clearImmediate',
    'Date',
    'performance',
    'queueMicrotask',
  ],
})
globalThis.SABWAY_FAKED = true
