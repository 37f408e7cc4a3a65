// Where shared memory cannot leave a scope, `handle` says so, and what helps there. The scopes are
// played by this thread's globals; test/browser/scopes.test.ts has the real ones.
import assert from 'node:assert/strict'
import { Region } from 'sabway'
import { open } from '../support/channels.js'
import { throwsError } from '../support/errors.js'

/** Run with globals that a scope of a browser has. `class`: the name of the scope's own class. */
function inScope(globals: Record<string, unknown> & { class: string }, run: () => void): void {
  const { class: name, ...rest } = globals
  const all = { location: { protocol: 'https:' }, origin: 'https://a.test', isSecureContext: true, ...rest }
  const before = new Map<PropertyKey, PropertyDescriptor | undefined>()
  const set = (key: PropertyKey, value: unknown) => {
    before.set(key, Object.getOwnPropertyDescriptor(globalThis, key))
    Object.defineProperty(globalThis, key, { value, configurable: true })
  }
  for (const [key, value] of Object.entries(all)) set(key, value === 'itself' ? globalThis : value)
  set(Symbol.toStringTag, name)
  try {
    run()
  } finally {
    for (const [key, was] of before) {
      if (was === undefined) Reflect.deleteProperty(globalThis, key)
      else Object.defineProperty(globalThis, key, was)
    }
  }
}

const foreign = {
  location: {
    get protocol(): never {
      throw new DOMException('of another origin', 'SecurityError')
    },
  },
}
const page = { class: 'Window', crossOriginIsolated: false, parent: 'itself' }
const worker = { class: 'DedicatedWorkerGlobalScope', crossOriginIsolated: false }
const HEADERS = 'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'

const rows: [string, Parameters<typeof inScope>[0], RegExp][] = [
  ['a page', page, new RegExp(`: this page is not cross-origin isolated; serve it with ${HEADERS}$`)],
  [
    'a page over http:',
    { ...page, isSecureContext: false, location: { protocol: 'http:' } },
    new RegExp(`only https: and localhost .* over http:; serve it over https:, with ${HEADERS}$`),
  ],
  [
    'a file: page',
    { ...page, location: { protocol: 'file:' }, origin: 'null' },
    /a file: page is never cross-origin isolated; serve it over https: or from localhost/,
  ],
  [
    'a data: page',
    { ...page, location: { protocol: 'data:' }, origin: 'null', isSecureContext: false },
    /its origin is opaque, as that of a data: page/,
  ],
  [
    'a page of an extension',
    { ...page, location: { protocol: 'chrome-extension:' } },
    /its manifest needs cross_origin_opener_policy/,
  ],
  [
    "Electron's page",
    { ...page, navigator: { userAgent: 'Chrome/140 Electron/45.4.1' }, location: { protocol: 'file:' } },
    /this page is not cross-origin isolated; serve it with serveScheme of sabway\/electron\/main/,
  ],
  [
    "Electron's page, in a version that ignores the headers",
    { ...page, navigator: { userAgent: 'Electron/41.2.0 Safari' } },
    /Electron 41\.2\.0 ignores the headers .* use 41\.5\.1 or later/,
  ],
  [
    'an iframe of the same origin',
    { ...page, parent: { location: { protocol: 'https:' } } },
    new RegExp(`since the page around it is not; serve the top page with ${HEADERS}, and this one with the latter`),
  ],
  [
    'an iframe of another origin',
    { ...page, parent: foreign },
    /of another origin .* the element needs allow="cross-origin-isolated", the top page .*Cross-Origin-Resource-Policy/,
  ],
  [
    'an iframe with a sandbox',
    { ...page, parent: foreign, origin: 'null' },
    /its origin is opaque, .* a sandboxed iframe; .* allow-same-origin/,
  ],
  [
    'a dedicated worker',
    worker,
    new RegExp(`the page that started this worker is not .*; serve the page with ${HEADERS}, and the worker's script`),
  ],
  ['a dedicated worker from a blob:', { ...worker, location: { protocol: 'blob:' } }, /the page that started this/],
  [
    'a dedicated worker from a data: URL',
    { ...worker, location: { protocol: 'data:' }, origin: 'null' },
    /a data: worker has an origin of its own: it can attach .*, but not pass one on; make the channel in the page/,
  ],
  [
    'a SharedWorker',
    { class: 'SharedWorkerGlobalScope', crossOriginIsolated: false, Worker: class {} },
    /a SharedWorker shares memory with no page, whatever its headers; use a dedicated worker/,
  ],
  [
    'a SharedWorker that is isolated, but has no workers',
    { class: 'SharedWorkerGlobalScope', crossOriginIsolated: true, Worker: undefined },
    /a SharedWorker shares memory with no page/,
  ],
  [
    'a service worker',
    { class: 'ServiceWorkerGlobalScope', crossOriginIsolated: false },
    /a service worker shares memory with no page and no worker, whatever its headers; let a page and its dedicated/,
  ],
  [
    'a service worker that is isolated by its headers',
    { class: 'ServiceWorkerGlobalScope', crossOriginIsolated: true },
    /a service worker shares memory/,
  ],
]

describe('handle, where memory cannot be shared', () => {
  for (const [name, globals, teaches] of rows) {
    it(`in ${name}: ERR_SABWAY_NOT_ISOLATED, with what helps there`, () => {
      const channel = open(4096)
      const region = Region.create({ size: 2 ** 22 })
      inScope(globals, () => {
        throwsError(() => channel.handle, 'ERR_SABWAY_NOT_ISOLATED', teaches)
        throwsError(() => region.handle, 'ERR_SABWAY_NOT_ISOLATED', teaches)
        assert.throws(
          () => channel.handle,
          ({ message }: Error) => message.length < 400,
        )
      })
      region.close()
      assert.equal(channel.handle.sabway, 'channel')
    })
  }

  for (const [name, globals] of Object.entries({
    'a page that is isolated': { ...page, crossOriginIsolated: true },
    'a dedicated worker of one': { ...worker, crossOriginIsolated: true },
    'a SharedWorker with workers of its own': {
      class: 'SharedWorkerGlobalScope',
      crossOriginIsolated: true,
      Worker: class {},
    },
    'a scope that does not know the word, such as a worklet': { class: 'AudioWorkletGlobalScope' },
  })) {
    it(`in ${name}: gives it`, () => {
      const channel = open(4096)
      inScope(globals, () => assert.equal(channel.handle.sabway, 'channel'))
    })
  }
})
