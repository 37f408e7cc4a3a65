/* global SABWAY_SUITE */
import { jest } from '@jest/globals'
import * as sabway from 'sabway'
import { suite } from './suite.cjs'

let fake = false
const clocks = {
  useFake() {
    jest.useFakeTimers()
    fake = true
  },
  useReal() {
    jest.useRealTimers()
    fake = false
  },
  areFake: () => fake,
  advance: (milliseconds) => jest.advanceTimersByTime(milliseconds),
}

suite({ ...SABWAY_SUITE, sabway, test, afterEach, clocks })
