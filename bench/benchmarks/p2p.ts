// Queues between peers, and managers, in one thread: Sabway's, and the queue as its description
// has it, in plain JavaScript.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { P2PLoopback, P2PManager, type P2PMessage, P2PQueue, type P2PReader } from 'sabway/p2p'
import type { Work } from './in-thread.js'

const BYTES = 64
/** Messages that are written before they are read. */
const BURST = 100
const FROM = 'player-1'
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Bursts: `write` is given the number of each message, and `read` reads all, and says how many. */
function bursts(write: (n: number, data: Uint8Array) => void, read: () => number): Work {
  const data = Uint8Array.from({ length: BYTES }, (_, i) => i)
  return (count) => {
    let seen = 0
    for (let written = 0; written < count; ) {
      for (const end = Math.min(count, written + BURST); written < end; written++) {
        data[0] = written
        write(written, data)
      }
      seen += read()
    }
    if (seen !== count) throw new Error(`${seen} of ${count} messages came`)
  }
}

function check(n: number, from: string, channel: number, first: number): void {
  if (from !== FROM || channel !== n % 64 || first !== (n & 0xff)) throw new Error(`message ${n} is wrong`)
}

// ---- queues ----

/** Messages that one side of a queue writes, and `read` takes and checks: how many. */
function ofQueue(read: (reader: P2PReader, see: (message: P2PMessage) => void) => number): Work {
  const queue = new P2PQueue()
  const [writer, reader] = [queue.writer('incoming'), queue.reader('incoming')]
  let next = 0
  return bursts(
    (n, data) => {
      if (n === 0) next = 0
      writer.write(FROM, n % 64, data)
    },
    () => read(reader, ({ from, channel, data }) => check(next++, from, channel, data[0]!)),
  )
}

export const inPlace = (): Work => ofQueue((reader, see) => reader.read(see))

export const copies = (): Work =>
  ofQueue((reader, see) => {
    const messages = reader.take()
    messages.forEach(see)
    return messages.length
  })

/** The description's steps: its GDScript, line by line, with a DataView and a loop over bytes. */
class NaiveQueue {
  readonly #view = new DataView(new SharedArrayBuffer(16 + 256 * 1024))

  write(from: string, channel: number, payload: Uint8Array): boolean {
    const view = this.#view
    const message = new Uint8Array(40 + payload.length)
    message.set(new TextEncoder().encode(from))
    for (let i = 0; i < 4; i++) message[32 + i] = (channel >> (8 * i)) & 0xff
    for (let i = 0; i < 4; i++) message[36 + i] = (payload.length >> (8 * i)) & 0xff
    message.set(payload, 40)
    const writeIndex = view.getUint32(0, true)
    const messageCount = view.getUint32(8, true)
    if (messageCount >= 256) return false
    const at = 16 + writeIndex * 1024
    view.setUint32(at, message.length, true)
    for (let i = 0; i < message.length; i++) view.setUint8(at + 4 + i, message[i]!)
    view.setUint32(0, (writeIndex + 1) % 256, true)
    view.setUint32(8, messageCount + 1, true)
    return true
  }

  read(most: number): { from: string; channel: number; data: Uint8Array }[] {
    const view = this.#view
    const messages = []
    let readIndex = view.getUint32(4, true)
    let messageCount = view.getUint32(8, true)
    while (messageCount > 0 && messages.length < most) {
      const at = 16 + readIndex * 1024
      const size = view.getUint32(at, true)
      if (size === 0 || size > 1020) break
      const message = new Uint8Array(size)
      for (let i = 0; i < size; i++) message[i] = view.getUint8(at + 4 + i)
      const fields = new DataView(message.buffer)
      const from = new TextDecoder().decode(message.slice(0, 32)).replace(/\0+$/, '')
      const length = fields.getUint32(36, true)
      messages.push({ from, channel: fields.getUint32(32, true), data: message.slice(40, 40 + length) })
      readIndex = (readIndex + 1) % 256
      messageCount--
      view.setUint32(4, readIndex, true)
      view.setUint32(8, messageCount, true)
    }
    return messages
  }
}

export function naive(): Work {
  const queue = new NaiveQueue()
  let next = 0
  return bursts(
    (n, data) => {
      if (n === 0) next = 0
      queue.write(FROM, n % 64, data)
    },
    () => {
      const messages = queue.read(256)
      for (const { from, channel, data } of messages) check(next++, from, channel, data[0]!)
      return messages.length
    },
  )
}

/** bench/baselines/p2p.c in WebAssembly, as an engine would be: it is compiled here. */
export async function engine(): Promise<Work> {
  const { instance } = await WebAssembly.instantiate(await compiled())
  const { churn } = instance.exports as { churn(count: number): number }
  return (count) => {
    if (churn(count) === 0) throw new Error('a message is missing, or wrong')
  }
}

async function compiled(): Promise<Uint8Array<ArrayBuffer>> {
  const out = `${root}build/programs/p2p.wasm`
  const sources = [`${root}bench/baselines/p2p.c`, `${root}native/core/p2p/slots.c`]
  if (!existsSync(out) || sources.some((file) => statSync(file).mtimeMs > statSync(out).mtimeMs)) {
    // A process of its own: the compiler's memory is none of the benchmark's.
    const script = `
      const fs = await import('node:fs')
      const { runClang } = await import('@yowasp/clang')
      const { tree } = await import(${JSON.stringify(`${root}native/codegen/calls.mjs`)})
      const files = { native: await tree(${JSON.stringify(`${root}native`)}),
        'p2p.c': fs.readFileSync(${JSON.stringify(sources[0])}) }
      const command = ['clang', '--target=wasm32', '-std=c11', '-O3', '-matomics', '-mbulk-memory', '-ffreestanding',
        '-nostdlib', '-Inative', '-Inative/include', 'p2p.c', 'native/core/p2p/slots.c', '-Wl,--no-entry', '-o', 'out.wasm']
      const out = await runClang(command, files, { fetchProgress: () => {} })
      fs.writeFileSync(${JSON.stringify(out)}, out['out.wasm'])`
    mkdirSync(`${root}build/programs`, { recursive: true })
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, stdio: 'pipe' })
  }
  return new Uint8Array(readFileSync(out))
}

// ---- managers ----

const UNBOUNDED = { messagesPerSecond: 1e9, bytesPerSecond: 1e12 }

/** Managers in a network in memory, all connected. */
async function together(peers: number, channels: number) {
  const hub = new P2PLoopback({ manual: true, maxInFlight: 2 ** 26 })
  const managers = Array.from(
    { length: peers },
    (_, n) =>
      new P2PManager({
        transport: hub.connect(`peer-${n}`),
        channels,
        batch: 'frame',
        frameInterval: Number.POSITIVE_INFINITY,
        limits: UNBOUNDED,
      }),
  )
  for (let turn = 0; turn < 1000 && managers.some((each) => each.peers.length < peers - 1); turn++) {
    hub.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const readers = managers.map((manager) =>
    Array.from({ length: channels }, (_, channel) =>
      P2PQueue.attach(manager.getP2PChannelQueue(channel)).reader('incoming'),
    ),
  )
  return { hub, managers, readers }
}

/** One message that has come: each frame, each peer sends one to all others, and reads. */
export async function among(peers: number): Promise<Work> {
  const { hub, managers, readers } = await together(peers, 1)
  const data = new Uint8Array(BYTES)
  return (count) => {
    let seen = 0
    while (seen < count) {
      for (const manager of managers) manager.broadcast(0, true, data)
      for (const manager of managers) manager.frame()
      hub.advance(1)
      let came = 0
      for (const [reader] of readers) came += reader!.read(() => {})
      if (came !== peers * (peers - 1)) throw new Error(`${came} messages came in a frame`)
      seen += came
    }
  }
}

/** One of 64 messages of a frame, on so many channels by turns, between two peers. */
export async function over(channels: number): Promise<Work> {
  const { hub, managers, readers } = await together(2, channels)
  const data = new Uint8Array(BYTES)
  return (count) => {
    for (let seen = 0; seen < count; seen += 64) {
      for (let i = 0; i < 64; i++) managers[0]!.sendP2PMessage('peer-1', i % channels, true, data)
      managers[0]!.frame()
      hub.advance(1)
      let came = 0
      for (const reader of readers[1]!) came += reader.read(() => {})
      managers[1]!.frame()
      if (came !== 64) throw new Error(`${came} messages came in a frame`)
    }
  }
}
