// The addon by itself, past the library that guards it: every offset and length is bounded by the
// region, every argument is looked at. What were not refused here would be read or written anywhere
// in the process.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { Region } from 'sabway'
import { abi } from '../support/abi.js'
import { open } from '../support/channels.js'
import { collectGarbage } from '../support/gc.js'
import { rawAddon, root } from '../support/paths.js'

interface Binding {
  ring(offset: unknown, how: unknown): void
  park(ticket: unknown, milliseconds: unknown): void
  copyIn(offset: unknown, bytes: unknown, length?: unknown): void
  carry(side: unknown): void
  watch(channel: unknown): number
  unwatch(id: unknown): void
  startWorker(options: object): number
  close(): void
}

const RANGE = 'ERR_SABWAY_OUT_OF_RANGE'
const TYPE = 'ERR_SABWAY_INVALID_TYPE'
const CLOSED = 'ERR_SABWAY_CLOSED'

/** A region with the addon's binding of this thread, and what of it is behind the channel. */
function bound() {
  const region = Region.open(open(4096, 4096).handle as never)
  const { binding, buffer } = region as unknown as { binding: Binding; buffer: SharedArrayBuffer }
  return { region, binding, size: buffer.byteLength, bytes: new Uint8Array(buffer) }
}

const refused = (act: () => unknown, code: string, why: string) => assert.throws(act, { code }, why)

/** What is no whole number from 0 to 2^32 - 1, each with the code that says so. */
const ODD: [unknown, string][] = [
  [-1, RANGE],
  [-(2 ** 31) - 1, RANGE],
  [0.5, RANGE],
  [2 ** 32, RANGE],
  [2 ** 32 + 8, RANGE],
  [2 ** 53, RANGE],
  [Number.NaN, RANGE],
  [Number.POSITIVE_INFINITY, RANGE],
  [Number.NEGATIVE_INFINITY, RANGE],
  ['8', TYPE],
  [8n, TYPE],
  [null, TYPE],
  [undefined, TYPE],
  [true, TYPE],
  [[8], TYPE],
  [{ valueOf: () => 8 }, TYPE],
]

describe('the addon by itself', () => {
  it('keeps the binding whose `ring` is kept alone', async () => {
    let ring: Binding['ring'] | undefined
    const binding = (() => {
      const made = bound().binding
      ring = made.ring
      return new WeakRef(made)
    })()
    for (let i = 0; i < 5; i++) {
      await sleep(1) // a WeakRef holds what it leads to until the running code ends
      collectGarbage()
    }
    assert.ok(binding.deref() !== undefined, 'the binding')
    ring!(0, abi.SW_SLEEP_ATOMICS)
  })

  it('copies to every place in a region, and to none outside', () => {
    const { binding, size, bytes } = bound()
    for (const length of [0, 1, 7, 64, 4096]) {
      const message = new Uint8Array(length).fill(0xa5)
      binding.copyIn(size - length, message)
      assert.deepEqual(bytes.slice(size - length), message, `${length} bytes at the very end`)
      for (const beyond of [1, 2, 8, 4096, 2 ** 31, 2 ** 32 - 1 - size]) {
        const at = size - length + beyond
        if (at < 2 ** 32) refused(() => binding.copyIn(at, message), RANGE, `${length} bytes at ${at}`)
      }
    }
    refused(
      () => binding.copyIn(1, new Uint8Array(size)),
      RANGE,
      'a message that is as long as the region, one byte late',
    )
    refused(() => binding.copyIn(2 ** 32 - 1, new Uint8Array(1)), RANGE, 'the sum of offset and length wraps')
  })

  it('copies as many bytes as it is told, and never more than there are', () => {
    const { binding, size, bytes } = bound()
    const message = Uint8Array.of(1, 2, 3, 4)
    binding.copyIn(size - 8, message, 3)
    assert.deepEqual(bytes.slice(size - 8), Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0))
    refused(() => binding.copyIn(size - 8, message, 5), RANGE, 'more than there are')
    for (const [value] of ODD) {
      if (value !== undefined) assert.throws(() => binding.copyIn(size - 8, message, value), `${String(value)} bytes`)
    }
    assert.deepEqual(bytes.slice(size - 8), Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0))
  })

  it('looks at what it copies', () => {
    const { binding, size } = bound()
    for (const [value, code] of ODD) refused(() => binding.copyIn(value, new Uint8Array(1)), code, String(value))
    for (const value of [undefined, null, 'text', [1], {}, new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), 8]) {
      refused(() => binding.copyIn(size - 8, value), TYPE, String(value))
    }
    for (const value of [new Int8Array(8), new Uint16Array(4), new Float64Array(1), new Uint8ClampedArray(8)]) {
      refused(() => binding.copyIn(size - 8, value), TYPE, value.constructor.name)
    }
    binding.copyIn(size - 8, Buffer.from('a buffer').subarray(0, 8))
  })

  it('rings words of the region only', () => {
    const { binding, size } = bound()
    for (const how of [1, 2, 3]) {
      binding.ring(0, how)
      binding.ring(size - 4, how)
    }
    for (const at of [size, size + 4, size - 3, size - 1, 1, 2, 2 ** 31, 2 ** 32 - 4]) {
      refused(() => binding.ring(at, 1), RANGE, String(at))
    }
    for (const [value] of ODD) refused(() => binding.ring(value, 1), RANGE, String(value))
    for (const how of [4, -1, Number.NaN, '1', undefined]) refused(() => binding.ring(0, how), RANGE, String(how))
    refused(() => (binding.ring as () => void)(), RANGE, 'nothing')
  })

  it('sleeps for a time that is one', () => {
    const { binding } = bound()
    for (const milliseconds of [0, 0.001, 1]) binding.park(0, milliseconds)
    for (const value of [-1, Number.NaN, Number.NEGATIVE_INFINITY, '1', undefined, null, 1n]) {
      refused(() => binding.park(0, value), RANGE, String(value))
    }
    // A ticket that the doorbell does not have any more: it returns at once, however long it might
    // sleep.
    for (const ticket of [1, -1, 2 ** 32 - 1, -(2 ** 31)]) {
      for (const milliseconds of [1e15, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) binding.park(ticket, milliseconds)
    }
    for (const [value, code] of ODD) {
      if (value !== -1) refused(() => binding.park(value, 0), code, String(value))
    }
  })

  it('takes two sides, three kinds of waiting, and nothing else', () => {
    const { binding } = bound()
    const options = { channel: abi.SW_HEAP_AT, generation: 0, side: 1, builtin: 'echo', json: '{}', wait: 0 }
    for (const channel of [-1, 1.5, 2 ** 32])
      refused(() => binding.startWorker({ ...options, channel }), RANGE, `${channel}`)
    refused(() => binding.startWorker({ ...options, generation: 2 ** 33 }), RANGE, 'a generation')
    for (const side of [2, -1, 2 ** 32]) refused(() => binding.startWorker({ ...options, side }), RANGE, `side ${side}`)
    for (const wait of [3, -1, 1.5]) refused(() => binding.startWorker({ ...options, wait }), RANGE, `wait ${wait}`)
    refused(() => binding.startWorker({ ...options, side: 'native' }), TYPE, 'a side by name')
    for (const odd of [{}, null, 5, { ...options, json: undefined }, { ...options, builtin: undefined }]) {
      assert.throws(() => binding.startWorker(odd as object), JSON.stringify(odd))
    }
    binding.close() // stops those that were started: none
  })

  it('watches any number of channels, and hears the doorbell once', () => {
    const { binding } = bound()
    const ids = [1, 2, 3].map(() => binding.watch(abi.SW_HEAP_AT))
    const bell = binding.watch(0)
    assert.equal(binding.watch(0), bell)
    assert.equal(new Set([...ids, bell]).size, 4)
    for (const id of [...ids, ids[0], 2 ** 32 - 1]) binding.unwatch(id)
    assert.ok(!ids.includes(binding.watch(abi.SW_HEAP_AT)))
    for (const [value, code] of ODD) {
      if (typeof value !== 'number' || !(value >= 0 && value < 2 ** 32)) {
        refused(() => binding.watch(value), value === -1 ? RANGE : code, String(value))
        refused(() => binding.unwatch(value), value === -1 ? RANGE : code, String(value))
      }
    }
    binding.close()
    refused(() => binding.watch(0), CLOSED, 'watch')
  })

  it('does nothing for a region that was closed', () => {
    const { binding } = bound()
    binding.close()
    binding.close()
    refused(() => binding.copyIn(0, new Uint8Array(0)), RANGE, 'copyIn')
    refused(() => binding.ring(0, 1), RANGE, 'ring')
    refused(() => binding.park(0, 0), CLOSED, 'park')
    refused(() => binding.carry(0), CLOSED, 'carry')
    refused(
      () =>
        binding.startWorker({ channel: abi.SW_HEAP_AT, generation: 0, side: 1, builtin: 'echo', json: '{}', wait: 0 }),
      CLOSED,
      'startWorker',
    )
  })

  it('is bound to a region and an endpoint of it', () => {
    const { RegionBinding } = rawAddon() as unknown as { RegionBinding: new (...given: unknown[]) => Binding }
    const { bytes } = bound()
    for (const value of [undefined, null, 'text', new ArrayBuffer(65536), new Float64Array(65536 / 8)]) {
      refused(() => new RegionBinding(value, 9), TYPE, String(value))
    }
    for (const value of [bytes.subarray(4), bytes.subarray(0, 65536), bytes.subarray(65536), new Uint8Array(0)]) {
      refused(() => new RegionBinding(value, 9), 'ERR_SABWAY_NOT_A_REGION', `${value.length} bytes`)
    }
    for (const [value, code] of ODD) {
      if (value !== undefined) refused(() => new RegionBinding(bytes, value), code, `endpoint ${String(value)}`)
    }
    refused(() => new RegionBinding(bytes, abi.SW_ENDPOINTS), RANGE, 'one endpoint too many')
  })

  it('takes a list for rings that has room for one, and is asked for them before there is one', async () => {
    const script = `
      const { createRequire } = require('node:module')
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = createRequire(workerData)('node-gyp-build')(require('node:url').fileURLToPath(workerData))
      const codes = [undefined, [0, 0], new Uint8Array(8), new Int32Array(1), new Int32Array(2)].map((list) => {
        try {
          addon.setDispatcher(() => {}, list)
          return 'taken'
        } catch ({ code }) {
          return code
        }
      })
      parentPort.postMessage([addon.takeRings(), ...codes])`
    const worker = new Worker(script, { eval: true, workerData: root.href })
    const [said] = await once(worker, 'message')
    assert.deepEqual(said, [0, TYPE, TYPE, TYPE, TYPE, 'taken'])
    await worker.terminate()
  })

  it('sums up bytes, and asks for processes by numbers', () => {
    const { alive, crc32c } = rawAddon() as unknown as Record<'alive' | 'crc32c', (...given: unknown[]) => number>
    assert.equal(crc32c(new TextEncoder().encode('123456789'), 0), 0xe3069283)
    for (const value of ['123456789', new ArrayBuffer(8), new Uint16Array(8), undefined]) {
      refused(() => crc32c(value, 0), TYPE, String(value))
    }
    refused(() => crc32c(new Uint8Array(1), '0'), TYPE, 'a sum that is a string')
    assert.equal(alive(process.pid, 0, 0), 1)
    assert.equal(alive(process.pid, -1, -1), 0, 'words as WebAssembly hands them over')
    assert.equal(alive(-1, 0, 0), 0)
    refused(() => alive('1', 0, 0), TYPE, 'a pid that is a string')
    refused(() => alive(2 ** 32 + process.pid, 0, 0), RANGE, 'a pid that wraps')
  })
})
