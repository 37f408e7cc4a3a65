import * as sabway from 'sabway'
import { afterEach, test, vi } from 'vitest'
import { suite } from './suite.cjs'

const faked = globalThis.SABWAY_FAKED === true
const clocks = {
  useFake: () => vi.useFakeTimers(),
  useReal: () => vi.useRealTimers(),
  areFake: () => vi.isFakeTimers(),
  advance: (milliseconds) => vi.advanceTimersByTime(milliseconds),
}

suite({ sabway, addon: true, test, afterEach, clocks, faked })
