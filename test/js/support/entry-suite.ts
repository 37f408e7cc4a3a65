// What every entry point of the package can do, whichever it is and however it is loaded.
import assert from 'node:assert/strict'
import type * as Sabway from 'sabway'
import { pattern } from './bytes.js'
import { within } from './wait.js'

type Entry = Pick<typeof Sabway, 'SharedMemoryChannel' | 'SabwayError' | 'crc32c'>

/**
 * Declares the tests. `codecs` are those that the entry must have beside 'bytes'; of others it must
 * say that they are not there.
 */
export function entrySuite(
  name: string,
  load: () => Promise<Entry>,
  { v8, addon }: { v8: boolean; addon: boolean },
): void {
  describe(`the entry point ${name}`, () => {
    const made: Sabway.SharedMemoryChannel<unknown>[] = []
    let entry: Entry
    before(async () => {
      entry = await load()
    })
    afterEach(() => {
      for (const channel of made.splice(0)) channel.cleanup()
    })
    const pair = (options?: object) => {
      const renderer = new entry.SharedMemoryChannel<unknown>(1 << 16, 1 << 16, options)
      made.push(renderer)
      const native = entry.SharedMemoryChannel.attach<unknown>(renderer.handle, { side: 'native' })
      made.push(native)
      return { renderer, native }
    }

    it('sends bytes both ways', async () => {
      const { renderer, native } = pair()
      renderer.send(pattern(1, 1000))
      native.send(pattern(2, 2000))
      assert.deepEqual(await within(native.receive(), 'a message'), pattern(1, 1000))
      assert.deepEqual(await within(renderer.receive(), 'a message'), pattern(2, 2000))
    })

    for (const codec of v8 ? ['structured', 'msgpack', 'v8'] : ['structured', 'msgpack']) {
      it(`has the codec '${codec}'`, async () => {
        const { renderer, native } = pair({ codec })
        const value = { map: new Map([[1, new Set(['x'])]]), floats: Float32Array.of(1, 2), at: new Date(5), big: 5n }
        renderer.send(value)
        assert.deepEqual(await within(native.receive(), 'a value'), value)
        native.send([value])
        assert.deepEqual(await within(renderer.receive(), 'a value'), [value])
        assert.throws(() => renderer.send(() => {}), { code: 'ERR_SABWAY_NOT_ENCODABLE' })
        assert.equal(renderer.handle.codec, codec === 'structured' ? (v8 ? 'v8' : 'msgpack') : codec)
      })
    }

    for (const codec of ['bytes', 'structured'] as const) {
      it(`has port(), on a channel with the codec '${codec}'`, async () => {
        const { renderer, native } = pair({ codec })
        const there = native.port()
        there.onmessage = ({ data }) => there.postMessage({ echo: data })
        const here = renderer.port()
        const answer = new Promise((resolve) => {
          here.onmessage = ({ data }) => resolve(data)
        })
        here.postMessage([1, new Map([[2, 3]])])
        assert.deepEqual(await within(answer, 'the echo'), { echo: [1, new Map([[2, 3]])] })
        here.close()
      })
    }

    it('throws errors of its own class, with codes', () => {
      const wrong = [
        [() => new entry.SharedMemoryChannel(4096, 4096, { codec: 'yaml' as never }), 'ERR_SABWAY_INVALID_ARGUMENT'],
        [() => entry.SharedMemoryChannel.attach(5 as never, { side: 'native' }), 'ERR_SABWAY_INVALID_TYPE'],
        [() => pair().renderer.send('text'), 'ERR_SABWAY_INVALID_TYPE'],
      ] as const
      for (const [act, code] of wrong) {
        assert.throws(act, (error) => error instanceof entry.SabwayError && error.code === code)
      }
      if (!v8) assert.throws(() => pair({ codec: 'v8' }), { code: 'ERR_SABWAY_INVALID_ARGUMENT', message: /msgpack/ })
    })

    it(`has crc32c, which ${addon ? 'counts' : 'says that it needs the addon'}`, () => {
      const sum = () => entry.crc32c(new TextEncoder().encode('123456789'))
      if (addon) assert.equal(sum(), 0xe3069283)
      else assert.throws(sum, { code: 'ERR_SABWAY_NO_ADDON' })
    })
  })
}
