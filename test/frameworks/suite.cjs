// What every test framework and environment must be able to do with the library: one suite for all.
// The framework gives its functions; the values that are sent, signals and errors are of its realm,
// which in Jest is not that of Node.
const { Worker } = require('node:worker_threads')
const { join } = require('node:path')
// Real ones, whatever the framework has put in place of the globals.
const timers = process.getBuiltinModule('node:timers')

const sleep = (milliseconds) => new Promise((resolve) => timers.setTimeout(resolve, milliseconds))

async function until(condition, what) {
  for (let i = 0; i < 5000; i++) {
    if (condition()) return
    await sleep(1)
  }
  throw new Error(`waited in vain for: ${what}`)
}

const list = (bytes) => Array.from(bytes).join()

function equal(actual, expected) {
  if (!Object.is(actual, expected)) throw new Error(`expected ${expected}, got ${actual}`)
}

async function codeOf(promise) {
  try {
    await promise
  } catch (error) {
    equal(error instanceof Error, true)
    return error.code
  }
  return 'none'
}

/**
 * `sabway`: the library's exports. `addon`: is it the entry with the addon? `clocks`: how the
 * framework fakes its clocks, { use, advance }; `faked`: they are fake from the start.
 */
exports.suite = ({ sabway, addon, test, afterEach, clocks, faked }) => {
  const { SharedMemoryChannel, SabwayError, crc32c } = sabway
  const open = []
  const keep = (channel) => {
    open.push(channel)
    return channel
  }
  const pair = (options) => {
    const renderer = keep(new SharedMemoryChannel(65536, 65536, options))
    return [renderer, keep(SharedMemoryChannel.attach(renderer.handle, { ...options, side: 'native' }))]
  }
  afterEach(() => {
    for (const channel of open.splice(0)) channel.cleanup()
    if (!faked) clocks.useReal()
  })

  /** With the framework's clocks as they are, and faked after the library was loaded. */
  const both = (title, run) => {
    test(title, run)
    test(`${title}; clocks faked later`, async () => {
      clocks.useFake()
      await run()
    })
  }

  both('send and receive', async () => {
    const [renderer, native] = pair()
    const received = native.receive()
    renderer.send(new Uint8Array([1, 2, 3]))
    equal(list(await received), '1,2,3')
    await native.sendDirect(Buffer.from([4, 5]))
    equal(list(await renderer.receive()), '4,5')
    equal(list((renderer.send(Uint8Array.of(6)), native.receiveSync(1000))), '6')
  })

  both('startReceiving, and a queue that drains', async () => {
    const [renderer, native] = pair()
    const messages = []
    let drained = 0
    renderer.addEventListener('drain', () => drained++)
    for (let i = 0; i < 100; i++) renderer.send(new Uint8Array(2000).fill(i))
    native.startReceiving((message) => messages.push(message[1999]))
    await until(() => messages.length === 100 && drained === 1, 'all messages')
    equal(messages.join(), Array.from({ length: 100 }, (_, i) => i).join())
  })

  both('a receiver that looks at intervals, and one in microtasks', async () => {
    for (const options of [{ poll: 1 }, { schedule: 'microtask' }]) {
      const [renderer, native] = pair()
      const messages = []
      native.startReceiving((message) => messages.push(message), options)
      renderer.send(Uint8Array.of(7))
      await until(() => messages.length === 1, 'the message')
    }
  })

  both('timeouts, which are those of the real clock', async () => {
    const [renderer, native] = pair()
    equal(await codeOf(native.receive({ timeout: 5 })), 'ERR_SABWAY_TIMEOUT')
    const patient = native.receive({ timeout: 60_000 })
    if (faked || clocks.areFake()) clocks.advance(600_000)
    await sleep(5)
    renderer.send(Uint8Array.of(8))
    equal(list(await patient), '8')
  })

  test('an AbortSignal of this realm', async () => {
    const [, native] = pair()
    const controller = new AbortController()
    const given = codeOf(native.receive({ signal: controller.signal }))
    controller.abort()
    equal(await given, 'ERR_SABWAY_ABORTED')
    native.startReceiving(() => {}, { signal: new AbortController().signal })
  })

  test('bytes of every class of this realm', async () => {
    class Own extends Uint8Array {}
    const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 3)
    const [renderer, native] = pair()
    for (const bytes of [new Uint8Array(3), new Own(3), Buffer.alloc(3), shared]) {
      bytes.set([1, 2, 3])
      renderer.send(bytes)
      renderer.sendBatch([bytes])
      await renderer.sendDirect(bytes)
      for (let i = 0; i < 3; i++) equal(list(native.receiveSync(1000)), '1,2,3')
    }
  })

  both('a thread of worker_threads', async () => {
    const channel = keep(new SharedMemoryChannel(65536, 65536))
    const worker = new Worker(join(__dirname, 'thread.mjs'), { workerData: channel.handle })
    const failed = new Promise((_, reject) => worker.on('error', reject))
    const next = () => Promise.race([channel.receive(), failed])
    for (let i = 0; i < 5; i++) {
      channel.send(Uint8Array.of(i, i))
      equal(list(await next()), `${i},${i}`)
    }
    const ended = new Promise((resolve) => worker.on('exit', resolve))
    channel.cleanup()
    await ended
  })

  for (const codec of ['structured', 'msgpack']) {
    both(`the codec '${codec}'`, async () => {
      const [renderer, native] = pair({ codec })
      const value = {
        text: 'a', list: [1, null, true], map: new Map([['key', new Set([1])]]), date: new Date(5), bytes: Uint8Array.of(1, 2),
        floats: Float64Array.of(0.5), error: new RangeError('as sent'), big: 2n ** 70n, pattern: /x/g,
      } // biome-ignore format: one kind of value after the other
      renderer.send(value)
      const got = await native.receive()
      equal(got.text, 'a')
      equal(JSON.stringify(got.list), '[1,null,true]')
      equal(got.map.get('key').has(1), true)
      equal(got.date.getTime(), 5)
      equal(list(got.bytes), '1,2')
      equal(got.floats[0], 0.5)
      equal(`${got.error.name}: ${got.error.message}`, 'RangeError: as sent')
      equal(got.big, 2n ** 70n)
      equal(`${got.pattern}`, '/x/g')
      equal(await codeOf((async () => renderer.send(() => {}))()), 'ERR_SABWAY_NOT_ENCODABLE')
    })
  }

  test('port(), and a port that is transferred through it', async () => {
    const [renderer, native] = pair()
    const { MessageChannel } = require('node:worker_threads')
    const { port1, port2 } = new MessageChannel()
    const arrived = new Promise((resolve) => {
      native.port().onmessage = resolve
    })
    renderer.port().postMessage({ hello: 'world', port: port2 }, [port2])
    const { data, ports } = await arrived
    equal(data.hello, 'world')
    equal(ports.length, 1)
    const answered = new Promise((resolve) => port1.on('message', resolve))
    ports[0].postMessage('through')
    equal(await answered, 'through')
    port1.close()
    const closed = new Promise((resolve) => native.port().addEventListener('close', resolve))
    renderer.port().close()
    await closed
  })

  test('events', async () => {
    const [renderer, native] = pair()
    const heard = []
    const controller = new AbortController()
    native.addEventListener('message', (event) => heard.push(`one ${event.data[0]}`))
    native.addEventListener('message', { handleEvent: (event) => heard.push(`two ${event.data[0]}`) }, { once: true })
    native.addEventListener('message', () => heard.push('never'), { signal: controller.signal })
    native.addEventListener('close', (event) => heard.push(event.type))
    controller.abort()
    native.startReceiving(() => {})
    renderer.send(Uint8Array.of(1))
    renderer.send(Uint8Array.of(2))
    renderer.cleanup()
    await until(() => heard.includes('close'), "'close'")
    equal(heard.join(), 'one 1,two 1,one 2,close')
  })

  test('streams, and for await', async () => {
    const [renderer, native] = pair()
    const writer = renderer.writable.getWriter()
    const reader = native.readable.getReader()
    void writer.write(Uint8Array.of(9))
    equal(list((await reader.read()).value), '9')
    await writer.close()
    equal((await reader.read()).done, true)
    native.send(Uint8Array.of(10))
    native.cleanup()
    const seen = []
    for await (const message of renderer) seen.push(message[0])
    equal(seen.join(), '10')
  })

  test('errors of this realm', async () => {
    const [renderer] = pair()
    let thrown
    try {
      renderer.send('text')
    } catch (error) {
      thrown = error
    }
    equal(thrown instanceof SabwayError && thrown instanceof Error, true)
    equal(thrown.code, 'ERR_SABWAY_INVALID_TYPE')
  })

  test('cleanup, twice, and by Symbol.dispose where there is one', () => {
    const [renderer, native] = pair()
    renderer.cleanup()
    renderer.cleanup()
    if (Symbol.dispose !== undefined) native[Symbol.dispose]()
    else native.cleanup()
    equal(native.closed, true)
    equal('undefined' in native, false)
  })

  if (addon) {
    both('a native worker', async () => {
      const channel = keep(new SharedMemoryChannel(65536, 65536))
      channel.startWorker({ builtin: 'echo' })
      channel.send(Uint8Array.of(1, 2))
      equal(list(await channel.receive()), '1,2')
    })

    both('memory that processes share', async () => {
      const renderer = keep(new SharedMemoryChannel(65536, 65536, { share: 'processes' }))
      const native = keep(SharedMemoryChannel.attach(renderer.token, { side: 'native' }))
      renderer.send(Uint8Array.of(3))
      equal(list(await native.receive()), '3')
    })

    test('crc32c', () => equal(crc32c(Buffer.from("123456789")), 0xe3069283))
  } else {
    test('crc32c and native workers, which say that there is no addon', async () => {
      const [renderer] = pair()
      equal(await codeOf((async () => crc32c(new Uint8Array(1)))()), 'ERR_SABWAY_NO_ADDON')
      equal(await codeOf((async () => renderer.startWorker({ builtin: 'echo' }))()), 'ERR_SABWAY_NO_ADDON')
    })
  }
}
