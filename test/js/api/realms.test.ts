// Values of another realm, as a vm context and jest's sandbox have them: their classes are others,
// so `instanceof` says no.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../support/bytes.js'
import { attach, fillUp, keep, open, pair, takeAll } from '../support/channels.js'
import { assertError, rejectsWith, throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { root } from '../support/paths.js'
import { within } from '../support/wait.js'

const realm = createContext({})
const inRealm = <T>(code: string): T => runInContext(code, realm) as T

/**
 * The library, loaded where all of the language's classes are a context's own and only the
 * platform's are Node's: as jest loads it.
 */
function libraryInRealm(): typeof import('sabway') {
  const file = fileURLToPath(new URL('dist/index.cjs', root))
  const platform = [
    'process',
    'Buffer',
    'URL',
    'EventTarget',
    'Event',
    'MessageEvent',
    'MessageChannel',
    'MessagePort',
    'AbortController',
    'AbortSignal',
    'ReadableStream',
    'WritableStream',
    'performance',
    'queueMicrotask',
    'setTimeout',
    'clearTimeout',
    'setImmediate',
    'structuredClone',
    'atob',
    'TextEncoder',
    'TextDecoder',
    'Blob',
  ]
  const context = createContext(Object.fromEntries(platform.map((name) => [name, (globalThis as never)[name]])))
  const require = createRequire(file)
  const loaded = new Map<string, object>()
  const load = (path: string): object => {
    const known = loaded.get(path)
    if (known !== undefined) return known
    const exports = {}
    loaded.set(path, exports)
    const code = `(function (exports, require, module, __filename, __dirname) {${readFileSync(path, 'utf8')}\n})`
    const module = { exports }
    const find = (name: string) =>
      name.startsWith('./') ? load(fileURLToPath(new URL(name, `file://${path}`))) : require(name)
    runInContext(code, context, { filename: path })(
      exports,
      Object.assign(find, { resolve: require.resolve }),
      module,
      path,
      root,
    )
    return module.exports
  }
  return load(file) as typeof import('sabway')
}

/** What jsdom and polyfills bring: an AbortSignal that is none of Node's. */
class ForeignSignal {
  aborted = false
  reason: unknown
  readonly listeners = new Set<() => void>()
  addEventListener(_type: string, listener: () => void) {
    this.listeners.add(listener)
  }
  removeEventListener(_type: string, listener: () => void) {
    this.listeners.delete(listener)
  }
  abort(reason: unknown) {
    this.aborted = true
    this.reason = reason
    for (const listener of [...this.listeners]) listener()
  }
}

describe('values of another realm', () => {
  it('are sent when they are Uint8Arrays', async () => {
    const { renderer, native } = pair(65536)
    const foreign = inRealm<Uint8Array>('Uint8Array.of(1, 2, 3)')
    assert.ok(!(foreign instanceof Uint8Array))
    renderer.send(foreign)
    renderer.trySend(foreign)
    renderer.sendBatch([foreign, foreign])
    await renderer.sendDirect(foreign)
    const expected = Uint8Array.of(1, 2, 3)
    assert.deepEqual(takeAll(native), [expected, expected, expected, expected, expected])
  })

  it('are options objects, handles and memories', async () => {
    const channel = open(65536)
    const handle = Object.assign(inRealm<{ memory?: object }>('({ sabway: "channel" })'), {
      memory: channel.handle.memory,
    })
    const native = keep(SharedMemoryChannel.attach(handle as never, inRealm('({ side: "native", wait: "park" })')))
    channel.send(Uint8Array.of(5))
    assert.deepEqual(await native.receive(inRealm('({ timeout: 5000 })')), Uint8Array.of(5))
    const memory = inRealm<WebAssembly.Memory>('new WebAssembly.Memory({ initial: 40, maximum: 40, shared: true })')
    assert.ok(!(memory instanceof WebAssembly.Memory))
    throwsError(() => Region.open({ sabway: 'region', memory }), 'ERR_SABWAY_NOT_A_REGION', /its header says magic/)
    const unshared = inRealm<WebAssembly.Memory>('new WebAssembly.Memory({ initial: 1 })')
    throwsError(() => Region.open({ sabway: 'region', memory: unshared }), 'ERR_SABWAY_NOT_A_REGION', /not shared/)
  })

  it('are the errors that codecs throw: their words are passed on', () => {
    const codec = { name: 'own', encode: () => inRealm<never>('throw new Error("no such colour")'), decode: () => 1 }
    const channel = new SharedMemoryChannel(4096, 4096, { codec })
    keep(channel as never)
    throwsError(() => channel.send(1), 'ERR_SABWAY_NOT_ENCODABLE', /no such colour/)
  })

  it('are signals that are no AbortSignals of ours', async () => {
    const { renderer, native } = pair(4096)
    const signal = new ForeignSignal()
    const received = native.receive({ signal: signal as never })
    fillUp(renderer, new Uint8Array(1000))
    renderer.send(new Uint8Array(2000))
    assert.deepEqual((await received).length, 1000)
    assert.equal(signal.listeners.size, 0)
    takeAll(native)
    fillUp(renderer, new Uint8Array(1000))
    const waits = [
      rejectsWith(
        renderer.sendDirect(new Uint8Array(2000), { signal: signal as never }),
        'ERR_SABWAY_ABORTED',
        /given up/,
      ),
      rejectsWith(attach(open(4096), 'native').receive({ signal: signal as never }), 'ERR_SABWAY_ABORTED', /given up/),
    ]
    let heard = 0
    renderer.addEventListener('drain', () => heard++, { signal: signal as never })
    signal.abort('enough')
    await within(Promise.all(waits), 'the waits')
    renderer.dispatchEvent(new Event('drain'))
    assert.equal(heard, 0)
    assert.equal(signal.listeners.size, 0)
  })
})

describe('the library in another realm', () => {
  it('takes part in channels of this one, and this one in its', async () => {
    const theirs = libraryInRealm()
    const ours = open(65536)
    const native = keep(theirs.SharedMemoryChannel.attach(ours.handle, { side: 'native' }) as never)
    const made = keep(new theirs.SharedMemoryChannel(65536, 65536) as never)
    const back = attach(made, 'native')
    for (let i = 0; i < 20; i++) {
      ours.send(pattern(i, i * 50))
      assert.deepEqual(Buffer.from(native.receiveSync(5000)!), Buffer.from(pattern(i, i * 50)))
      made.send(pattern(i, i * 50))
      assert.deepEqual(Buffer.from(await back.receive()), Buffer.from(pattern(i, i * 50)))
    }
  })

  itNative('has its own errors, also for what the addon throws', () => {
    const theirs = libraryInRealm()
    assert.throws(
      () => theirs.Region.open('a token'),
      (error: unknown) => error instanceof theirs.SabwayError && error.code === 'ERR_SABWAY_INVALID_TOKEN',
    )
  })

  it('is told that a Region or a channel is of another copy, or itself where its handle is needed', () => {
    const theirs = libraryInRealm()
    const region = theirs.Region.create({ size: 2 ** 22 })
    throwsError(
      () => open(4096, 4096, { region: region as never }),
      'ERR_SABWAY_INVALID_TYPE',
      /another copy of Sabway/,
    )
    throwsError(
      () => Region.open(region as never),
      'ERR_SABWAY_INVALID_TYPE',
      /this is the Region itself: pass its `handle`/,
    )
    region.close()
    const channel = keep(new theirs.SharedMemoryChannel(4096, 4096) as never)
    throwsError(
      () => SharedMemoryChannel.attach(channel as never, { side: 'native' }),
      'ERR_SABWAY_INVALID_TYPE',
      /this is the SharedMemoryChannel itself: pass its `handle`/,
    )
  })
})

describe('a handle', () => {
  it('that went through JSON is refused with words that say so', () => {
    const copy = JSON.parse(JSON.stringify(open(4096).handle))
    let thrown: unknown
    try {
      SharedMemoryChannel.attach(copy, { side: 'native' })
    } catch (error) {
      thrown = error
    }
    assertError(thrown, 'ERR_SABWAY_INVALID_TYPE', /a handle survives postMessage, but not JSON/)
  })
})
