// A thread, or another process, writes random bytes over a region while both sides use it, natively
// and as WebAssembly, or natively alone over a SharedArrayBuffer, in a child process: a crash, a
// hang, an endless loop or an error that is not Sabway's would show as how the child ends.
import assert from 'node:assert/strict'
import { runChild } from '../support/children.js'
import { seed, times } from '../support/effort.js'

/** SABWAY_SEED=n repeats a run, as far as threads can be repeated. */
const SEED = seed()
const ROUNDS = times(12)

describe(`scribbling over the memory (SABWAY_SEED=${SEED})`, () => {
  for (const share of ['threads', 'processes', 'a SharedArrayBuffer']) {
    for (const [i, where] of ['all', 'control', 'frames', 'instances'].entries()) {
      const title = share === 'a SharedArrayBuffer' ? `over ${share}` : `between ${share}`
      it(`${where}, ${title}: costs error codes at most`, async function () {
        const args = [where, String(SEED + i), String(ROUNDS), share]
        const { code, signal, stdout, stderr } = await runChild('scribbled.js', args)
        assert.deepEqual([code, signal, stderr], [0, null, ''])
        this.test!.title += ` (${stdout.trim()})`
      })
    }
  }
})
