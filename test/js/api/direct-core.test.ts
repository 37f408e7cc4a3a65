// The native core as the addon gives it to JavaScript, past the library that guards it: each
// argument is bounded by the region. What were not refused would be read or written anywhere in the
// process.
import assert from 'node:assert/strict'
import { abi } from '../support/abi.js'
import { random } from '../support/bytes.js'
import { seed, times } from '../support/effort.js'
import { collectGarbage } from '../support/gc.js'
import { rawAddon } from '../support/paths.js'

type Functions = Record<string, (...args: unknown[]) => unknown>
const addon = rawAddon() as unknown as { directCore: (...args: unknown[]) => Functions }

const RANGE = 'ERR_SABWAY_OUT_OF_RANGE'
const TYPE = 'ERR_SABWAY_INVALID_TYPE'
const STATE = 'ERR_SABWAY_INVALID_STATE'
const SIZE = 20 * abi.SW_PAGE
const PRODUCER = abi.SW_INSTANCES_AT + 6144
const CONSUMER = PRODUCER + 256
const BYTES_OF_PRODUCER = 80

const wake = () => 1
const refused = (act: () => unknown, code: string, why: string) => assert.throws(act, { code }, why)

/** A core on a region with a channel, and the first endpoint as its renderer. */
function made(capacity = 4096) {
  const bytes = new Uint8Array(new SharedArrayBuffer(SIZE))
  const core = addon.directCore(bytes, wake)
  assert.equal(core.sw_region_format!(0, SIZE / abi.SW_PAGE, capacity, capacity), 0)
  assert.equal(core.sw_endpoint_claim!(0, process.pid, 0, 0), 0)
  return { bytes, core }
}

const openProducer = (
  core: Functions,
  at: unknown,
  base: unknown = 0,
  size: unknown = BigInt(SIZE),
  index: unknown = 0,
) => core.sw_channel_open_producer!(at, base, size, abi.SW_HEAP_AT, 0, 0, index)
const openConsumer = (core: Functions, at: unknown) =>
  core.sw_channel_open_consumer!(at, 0, BigInt(SIZE), abi.SW_HEAP_AT, 0, 1, 0)

describe('the native core by itself', () => {
  it('lies on whole pages of shared memory, and on nothing else', () => {
    const shared = (bytes: number) => new SharedArrayBuffer(bytes)
    for (const odd of [
      undefined,
      null,
      5,
      'bytes',
      {},
      shared(SIZE),
      new Uint8Array(SIZE),
      new Int32Array(shared(SIZE)),
    ]) {
      refused(() => addon.directCore(odd, wake), TYPE, String(odd))
    }
    for (const bytes of [0, 1, abi.SW_PAGE, abi.SW_HEAP_AT - abi.SW_PAGE, SIZE + 1, SIZE - 8]) {
      refused(() => addon.directCore(new Uint8Array(shared(bytes)), wake), 'ERR_SABWAY_NOT_A_REGION', `${bytes} bytes`)
    }
    for (const skew of [1, 2, 4]) {
      const view = new Uint8Array(shared(SIZE + abi.SW_PAGE), skew, SIZE)
      refused(() => addon.directCore(view, wake), 'ERR_SABWAY_INVALID_ARGUMENT', `${skew} bytes behind an aligned one`)
    }
    for (const odd of [undefined, null, {}, 5]) {
      refused(() => addon.directCore(new Uint8Array(shared(SIZE)), odd), TYPE, `wake: ${odd}`)
    }
  })

  it('takes no place outside of the region', () => {
    const { core } = made()
    for (const base of [1, 8, -8, 2 ** 31, SIZE]) {
      refused(() => core.sw_region_verify!(base, 20), RANGE, `base ${base}`)
      refused(() => openProducer(core, PRODUCER, base), RANGE, `base ${base}`)
    }
    for (const size of [BigInt(SIZE) + 1n, 2n ** 32n, 2n ** 64n - 1n]) {
      refused(() => openProducer(core, PRODUCER, 0, size), RANGE, `size ${size}`)
      refused(() => core.sw_channel_check!(0, size, abi.SW_HEAP_AT), RANGE, `size ${size}`)
    }
    for (const pages of [21, 65536, -1]) refused(() => core.sw_region_verify!(0, pages), RANGE, `${pages} pages`)
    for (const index of [64, 65, -1, 2 ** 31]) {
      refused(() => openProducer(core, PRODUCER, 0, BigInt(SIZE), index), RANGE, `endpoint ${index}`)
      refused(() => core.sw_endpoint_arm!(0, index, 1), RANGE, `endpoint ${index}`)
      refused(() => core.sw_endpoint_disarm!(0, index), RANGE, `endpoint ${index}`)
      refused(() => core.sw_endpoint_wake_path!(0, index, 1, 1), RANGE, `endpoint ${index}`)
    }
    for (const offset of [0, 8, abi.SW_HEAP_AT - 128, abi.SW_HEAP_AT + 8, SIZE, SIZE - 4096, -128, 2 ** 31]) {
      refused(() => core.sw_channel_format!(0, offset, 4096, 4096), RANGE, `a channel at ${offset}`)
    }
    assert.equal(core.sw_channel_format!(0, abi.SW_HEAP_AT, 1, 1), abi.ERRORS.ERR_SABWAY_OUT_OF_RANGE!.number)
  })

  it('shows a handle inside the region only', () => {
    const { core } = made()
    for (const at of [SIZE, SIZE - BYTES_OF_PRODUCER + 8, 1, 4, PRODUCER + 4, -8, 2 ** 31]) {
      refused(() => openProducer(core, at), RANGE, `at ${at}`)
    }
    assert.equal(openProducer(core, SIZE - BYTES_OF_PRODUCER), 0)
    assert.equal(core.sw_producer_append!(SIZE - BYTES_OF_PRODUCER, 8, 1), abi.ERRORS.ERR_SABWAY_FULL!.number)
  })

  it('has a handle where one was attached, and of that kind', () => {
    const { core } = made()
    for (const name of Object.keys(core).filter((each) => /^sw_(producer|consumer)_/.test(each))) {
      refused(() => core[name]!(PRODUCER, 0, 0, 0), STATE, `${name} of none`)
    }
    assert.equal(openProducer(core, PRODUCER), 0)
    refused(() => core.sw_consumer_release!(PRODUCER), STATE, 'a producer as a consumer')
    refused(() => core.sw_producer_publish!(PRODUCER + 8), STATE, 'of the next offset')
    // one that could not be attached
    assert.equal(openProducer(core, PRODUCER + 128), abi.ERRORS.ERR_SABWAY_SIDE_TAKEN!.number)
    refused(() => core.sw_producer_publish!(PRODUCER + 128), STATE, 'of one that was not attached')
  })

  it('reads slices from the region, and writes them there, and nowhere else', () => {
    const { core } = made()
    openProducer(core, PRODUCER)
    openConsumer(core, CONSUMER)
    for (const [at, count] of [
      [SIZE - 8, 2],
      [SIZE - 4, 1],
      [SIZE, 1],
      [2, 1],
      [0, 2 ** 29],
      [0, 2 ** 32 - 1],
      [-8, 1],
    ]) {
      refused(() => core.sw_producer_append_batch!(PRODUCER, at, count, 1), RANGE, `${count} slices at ${at}`)
      refused(() => core.sw_consumer_peek_batch!(CONSUMER, at, count), RANGE, `${count} slices at ${at}`)
    }
    assert.equal(core.sw_consumer_peek_batch!(CONSUMER, SIZE - 8, 1), 0)
  })

  it('goes by its own handle, whatever is written over the one that it shows', () => {
    const { bytes, core } = made()
    openProducer(core, PRODUCER)
    const words = new Uint32Array(bytes.buffer)
    const next = random(7)
    for (let i = 0; i < times(2000); i++) {
      for (let k = 0; k < BYTES_OF_PRODUCER / 4; k++) words[PRODUCER / 4 + k] = next() * 2 ** 32
      const at = Number(core.sw_producer_reserve!(PRODUCER, 100, 0)) >>> 0
      if (at === 0)
        assert.equal(words[(PRODUCER + abi.sw_producer.status) / 4]! | 0, abi.ERRORS.ERR_SABWAY_FULL!.number)
      else assert.equal(core.sw_producer_push!(PRODUCER, 100), 0)
    }
    assert.equal(core.sw_channel_check!(0, BigInt(SIZE), abi.SW_HEAP_AT), 0)
  })

  it('takes what is no number of the kind that is wanted for an error', () => {
    const { core } = made()
    openProducer(core, PRODUCER)
    for (const odd of [undefined, null, '8', {}, [8], true, 8n, Symbol('8')]) {
      refused(() => core.sw_producer_push!(PRODUCER, odd), TYPE, String(odd))
      refused(() => core.sw_producer_push!(odd, 8), TYPE, String(odd))
      if (typeof odd !== 'bigint' && odd !== undefined)
        refused(() => openProducer(core, PRODUCER, 0, odd), TYPE, String(odd))
    }
    for (const size of [-1n, 2n ** 64n]) refused(() => openProducer(core, PRODUCER, 0, size), TYPE, `${size}`)
    refused(() => core.sw_producer_push!(), TYPE, 'no arguments')
  })

  it('lives as long as one of its functions', () => {
    let core: Functions | null = made().core
    openProducer(core, PRODUCER)
    const { sw_producer_reserve: reserve, sw_producer_push: push } = core
    core = null
    for (let i = 0; i < 5; i++) {
      collectGarbage()
      assert.notEqual(reserve!(PRODUCER, 8, 0), 0)
      assert.equal(push!(PRODUCER, 8), 0)
    }
    assert.deepEqual(Object.getOwnPropertyDescriptor(push!, 'owner')?.configurable, false)
  })

  it('passes on what `wake` throws, and goes on', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(SIZE))
    let thrown: Error | null = new Error('from wake')
    const core = addon.directCore(bytes, () => {
      if (thrown !== null) throw thrown
      return 1
    })
    core.sw_region_format!(0, SIZE / abi.SW_PAGE, 4096, 4096)
    core.sw_endpoint_claim!(0, process.pid, 0, 0)
    openProducer(core, PRODUCER)
    openConsumer(core, CONSUMER)
    core.sw_endpoint_arm!(0, 0, abi.SW_SLEEP_ATOMICS)
    core.sw_producer_reserve!(PRODUCER, 8, 0)
    assert.throws(() => core.sw_producer_push!(PRODUCER, 8), /from wake/)
    thrown = null
    core.sw_endpoint_arm!(0, 0, abi.SW_SLEEP_ATOMICS)
    core.sw_producer_reserve!(PRODUCER, 8, 0)
    assert.equal(core.sw_producer_push!(PRODUCER, 8), 0)
  })

  it('survives any arguments at all', () => {
    const run = seed()
    const next = random(run)
    const below = (limit: number) => Math.floor(next() * limit)
    const { bytes, core } = made()
    const words = new Uint32Array(bytes.buffer)
    openProducer(core, PRODUCER)
    openConsumer(core, CONSUMER)
    const values: (() => unknown)[] = [
      () => 0,
      () => PRODUCER,
      () => CONSUMER,
      () => abi.SW_HEAP_AT,
      () => below(64),
      () => below(2 ** 20),
      () => next() * 2 ** 33 - 2 ** 32,
      () => BigInt(SIZE),
      () => BigInt(below(SIZE)),
      () => undefined,
    ]
    const names = Object.keys(core)
    const known = new Set([RANGE, TYPE, STATE])
    for (let i = 0; i < times(200_000); i++) {
      const name = names[below(names.length)]!
      const given = Array.from({ length: 6 }, () => values[below(values.length)]!())
      if (below(20) === 0) words[below(words.length)] = next() * 2 ** 32
      try {
        core[name]!(...given)
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        assert.ok(known.has(code), `SABWAY_SEED=${run}: ${name}(${given.join(', ')}): ${message}`)
      }
    }
  })
})
