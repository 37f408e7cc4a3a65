// Messages that are larger than the ring, and than the region, and than 32 bits can count: every
// way of sending says so.
import assert from 'node:assert/strict'
import { SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { keep, pair, takeAll } from '../support/channels.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'

const TOO_LARGE = 'ERR_SABWAY_MESSAGE_TOO_LARGE'
const teaches = (length: number, ring: number) =>
  new RegExp(
    `: (message 1 of the list: )?${length} bytes into a ring of ${ring}; ${
      length > 2 ** 29 ? 'send parts: no ring is larger than 536870912' : 'make the channel larger, or send parts'
    }$`,
  )

async function refused(make: () => Uint8Array, ring: number): Promise<void> {
  const { renderer, native } = pair(ring)
  const batched = keep(new SharedMemoryChannel(ring, ring, { batch: {} }))
  const { length } = make()
  const why = teaches(length, ring)
  const full = pair(ring)
  full.renderer.send(pattern(0, ring))
  full.renderer.send(pattern(0, ring)) // is queued
  for (const act of [
    () => renderer.send(make()),
    () => renderer.trySend(make()),
    () => renderer.sendBatch([pattern(0, 1), make()]),
    () => renderer.reserve(length),
    () => full.renderer.send(make()),
    () => full.renderer.trySend(make()),
    () => full.renderer.sendBatch([pattern(0, 1), make()]),
    () => full.renderer.reserve(length),
    () => batched.send(make()),
    () => batched.trySend(make()),
  ])
    throwsError(act, TOO_LARGE, why)
  await rejectsWith(renderer.sendDirect(make()), TOO_LARGE, why)
  await rejectsWith(full.renderer.sendDirect(make()), TOO_LARGE, why)
  renderer.reserve(8)
  throwsError(() => renderer.commit(length), TOO_LARGE, why)
  renderer.commit(8)
  assert.equal(takeAll(native).length, 1)
  renderer.send(pattern(3, ring - 100)) // the channel goes on
  assert.deepEqual(takeAll(native), [pattern(3, ring - 100)])
  await rejectsWith(renderer.writable.getWriter().write(make()), TOO_LARGE, why)
}

function canBe(length: number): boolean {
  try {
    return new Uint8Array(length).length === length
  } catch {
    return false
  }
}

describe('a message that is too large', () => {
  const cases: [string, number, number][] = [
    ['by a byte', 4097, 4096],
    ['for the whole region', 1 << 20, 4096],
    ['a frame of full HD into a default channel', 1920 * 1080 * 4, 1 << 20],
  ]
  for (const [what, length, ring] of cases) {
    it(`${what}: ${length} bytes into ${ring}`, () => refused(() => new Uint8Array(length), ring))
  }

  // Memory that is never touched costs address space alone. Node 20 makes no array of more than 2
  // ** 32.
  for (const length of [2 ** 29 + 1, 2 ** 31, canBe(2 ** 32 + 16) ? 2 ** 32 + 16 : 2 ** 32]) {
    itNative(`of ${length} bytes`, () => {
      const message = new Uint8Array(length)
      return refused(() => message, 4096)
    })
  }

  it('to reserve, by any number that is a length', () => {
    const { renderer } = pair(4096)
    for (const length of [4097, 2 ** 31, 2 ** 32, 2 ** 32 + 16, 2 ** 53 - 1])
      throwsError(() => renderer.reserve(length), TOO_LARGE, teaches(length, 4096))
  })

  itNative('by codec v8, of more bytes than 31 bits count', () => {
    const renderer = new SharedMemoryChannel<unknown>(4096, 4096, { codec: 'v8' })
    keep(renderer as never)
    const value = { frame: new Uint8Array(2 ** 31), more: new Uint8Array(9) }
    throwsError(() => renderer.send(value), TOO_LARGE, /: 2147\d{6} bytes into a ring of 4096; send parts/)
  })

  for (const codec of ['v8', 'msgpack', 'structured'] as const) {
    itNative(`by codec ${codec}`, async () => {
      const renderer = new SharedMemoryChannel<unknown>(4096, 4096, { codec })
      keep(renderer as never)
      const why = /: (message 1 of the list: )?\d+ bytes into a ring of 4096; make the channel larger, or send parts$/
      for (const value of ['x'.repeat(1 << 21), { frame: new Uint8Array(1 << 21), more: new Uint8Array(9) }]) {
        throwsError(() => renderer.send(value), TOO_LARGE, why)
        throwsError(() => renderer.trySend(value), TOO_LARGE, why)
        throwsError(() => renderer.sendBatch([1, value]), TOO_LARGE, why)
        throwsError(() => renderer.port().postMessage(value), TOO_LARGE, why)
        await rejectsWith(renderer.sendDirect(value), TOO_LARGE, why)
      }
      await rejectsWith(renderer.writable.getWriter().write('x'.repeat(1 << 21)), TOO_LARGE, why)
    })
  }
})
