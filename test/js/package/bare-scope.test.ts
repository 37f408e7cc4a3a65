// Each build in a scope that has little but the language and WebAssembly, as an AudioWorklet: it
// loads, the calls that wait for nothing work, and the others say what is missing.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import type { MessagePort as NodePort } from 'node:worker_threads'
import { rolldown } from 'rolldown'
import type * as Sabway from 'sabway'
import { SharedMemoryChannel } from 'sabway'
import { numbered, numberOf } from '../support/numbered.js'
import { root } from '../support/paths.js'
import { within } from '../support/wait.js'

const dist = fileURLToPath(new URL('dist/', root))
const COUNT = 1000

type Entry = Pick<typeof Sabway, 'SharedMemoryChannel' | 'Region'>
type Channel = Sabway.SharedMemoryChannel<unknown>

/** Pages do not wait for their ports, this process would. */
function Unheld(): MessageChannel {
  const channel = new MessageChannel()
  setImmediate(() => (channel.port1 as unknown as NodePort).unref())
  return channel
}

/** What a page has beside the language, and may be missing; what belongs together. */
const FOUND: Record<string, object> = {
  'setTimeout and clearTimeout': { setTimeout, clearTimeout },
  MessageChannel: { MessageChannel: Unheld },
  MessagePort: { MessagePort },
  'Atomics.waitAsync': {},
  'globalThis.SharedArrayBuffer': {},
  'globalThis.console': {},
  'atob and btoa': { atob, btoa },
  performance: { performance },
  'TextDecoder and TextEncoder': { TextDecoder, TextEncoder },
  queueMicrotask: { queueMicrotask },
  structuredClone: { structuredClone },
  'AbortController and AbortSignal': { AbortController, AbortSignal },
  Event: { Event },
  EventTarget: { EventTarget },
  MessageEvent: { MessageEvent },
  'ReadableStream and WritableStream': { ReadableStream, WritableStream },
}

const ALL = Object.keys(FOUND)
const LOOP = ['setTimeout and clearTimeout', 'MessageChannel']
const CASES: Record<string, string[]> = {
  nothing: [],
  ...Object.fromEntries(ALL.map((name) => [name, [name]])),
  'what runs later': LOOP,
  'timers, and what wakes the event loop': ['setTimeout and clearTimeout', 'Atomics.waitAsync'],
  'all that an AudioWorklet of Chromium lacks': ALL.filter(
    (name) =>
      !['Event', 'EventTarget', 'MessageEvent', 'MessagePort', 'Atomics.waitAsync', 'globalThis.console'].includes(
        name,
      ),
  ),
  everything: ALL,
}

/** A scope of the language's own, with what is found but not missing. */
function scopeWithout(missing: readonly string[]): object {
  const scope = createContext({})
  for (const [name, values] of Object.entries(FOUND)) {
    if (!missing.includes(name)) Object.assign(scope, values)
    // Node gives it to every context.
    else if (Object.keys(values).length === 0) runInContext(`delete ${name}`, scope)
  }
  return scope
}

/** A file of CommonJS and what it requires, which must be files beside it. Each is run once. */
function required(scope: object, file: string, loaded = new Map<string, { exports: object }>()): Entry {
  const before = loaded.get(file)
  if (before !== undefined) return before.exports as Entry
  const module = { exports: {} }
  loaded.set(file, module)
  const require = (name: string) => {
    if (!name.startsWith('.')) throw new Error(`${file} asks for ${name}`)
    return required(scope, join(dirname(file), name), loaded)
  }
  const run = runInContext(`(function (module, exports, require) {${readFileSync(file, 'utf8')}\n})`, scope)
  run(module, module.exports, require)
  return module.exports as Entry
}

async function bundled(file: string): Promise<string> {
  const build = await rolldown({ input: file, platform: 'browser', logLevel: 'silent' })
  const { output } = await build.generate({ format: 'iife', name: 'entry' })
  await build.close()
  return output[0].code
}

/** Those of which each case is tried; the others are of the same sources. */
const WHOLE = ['browser.mjs', 'index.cjs']
const BRIEF = ['browser.cjs', 'electron/renderer.cjs', 'electron/renderer.mjs', 'index.mjs']

for (const build of [...WHOLE, ...BRIEF]) {
  describe(`dist/${build} in a scope that lacks`, () => {
    let load: (scope: object) => Entry
    const entries: Record<string, Entry> = {}
    const open: Channel[] = []

    before(async () => {
      const file = join(dist, build)
      const code = build.endsWith('.mjs') ? await bundled(file) : ''
      load = build.endsWith('.mjs')
        ? (scope) => runInContext(`${code}\nentry`, scope)
        : (scope) => required(scope, file)
    })

    afterEach(() => {
      for (const channel of open.splice(0)) channel.cleanup()
    })

    /** This thread's channel, whose other side is in a scope that lacks these. */
    function across(missing: readonly string[], codec?: 'structured'): { here: Channel; there: Channel } {
      const name = missing.join()
      entries[name] ??= load(scopeWithout(missing))
      const entry = entries[name]!
      const here = new SharedMemoryChannel<unknown>(1 << 16, 1 << 16, codec && { codec: 'msgpack' })
      const there = entry.SharedMemoryChannel.attach<unknown>(here.handle, { side: 'native', codec })
      open.push(there, here)
      return { here, there }
    }

    for (const [title, missing] of Object.entries(CASES)) {
      if (BRIEF.includes(build) && missing.length === 1) continue
      const lacks = (...names: string[]) => names.some((name) => missing.includes(name))
      const hasLoop =
        !LOOP.every((name) => missing.includes(name)) &&
        !['setTimeout and clearTimeout', 'Atomics.waitAsync'].every((name) => missing.includes(name))
      /** What a call that waits does there: its promise is fulfilled, or says what is missing. */
      const settles = async (promise: Promise<unknown>, works = hasLoop) => {
        const error = await within(promise, 'an end').then(
          () => null,
          (thrown) => thrown,
        )
        if (works) assert.equal(error, null)
        else assert.equal(error?.code, 'ERR_SABWAY_UNSUPPORTED', String(error?.stack))
      }
      const says = (act: () => unknown, works: boolean) => {
        if (works) act()
        else assert.throws(act, { name: 'SabwayError', code: 'ERR_SABWAY_UNSUPPORTED' })
      }

      it(`${title}: trySend, drain and receiveSync(0)`, () => {
        const { here, there } = across(missing)
        for (let number = 0; number < COUNT; number++) {
          assert.equal(here.trySend(numbered(number, number % 50)), true)
          if (number % 2 === 0) assert.equal(numberOf(there.receiveSync(0) as Uint8Array), number)
          else there.drain((bytes, start, end) => assert.equal(numberOf(bytes.subarray(start, end)), number))
          assert.equal(there.receiveSync(0), null)
          assert.equal(there.trySend(numbered(number, number % 50)), true)
          assert.equal(numberOf(here.receiveSync(0) as Uint8Array), number)
        }
      })

      it(`${title}: values`, () => {
        const { here, there } = across(missing, 'structured')
        const value = {
          text: 'a\ud800ä€😀'.repeat(40),
          map: new Map([[1, 2n]]),
          floats: Float32Array.of(1, 2),
          set: [1],
        }
        assert.equal(there.trySend(value), true)
        assert.deepEqual(here.receiveSync(0), value)
        here.send(value)
        const got = there.receiveSync(0) as typeof value
        assert.deepEqual([got.text, got.map.get(1), [...got.floats]], [value.text, 2n, [1, 2]])
      })

      it(`${title}: a full ring, and waiting for a message`, async () => {
        const { here, there } = across(missing)
        const message = new Uint8Array(10_000)
        let sent = 0
        while (there.trySend(message)) sent++
        says(() => assert.equal(there.send(message), false), hasLoop)
        const direct = there.sendDirect(message)
        for (let i = 0; i < sent; i++) assert.notEqual(here.receiveSync(0), null)
        await settles(direct)
        assert.equal(there.stats().sent.queued, 0)
        for (let i = 0; i < (hasLoop ? 2 : 0); i++) assert.notEqual(here.receiveSync(1000), null)
        assert.equal(here.receiveSync(0), null)
        const received = there.receive()
        if (hasLoop) setTimeout(() => here.send(message), 20)
        await settles(received)
        if (!hasLoop) here.send(message)
        if (!hasLoop) assert.equal((there.receiveSync(1000) as Uint8Array).length, message.length)
        here.send(message)
        await settles(there.receive({ timeout: 60_000 }), true) // it is there already
        await settles(
          there.receive({ timeout: 5 }).catch((error) => {
            if (error.code !== 'ERR_SABWAY_TIMEOUT') throw error
          }),
          !lacks('setTimeout and clearTimeout'),
        )
        assert.equal(there.stats().received.messages, 2)
      })

      it(`${title}: everything else works, or says what is missing`, async () => {
        const { here, there } = across(missing)
        const events = !lacks('Event', 'EventTarget')
        says(() => there.addEventListener('error', () => {}), events)
        says(() => there.addEventListener('message', () => {}), events && hasLoop)
        says(() => there.addEventListener('close', () => {}), events && hasLoop)
        says(() => there.addEventListener('peer-died', () => {}), events && hasLoop)
        there.stopReceiving()
        says(() => there.startReceiving(() => {}), hasLoop)
        there.stopReceiving()
        says(() => there.startReceiving(() => {}, { schedule: 'microtask' }), hasLoop)
        there.stopReceiving()
        says(() => there.startReceiving(() => {}, { poll: 1 }), hasLoop && !lacks('setTimeout and clearTimeout'))
        there.stopReceiving()
        const port = there.port()
        says(
          () => {
            port.onmessage = () => {}
          },
          hasLoop && events && !lacks('MessageEvent'),
        )
        port.postMessage(['a port sends without one'])
        port.close()
        const streams = !lacks('ReadableStream and WritableStream')
        says(() => there.writable, streams)
        says(() => there.readable, streams && !lacks('AbortController and AbortSignal'))
        says(() => there[Symbol.asyncIterator](), !lacks('AbortController and AbortSignal'))
        there.ref().unref()
        assert.equal(there.reserve(8)?.length, 8)
        there.abandon()
        assert.equal(there.sendBatch([new Uint8Array(1), new Uint8Array(2)]), 2)
        there.detach()
        const Channel = there.constructor as typeof SharedMemoryChannel
        const batching = (batch: object) => () => {
          const again = Channel.attach<unknown>(here.handle, { side: 'native', batch })
          assert.equal(again.trySend(new Uint8Array(3)), true)
          again.detach()
        }
        says(batching({ maxDelayMs: 0 }), true)
        says(batching({}), !lacks('setTimeout and clearTimeout'))
        says(batching({ maxDelayMs: 0 }), true) // what was refused has left no trace
        const own = new Channel(4096, 4096)
        assert.equal(own.trySend(new Uint8Array(5)), true)
        assert.equal(own.handle.sabway, 'channel')
        assert.equal(own.stats().peer, false)
        own.cleanup()
      })
    }
  })
}
