import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { runChild } from '../support/children.js'
import { allOf, type DropArguments } from '../support/drops.js'
import { throwsError } from '../support/errors.js'

async function drops(args: DropArguments, flags: string[] = []): Promise<void> {
  const { code, signal, stdout, stderr } = await runChild('dropped.js', [JSON.stringify(args)], flags)
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  assert.deepEqual(JSON.parse(stdout), allOf(args.group, args.count))
}

describe('memory that cannot be had', () => {
  it('is an error with a code; what there is goes on, and what is given back can be had again', async () => {
    const { code, signal, stdout, stderr } = await runChild('out-of-memory.js', [], ['--expose-gc'])
    assert.deepEqual([code, signal, stderr], [0, null, ''])
    const refusal = 'ERR_SABWAY_OUT_OF_MEMORY'
    assert.deepEqual(JSON.parse(stdout), { early: refusal, refused: refusal, again: refusal, some: true })
  })

  for (const over of ['turn', 'turns'] as const) {
    for (const [share, flags] of [
      ['threads', []],
      ['threads', ['--no-addons']],
      ['processes', []],
      ['processes', ['--disable-wasm-trap-handler']],
    ] as ['threads' | 'processes', string[]][]) {
      it(`is had again from 1,000 dropped channels, ${share}, in one ${over} ${flags}`, () =>
        drops({ group: 'plain', share, over, count: 1000 }, flags))
    }
  }

  // There are addresses for about 100.
  for (const flags of [[], ['--no-addons']]) {
    it(`is had again in the run of code that dropped it, whatever was done with it ${flags}`, () =>
      drops({ group: 'atOnce', share: 'threads', over: 'turn', count: 150 }, flags))

    it(`is had again in the run of code that dropped it, and had blocked ${flags}`, () =>
      drops({ group: 'blockedAtOnce', share: 'threads', over: 'turn', count: 150 }, flags))

    it(`is had again in the run of code that dropped both sides, whatever was done with them ${flags}`, () =>
      drops({ group: 'pairsAtOnce', share: 'threads', over: 'turn', count: 150 }, flags))

    for (const group of ['atOnce', 'blockedAtOnce', 'pairsAtOnce'] as const) {
      it(`is had again in the run of code that dropped it before a turn for another, ${group} ${flags}`, () =>
        drops({ group, share: 'threads', over: 'turn', busy: true, count: 150 }, flags))
    }

    it(`is had again in later turns from what had still something to do ${flags}`, () =>
      drops({ group: 'afterTurns', share: 'threads', over: 'turns', count: 200 }, flags))
  }

  it("is had again in the run of code that dropped it, of share 'processes'", () =>
    drops({ group: 'atOnce', share: 'processes', over: 'turn', count: 150 }))

  for (const [engine, thrown] of [
    ['V8', new RangeError('could not allocate memory')],
    ['Firefox', 'out of memory'],
  ] as const) {
    it(`is told apart from WebAssembly that is forbidden, as ${engine} says it`, () => {
      const { Memory } = WebAssembly
      WebAssembly.Memory = class {
        constructor() {
          throw thrown
        }
      } as never
      try {
        const teaches =
          /8 to 10 GiB.*room for about 12,000; this thread holds \d+: call cleanup.*let the event loop turn/
        throwsError(() => new SharedMemoryChannel(4096, 4096), 'ERR_SABWAY_OUT_OF_MEMORY', teaches)
      } finally {
        WebAssembly.Memory = Memory
      }
    })
  }
})
