/* global SABWAY_SUITE, jest, test, afterEach */
const sabway = require('sabway')
const { suite } = require('./suite.cjs')

let fake = SABWAY_SUITE.faked
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
