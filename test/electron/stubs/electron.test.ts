// sabway/electron without Electron: main, preload and page as they are, on a stand-in for its
// modules (./electron.ts). What only a real Electron can show is in test/electron.
import assert from 'node:assert/strict'
import type { Region, SharedMemoryChannel } from 'sabway'
import { pattern } from '../../js/support/bytes.js'
import { Peer } from '../../js/support/processes.js'
import { aWhile, until, within } from '../../js/support/wait.js'
import { asElectron, closeWindows, FakeWindow, main, type PageOptions, type PageScope } from './electron.js'

type Pages = [what: string, options: PageOptions, transport: 'shared' | 'copied']
const WAYS: Pages[] = [
  ['shared, with context isolation', {}, 'shared'],
  ['shared, without context isolation', { contextIsolated: false, crossOriginIsolated: false }, 'shared'],
  ['copied, in a sandboxed renderer', { sandboxed: true, crossOriginIsolated: false }, 'copied'],
]
const ORIGINS = { origins: ['app://test'] }

const made: SharedMemoryChannel[] = []

const json = {
  name: 'json',
  encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes.slice())),
}

/** A channel of main's and, where JavaScript takes it, its native side. */
function shared(
  window: FakeWindow,
  bytes = 65536,
  options: object = ORIGINS,
  where: { share: 'processes' } | { region: Region } = { share: 'processes' },
) {
  const channel = new main.SharedMemoryChannel(bytes, bytes, where)
  made.push(channel)
  const withdraw = main.shareWithWindow(window as never, channel, options)
  return {
    channel,
    withdraw,
    attach() {
      const native = main.SharedMemoryChannel.attach(channel.token, { side: 'native' })
      made.push(native)
      return native
    },
  }
}

async function opened(options: PageOptions = {}): Promise<FakeWindow> {
  const window = new FakeWindow()
  await window.load(options)
  return window
}

/** In the page: connect, collect what comes, and say how it is connected. */
const start = async ({ connect, kept }: PageScope, options?: object) => {
  kept.channel = await connect(options)
  kept.received = []
  kept.channel.startReceiving((message: Uint8Array) => kept.received.push(message))
  return kept.channel.stats()
}

const listen = ({ kept }: PageScope, event: string) => {
  kept.heard = new Promise((resolve) => kept.channel.addEventListener(event, () => resolve(kept.received.length)))
}
/** The event that `listen` waits for has come: after how many messages? */
const heard = ({ kept }: PageScope) => kept.heard as Promise<number>

const send = ({ kept }: PageScope, messages: Uint8Array[]) => {
  for (const message of messages) kept.channel.send(message)
}

const count = ({ kept }: PageScope) => kept.received.length
const takeReceived = ({ kept }: PageScope) => kept.received.splice(0)

async function untilReceived(window: FakeWindow, many: number): Promise<Uint8Array[]> {
  for (let i = 0; (await window.evaluate(count)) < many; i++) {
    if (i === 2000) assert.fail(`the page received ${await window.evaluate(count)} of ${many}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return window.evaluate(takeReceived)
}

const numbers = (from: number, to: number, size: (i: number) => number = (i) => (i * 37) % 3000) =>
  Array.from({ length: to - from }, (_, i) => pattern(from + i, size(from + i)))

afterEach(async () => {
  await closeWindows()
  for (const channel of made.splice(0)) channel.cleanup()
})

for (const [what, options, transport] of WAYS) {
  describe(`an Electron page, ${what}`, () => {
    it('exchanges messages with main', async () => {
      const window = await opened(options)
      const native = shared(window).attach()
      const stats = await window.evaluate(start)
      assert.deepEqual([stats.transport, stats.side], [transport, 'renderer'])
      if (transport === 'copied') assert.match(stats.copied!, /sandboxed and cannot load the addon/)
      const received: Uint8Array[] = []
      native.startReceiving((message) => received.push(message))
      await window.evaluate(send, numbers(0, 500))
      for (const message of numbers(0, 500)) native.send(message)
      assert.deepEqual(await untilReceived(window, 500), numbers(0, 500))
      await until(() => received.length === 500, 'messages from the page')
      assert.deepEqual(received, numbers(0, 500))
    })

    it('exchanges messages with a native worker of main, awake and from sleep', async () => {
      const window = await opened(options)
      shared(window).channel.startWorker({ builtin: 'echo' })
      await window.evaluate(start)
      for (let i = 0; i < 20; i++) {
        if (i % 4 === 0) await aWhile()
        await window.evaluate(send, numbers(i * 10, i * 10 + 10))
        assert.deepEqual(await untilReceived(window, 10), numbers(i * 10, i * 10 + 10))
      }
    })

    it('goes on after each reload where the last page left off', async () => {
      const window = await opened(options)
      const native = shared(window).attach()
      const received: Uint8Array[] = []
      native.startReceiving((message) => received.push(message))
      for (let round = 0; round < 6; round++) {
        if (round !== 0) await window.load(options)
        await window.evaluate(start)
        await window.evaluate(send, numbers(round * 20, round * 20 + 20))
        await until(() => received.length === round * 20 + 20, `the messages of page ${round}`)
        for (const message of numbers(round, round + 5)) native.send(message)
        assert.deepEqual(await untilReceived(window, 5), numbers(round, round + 5))
      }
      assert.deepEqual(received, numbers(0, 120))
      assert.equal(native.closed, false)
    })

    it('is slowed down by a receiver that does not read: nothing grows, and nothing is lost', async () => {
      const window = await opened(options)
      const native = shared(window, 16384).attach()
      await window.evaluate(start)
      const fill = ({ kept }: PageScope) => {
        let sent = 0
        while (kept.channel.trySend(new Uint8Array(1000).fill(kept.sent & 255))) {
          kept.sent = (kept.sent ?? 0) + 1
          sent++
        }
        return sent
      }
      await window.evaluate(({ kept }) => {
        kept.sent = 0
      })
      for (let quiet = 0; quiet < 5; ) {
        quiet = (await window.evaluate(fill)) === 0 ? quiet + 1 : 0
        await aWhile()
      }
      const total = await window.evaluate(({ kept }) => kept.sent as number)
      assert.ok(total <= 6 * 16, `${total} messages of 1000 bytes are on their way through rings of 16 KiB`)
      const firsts: number[] = []
      native.startReceiving((message) => firsts.push(message[0]!))
      await until(() => firsts.length === total, 'all of them')
      assert.deepEqual(
        firsts,
        Array.from({ length: total }, (_, i) => i & 255),
      )
    })

    for (const codec of ['structured', 'msgpack', 'own'] as const) {
      it(`carries values by the codec of main's channel: ${codec}`, async () => {
        const window = await opened(options)
        const own = codec === 'own' ? { codec: json } : { codec }
        const channel = asElectron(
          () => new main.SharedMemoryChannel<unknown>(65536, 65536, { share: 'processes', ...(own as object) }),
        )
        made.push(channel as never)
        main.shareWithWindow(window as never, channel, ORIGINS)
        const native = main.SharedMemoryChannel.attach<unknown>(channel.handle, { side: 'native', ...(own as object) })
        made.push(native as never)
        native.startReceiving((value) => native.send([value, 'answered']))
        const answer = await window.evaluate(async ({ connect, kept }, ofPage) => {
          const mine = {
            name: 'json',
            encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
            decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes.slice())),
          }
          kept.channel = await connect(ofPage === 'own' ? { codec: mine as never } : {})
          kept.channel.send({ from: 'the page', list: [1, 2] })
          return kept.channel.receive()
        }, codec)
        assert.deepEqual(answer, [{ from: 'the page', list: [1, 2] }, 'answered'])
      })
    }

    it('has channels of one region, by their names, through reloads', async () => {
      const region = main.Region.create({ size: 2 ** 22, share: 'processes' })
      try {
        const window = await opened(options)
        const names = ['left', 'right'] as const
        const offers = names.map((name) => shared(window, 16384, { ...ORIGINS, name }, { region }))
        const natives = offers.map((offer) => offer.attach())
        const received = natives.map((native) => {
          const list: Uint8Array[] = []
          native.startReceiving((message) => list.push(message))
          return list
        })
        const rounds = 3
        for (let round = 0; round < rounds; round++) {
          if (round !== 0) await window.load(options)
          for (const [i, name] of names.entries()) {
            const stats = await window.evaluate(start, { name })
            assert.deepEqual([stats.transport, stats.side], [transport, 'renderer'])
            const from = 1000 * i + 20 * round
            await window.evaluate(send, numbers(from, from + 20))
            await until(() => received[i]!.length === 20 * (round + 1), `what the page sends by ${name}`)
            for (const message of numbers(from, from + 5)) natives[i]!.send(message)
            assert.deepEqual(await untilReceived(window, 5), numbers(from, from + 5))
          }
        }
        assert.deepEqual(received, [numbers(0, 20 * rounds), numbers(1000, 1000 + 20 * rounds)])
        await closeWindows()
        for (const native of natives) native.cleanup()
        for (const { channel } of offers) channel.cleanup()
        // both sides are done: nothing of the channels is left, but headers for the next ones
        await until(() => region.heap.stats().used < 16384, 'the end of both channels')
        region.heap.check()
      } finally {
        region.close()
      }
    })

    it('has port(), as main has', async () => {
      const window = await opened(options)
      const native = shared(window).attach()
      const port = native.port()
      port.onmessage = ({ data }) => port.postMessage({ echo: data })
      const echo = await window.evaluate(async ({ connect, kept }) => {
        kept.channel = await connect()
        kept.port = kept.channel.port()
        return new Promise((resolve) => {
          kept.port.onmessage = ({ data }: { data: unknown }) => resolve(data)
          kept.port.postMessage(new Map([[1, 2]]))
        })
      })
      assert.deepEqual(echo, { echo: new Map([[1, 2]]) })
      port.close()
    })

    it("is refused a codec that is not main's", async () => {
      const window = await opened(options)
      shared(window)
      const other = ({ connect }: PageScope) => connect({ codec: 'msgpack' }).then(() => null)
      await assert.rejects(window.evaluate(other), { code: 'ERR_SABWAY_INVALID_ARGUMENT' })
      assert.equal((await window.evaluate(start)).side, 'renderer')
    })

    it("ends the stream with cleanup, for both: 'close'", async () => {
      const window = await opened(options)
      const native = shared(window).attach()
      let closed = 0
      native.addEventListener('close', () => closed++)
      const received: Uint8Array[] = []
      native.startReceiving((message) => received.push(message))
      await window.evaluate(start)
      await window.evaluate(send, numbers(0, 10))
      await window.evaluate(({ kept }) => kept.channel.cleanup())
      await until(() => closed === 1, "'close'")
      assert.deepEqual(received, numbers(0, 10))
    })

    it("is told when main ends the stream: 'close', after what was sent", async () => {
      const window = await opened(options)
      const native = shared(window).attach()
      await window.evaluate(start)
      await window.evaluate(listen, 'close')
      for (const message of numbers(0, 10)) native.send(message)
      native.cleanup()
      assert.equal(await window.evaluate(heard), 10)
    })

    it('has several channels by name, and other windows have theirs', async () => {
      const windows = [await opened(options), await opened(options)]
      const natives = windows.flatMap((window) =>
        ['video', 'control'].map((name) => shared(window, 65536, { ...ORIGINS, name }).attach()),
      )
      const talk = async ({ connect }: PageScope, name: string) => {
        const channel = await connect({ name })
        const answer = new Promise<Uint8Array>((resolve) => channel.startReceiving(resolve))
        channel.send(new TextEncoder().encode(name))
        return new TextDecoder().decode(await answer)
      }
      natives.forEach((native, i) => {
        native.startReceiving((message) =>
          native.send(new TextEncoder().encode(`${i} ${new TextDecoder().decode(message)}`)),
        )
      })
      const answers = await Promise.all(
        windows.flatMap((window) => ['video', 'control'].map((name) => window.evaluate(talk, name))),
      )
      assert.deepEqual(answers, ['0 video', '1 control', '2 video', '3 control'])
    })
  })
}

describe('an Electron page', () => {
  it("is told when the process on the other side is killed: 'peer-died'", async () => {
    const window = await opened()
    const { channel } = shared(window)
    const peer = new Peer({ does: 'echo', token: channel.token, side: 'native' })
    await peer.next()
    await window.evaluate(start)
    await window.evaluate(listen, 'peer-died')
    peer.process.kill('SIGKILL')
    assert.equal(await window.evaluate(heard), 0)
  })

  it('gets the memory in one window message, which no other script of the page sees', async () => {
    const window = await opened()
    shared(window)
    const seen = await window.evaluate(async ({ connect, window }) => {
      let others = 0
      const options = connect() // its listener is the first
      window.addEventListener('message', () => others++)
      await options
      return { others, posted: window.posted.length }
    })
    assert.deepEqual(seen, { others: 0, posted: 1 })
  })

  it('gets it without any message where there is no context isolation', async () => {
    const window = await opened({ contextIsolated: false })
    shared(window)
    await window.evaluate(start)
    assert.equal(await window.evaluate(({ window }) => window.posted.length), 0)
  })

  it('does not take what others post to the window for its memory', async () => {
    const window = await opened()
    const native = shared(window).attach()
    native.send(pattern(1, 10))
    const got = await window.evaluate(async ({ connect, window }) => {
      const forged = (id: number, more: object) =>
        window.dispatchEvent(
          Object.assign(new Event('message'), { data: { sabway: 'sabway:electron', id }, ports: [], ...more }),
        )
      const connecting = connect()
      forged(1, { source: {} }) // another window's
      forged(77, { source: window })
      const channel = await connecting
      return new Promise<Uint8Array>((resolve) => channel.startReceiving(resolve))
    })
    assert.deepEqual(got, pattern(1, 10))
  })

  it('can ask for copies', async () => {
    const window = await opened()
    shared(window).channel.startWorker({ builtin: 'echo' })
    const { transport, copied } = await window.evaluate(start, { transport: 'copied' })
    assert.deepEqual([transport, copied], ['copied', 'the page asked for copies'])
    await window.evaluate(send, numbers(0, 10))
    assert.deepEqual(await untilReceived(window, 10), numbers(0, 10))
  })

  it('has no native workers of its own', async () => {
    const window = await opened()
    shared(window)
    await window.evaluate(start)
    const error = await window
      .evaluate(({ kept }) => kept.channel.startWorker({ builtin: 'echo' }))
      .catch((thrown: { code: string; message: string }) => thrown)
    assert.equal(error.code, 'ERR_SABWAY_NO_ADDON')
    assert.match(error.message, /native workers run in the main process/)
  })
})

describe('an Electron page is refused', () => {
  const rows: [what: string, page: PageOptions, options: object, code: string, teaches: RegExp][] = [
    [
      'a name that main does not share',
      {},
      { name: 'nothing' },
      'ERR_SABWAY_INVALID_STATE',
      /shares no channel 'nothing'/,
    ],
    [
      'when it is of another origin',
      { url: 'https://elsewhere.test/' },
      {},
      'ERR_SABWAY_NOT_PERMITTED',
      /not for https:\/\/elsewhere/,
    ],
    [
      'when its origin only begins alike',
      { url: 'app://test.evil/' },
      {},
      'ERR_SABWAY_NOT_PERMITTED',
      /not for app:\/\/test\.evil/,
    ],
    [
      'when it is a frame in the page',
      { subframe: true },
      {},
      'ERR_SABWAY_NOT_PERMITTED',
      /serve the page with serveScheme/,
    ],
    [
      'a sandboxed one is refused too',
      { sandboxed: true, url: 'https://elsewhere.test/' },
      {},
      'ERR_SABWAY_NOT_PERMITTED',
      /not for/,
    ],
    ['shared memory in a sandbox', { sandboxed: true }, { transport: 'shared' }, 'ERR_SABWAY_NO_ADDON', /sandboxed/],
    [
      'when it is not isolated',
      { crossOriginIsolated: false },
      {},
      'ERR_SABWAY_NOT_ISOLATED',
      /serveScheme .* file:\/\/ is never isolated/,
    ],
    [
      'in Electron 41.0.0',
      { crossOriginIsolated: false, electron: '41.0.0' },
      {},
      'ERR_SABWAY_NOT_ISOLATED',
      /Electron 41\.0\.0 ignores .* use 41\.5\.1 or later/,
    ],
    [
      'in Electron 41.5.0',
      { crossOriginIsolated: false, electron: '41.5.0' },
      {},
      'ERR_SABWAY_NOT_ISOLATED',
      /electron#50242/,
    ],
    [
      'but in 41.5.1 it is for the headers',
      { crossOriginIsolated: false, electron: '41.5.1' },
      {},
      'ERR_SABWAY_NOT_ISOLATED',
      /Cross-Origin-Opener-Policy/,
    ],
    [
      'an unknown transport',
      {},
      { transport: 'pigeon' },
      'ERR_SABWAY_INVALID_ARGUMENT',
      /transport must be one of 'auto'/,
    ],
  ]
  for (const [what, page, options, code, teaches] of rows) {
    it(what, async () => {
      const window = await opened(page)
      shared(window)
      const error = await window.evaluate(start, options).catch((thrown: { code: string; message: string }) => thrown)
      assert.equal((error as { code?: string }).code, code, JSON.stringify(error))
      assert.match((error as { message: string }).message, teaches)
    })
  }

  it('after main has withdrawn the channel', async () => {
    const window = await opened()
    shared(window).withdraw()
    await assert.rejects(window.evaluate(start), { code: 'ERR_SABWAY_INVALID_STATE' })
  })

  it('when preload cannot bind, and keeps nothing of the region', async () => {
    const region = main.Region.create({ size: 2 ** 22, share: 'processes' })
    try {
      const window = await opened()
      shared(window, 16384, ORIGINS, { region })
      const before = region.stats().participants
      const refused = async ({ connect }: PageScope) => {
        const page = globalThis as any
        page.sabwayElectron = {
          ...page.sabwayElectron,
          bind: () => ({ code: 'ERR_SABWAY_CLOSED', detail: 'refused by the test' }),
        }
        await connect()
      }
      await assert.rejects(window.evaluate(refused), { code: 'ERR_SABWAY_CLOSED' })
      await until(() => region.stats().participants === before, 'the endpoint of the page')
    } finally {
      await closeWindows()
      region.close()
    }
  })

  it('when its preload script did not call exposeSabway', async () => {
    const window = await opened()
    const lost = async ({ connect }: PageScope) => {
      Object.assign(globalThis, { sabwayElectron: undefined })
      await connect()
    }
    await assert.rejects(window.evaluate(lost), /must call exposeSabway\(\) of sabway\/electron\/preload/)
  })
})

describe('main', () => {
  it("shares no channel of the codec 'v8', which pages cannot read", async () => {
    const window = await opened()
    const channel = new main.SharedMemoryChannel<unknown>(4096, 4096, { share: 'processes', codec: 'v8' })
    made.push(channel as never)
    const refusal = {
      code: 'ERR_SABWAY_INVALID_ARGUMENT',
      message: /codec: 'structured', which in Electron is 'msgpack'/,
    }
    assert.throws(() => main.shareWithWindow(window as never, channel, ORIGINS), refusal)
  })

  it('wants a channel that processes share, and one of each name', async () => {
    const window = await opened()
    const threads = new main.SharedMemoryChannel(4096, 4096)
    made.push(threads)
    assert.throws(() => main.shareWithWindow(window as never, threads), /share: 'processes'/)
    shared(window)
    assert.throws(() => shared(window), /has a channel 'default'; give this one another name/)
  })

  it('believes no credit, and takes no more, than its rings are large from a page that lies', async () => {
    const window = await opened({ sandboxed: true })
    const native = shared(window, 8192).attach()
    const lie = async ({ kept }: PageScope, parcels: unknown[]) => {
      const { sabwayElectron, window } = globalThis as any
      const port = new Promise<any>((resolve) =>
        window.addEventListener('message', (event: { ports: unknown[] }) => resolve(event.ports[0])),
      )
      await sabwayElectron.open(1, 'default', 'auto')
      kept.port = await port
      kept.heard = []
      await new Promise((resolve) => {
        kept.port.onmessage = ({ data }: { data: unknown }) => {
          kept.heard.push(data)
          resolve(data)
        }
      })
      for (const parcel of parcels) kept.port.postMessage(parcel)
    }
    const nonsense = [null, 7, {}, { taken: -1 }, { taken: Number.NaN }, { taken: 1e12 }, { messages: 'no' }]
    await window.evaluate(lie, nonsense)
    for (let i = 0; i < 100; i++) native.send(pattern(i, 1000))
    await aWhile()
    const arrived = await window.evaluate(({ kept }) => kept.heard.flatMap((said: any) => said.messages ?? []).length)
    // A window's worth, and once more where the lie came after those: of 100.
    assert.ok(arrived <= 2 * 9, `${arrived} messages of 1000 bytes in a window of 8192`)
    let closed = 0
    native.addEventListener('close', () => closed++)
    native.startReceiving(() => {})
    await window.evaluate(({ kept }) => kept.port.postMessage({ messages: [new Uint8Array(50_000)] }))
    await until(() => closed === 1, 'the end of that page')
  })

  it('registers and serves a scheme whose pages are isolated', async () => {
    const { app, protocol } = await import('./electron.js')
    app.ready = false
    main.registerScheme('view')
    app.ready = true
    assert.deepEqual(protocol.schemes, [{ scheme: 'view', privileges: { ...main.SCHEME_PRIVILEGES } }])
    assert.throws(() => main.registerScheme('late'), { code: 'ERR_SABWAY_INVALID_STATE' })
    main.serveScheme('test/browser/static', {
      scheme: 'view',
      headers: { 'x-own': 'yes', 'content-security-policy': null },
    })
    const get = (path: string) => protocol.handled.get('view')!({ url: `view://any${path}` } as Request)
    const response = await get('/echo.mjs')
    assert.equal(response.status, 200)
    assert.match(await response.text(), /takes the native side/)
    const headers = Object.fromEntries(response.headers)
    assert.deepEqual(headers, {
      'content-type': 'text/javascript',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'x-own': 'yes',
    })
    assert.equal((await get('/nothing.html')).status, 404)
    assert.equal((await get('/..%2f..%2f..%2fpackage.json')).status, 403)
    assert.equal((await get('/%2e%2e/cage/cage.c')).status, 404)
  })

  it('refuses names that no scheme can have, and headers that are no text', () => {
    for (const scheme of ['View', '1view', '-view', ' view', 'vi ew', 'view:', 'vïew', 'x'.repeat(101)]) {
      assert.throws(
        () => main.serveScheme('test/browser/static', { scheme }),
        { code: 'ERR_SABWAY_INVALID_ARGUMENT' },
        scheme,
      )
    }
    for (const value of [5, true, {}, ['a']]) {
      const headers = { 'x-own': value as never }
      assert.throws(() => main.serveScheme('test/browser/static', { scheme: 'odd', headers }), {
        code: 'ERR_SABWAY_INVALID_TYPE',
      })
    }
  })

  it('lets pages of a scheme that it serves have channels, without naming origins', async () => {
    main.serveScheme('test/browser/static', { scheme: 'own' })
    const window = await opened({ url: 'own://any/page.html' })
    shared(window, 65536, {}).channel.startWorker({ builtin: 'echo' })
    await window.evaluate(start)
    await window.evaluate(send, numbers(0, 3))
    assert.deepEqual(await within(untilReceived(window, 3), 'the echoes'), numbers(0, 3))
  })
})
