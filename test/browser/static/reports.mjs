// Programs of public bug reports about pages: reports.test.ts calls them by name.
import { Region, SharedMemoryChannel } from '/dist/browser.mjs'

const MIB = 2 ** 20
const worker = () => new Worker('/echo.mjs', { type: 'module' })
const next = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }))

/**
 * What comes back for one message, from a worker that has this handle. What a terminated one had
 * not released comes again.
 */
async function echoed(channel, value) {
  channel.send(Uint8Array.of(value))
  for (;;) {
    const [got] = await channel.receive()
    if (got >= value) return got
  }
}

Object.assign(globalThis, {
  /** A page that is loaded again and again, and that cleans nothing up. */
  async makeSome(count) {
    const echo = worker()
    const channels = Array.from({ length: count }, () => new SharedMemoryChannel(MIB, MIB))
    for (const { handle } of channels) echo.postMessage(handle)
    return Promise.all(channels.map((channel, i) => echoed(channel, i)))
  },

  /** Several workers, each with a large memory of its own. */
  async largeOnes(count, bytes) {
    const channels = Array.from({ length: count }, () => new SharedMemoryChannel(bytes, bytes))
    for (const { handle } of channels) worker().postMessage(handle)
    const got = await Promise.all(channels.map((channel, i) => echoed(channel, i)))
    for (const channel of channels) channel.cleanup()
    return got
  },

  /** A memory that grows while others have views of it. */
  async growing() {
    const channel = new SharedMemoryChannel(4096, 4096)
    const { memory } = channel.handle
    let grew = 'grew'
    try {
      memory.grow(1)
    } catch (error) {
      grew = error.name
    }
    worker().postMessage(channel.handle)
    return { grew, got: await echoed(channel, 7) }
  },

  /** A shared buffer in a list of what is to be transferred. */
  async transferring() {
    const channel = new SharedMemoryChannel(4096, 4096)
    const echo = worker()
    let said
    try {
      echo.postMessage(channel.handle, [channel.handle.memory.buffer])
    } catch (error) {
      said = error.name
    }
    echo.postMessage(channel.handle)
    return { said, got: await echoed(channel, 7) }
  },

  async cloning() {
    const channel = new SharedMemoryChannel(4096, 4096)
    const other = SharedMemoryChannel.attach(structuredClone(channel.handle), { side: 'native' })
    other.startReceiving((message) => other.send(message))
    return echoed(channel, 7)
  },

  /** A worker that is terminated while it blocks without a timeout. */
  async terminatingABlockedOne() {
    const channel = new SharedMemoryChannel(4096, 4096)
    const source = `
      import { SharedMemoryChannel } from '${location.origin}/dist/browser.mjs'
      addEventListener('message', ({ data }) => {
        const channel = SharedMemoryChannel.attach(data, { side: 'native' })
        channel.send(Uint8Array.of(1))
        channel.receiveSync()
      })`
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
    const blocked = new Worker(url, { type: 'module' })
    blocked.postMessage(channel.handle)
    const first = (await channel.receive())[0]
    // Until it sleeps: one that is terminated before, and has never yielded, looks like a busy one.
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const died = next(channel, 'peer-died')
    blocked.terminate()
    await died
    worker().postMessage(channel.handle)
    return [first, await echoed(channel, 2)]
  },

  /**
   * A worker for each task, terminated after its answer: more of them than there are places left in
   * the region.
   */
  async oneWorkerATask(count, left) {
    const channel = new SharedMemoryChannel(4096, 4096)
    const others = Array.from({ length: 63 - left }, () => Region.open(channel.handle))
    const got = []
    for (let i = 0; i < count; i++) {
      const echo = worker()
      echo.postMessage(channel.handle)
      got.push(await echoed(channel, i))
      const died = next(channel, 'peer-died')
      echo.terminate()
      await died
    }
    for (const region of others) region.close()
    return got
  },

  /** Blocks of one size in and of another out, in a ring whose size is a multiple of neither. */
  async blocksOfTwoSizes(samples) {
    const channel = new SharedMemoryChannel(48_000 * 4, 4096)
    const reader = SharedMemoryChannel.attach(channel.handle, { side: 'native' })
    let [written, read, wrong] = [0, 0, 0]
    const block = new Float32Array(512)
    while (read < samples) {
      for (let i = 0; i < block.length; i++) block[i] = written + i
      if (channel.trySend(new Uint8Array(block.buffer))) written += block.length
      reader.drain((bytes, start, end) => {
        for (const value of new Float32Array(bytes.slice(start, end).buffer)) if (value !== read++) wrong++
      }, 3)
    }
    return { wrong, lost: written - read >= 48_000 }
  },

  /** A part of a wasm program's memory, sent, and what comes of it transferred on. */
  async partsOfAMemory() {
    const channel = new SharedMemoryChannel(4096, 4096)
    worker().postMessage(channel.handle)
    const memory = new WebAssembly.Memory({ initial: 1 })
    const part = new Uint8Array(memory.buffer, 100, 4).fill(9)
    channel.send(part)
    const message = await channel.receive()
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(message, [message.buffer])
    port2.start()
    const { data } = await next(port2, 'message')
    return { got: [...data], left: message.byteLength, kept: memory.buffer.byteLength }
  },
})
