// Callbacks of every kind, registered by one request and set off by another: each case returns the
// requests that the callbacks saw.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type ChannelOptions, SharedMemoryChannel } from 'sabway'
import { aWhile, until } from './wait.js'

export const requests = new AsyncLocalStorage<string>()

const bytes = new Uint8Array(16)
const large = new Uint8Array(3000)
const now = () => requests.getStore() ?? 'none'

/** Two sides in this thread, made by a third request. */
function sides(options: ChannelOptions<never> = {}): [SharedMemoryChannel, SharedMemoryChannel] {
  return requests.run('maker', () => {
    const renderer = new SharedMemoryChannel(4096, 4096, options as ChannelOptions)
    return [renderer, SharedMemoryChannel.attach(renderer.handle, { ...options, side: 'native' } as never)]
  })
}

type Act = (channel: SharedMemoryChannel) => unknown

/**
 * `register` is called in the receiver's request, `act` in another. Returns what `register` has
 * noted, once there are `expected` notes.
 */
async function seen(
  expected: number,
  register: (channel: SharedMemoryChannel, note: () => void) => unknown,
  act: Act,
  options: ChannelOptions<never> = {},
): Promise<string[]> {
  const [renderer, native] = sides(options)
  const notes: string[] = []
  requests.run('receiver', () => void register(native, () => notes.push(now())))
  await requests.run('sender', async () => act(renderer))
  try {
    await until(() => notes.length >= expected, `${expected} callbacks`, 5000)
  } finally {
    renderer.cleanup()
    native.cleanup()
  }
  return notes
}

const send: Act = (channel) => channel.send(bytes)
const post: Act = (channel) => channel.port().postMessage('a value')
const close: Act = (channel) => channel.cleanup()

/** Fill the ring of `channel` beyond its room; `emptied` is called when the queue has drained. */
function overfill(channel: SharedMemoryChannel): void {
  for (let i = 0; i < 3; i++) channel.send(large)
}

/** The receiver of all; it is another request's. */
const drainIt: Act = (channel) => channel.startReceiving(() => {})

export const contextCases: Record<string, () => Promise<string[]>> = {
  'startReceiving, a callback': () => seen(1, (channel, note) => channel.startReceiving(note), send),
  'startReceiving, where the sender set the dispatcher going': () =>
    seen(
      3,
      async (channel, note) => {
        channel.startReceiving(note)
        await aWhile() // asleep
      },
      async (channel) => {
        await aWhile()
        overfill(channel)
      },
    ),
  'startReceiving in place': () => seen(1, (channel, note) => channel.startReceiving(note, { copy: false }), send),
  'startReceiving, several in a turn': () =>
    seen(
      40,
      (channel, note) => channel.startReceiving(note),
      (channel) => {
        for (let i = 0; i < 40; i++) channel.send(bytes)
      },
    ),
  'startReceiving in microtasks': () =>
    seen(1, (channel, note) => channel.startReceiving(note, { schedule: 'microtask' }), send),
  'startReceiving, polling': () => seen(1, (channel, note) => channel.startReceiving(note, { poll: 1 }), send),
  'a schedule, its tick, and the callback': () =>
    seen(
      2,
      (channel, note) =>
        channel.startReceiving(note, {
          schedule: (tick) => {
            note()
            setTimeout(tick, 1)
          },
        }),
      send,
    ),
  "'message' listeners: a function, an object, once": () =>
    seen(
      3,
      (channel, note) => {
        channel.addEventListener('message', note)
        channel.addEventListener('message', { handleEvent: note })
        channel.addEventListener('message', () => note(), { once: true })
        requests.run('another', () => channel.startReceiving(() => {}))
      },
      send,
    ),
  receive: () =>
    seen(
      1,
      async (channel, note) => {
        await channel.receive()
        note()
      },
      send,
    ),
  'receive, given up': () =>
    seen(
      1,
      async (channel, note) => {
        await channel.receive({ timeout: 5 }).catch(note)
      },
      () => {},
    ),
  'receive, aborted by another': () => {
    const controller = new AbortController()
    return seen(
      1,
      (channel, note) => channel.receive({ signal: controller.signal }).catch(note),
      () => controller.abort(),
    )
  },
  'for await': () =>
    seen(
      2,
      async (channel, note) => {
        for await (const _ of channel) note()
        note()
      },
      (channel) => {
        channel.send(bytes)
        channel.cleanup()
      },
    ),
  readable: () =>
    seen(
      1,
      async (channel, note) => {
        await channel.readable.getReader().read()
        note()
      },
      send,
    ),
  'port: onmessage': () =>
    seen(
      1,
      (channel, note) => {
        channel.port().onmessage = note
      },
      post,
    ),
  'port: a listener': () =>
    seen(
      1,
      (channel, note) => {
        channel.port().addEventListener('message', note)
        requests.run('another', () => channel.port().start())
      },
      post,
    ),
  "port: 'close'": () =>
    seen(
      1,
      (channel, note) => {
        channel.port().addEventListener('close', note)
        channel.port().start()
      },
      (channel) => channel.port().close(),
    ),
  "'close'": () =>
    seen(
      1,
      (channel, note) => {
        channel.addEventListener('close', note)
        requests.run('another', () => channel.startReceiving(() => {}))
      },
      close,
    ),
  "'error'": () =>
    seen(
      1,
      (channel, note) => {
        channel.addEventListener('error', note)
        requests.run('another', () => channel.startReceiving(() => {}))
      },
      send,
      {
        codec: {
          name: 'fails',
          encode: (value: never) => value,
          decode: () => {
            throw new Error('as asked')
          },
        },
      },
    ),
  "onQueueEmpty and 'drain'": () =>
    seen(
      2,
      (channel, note) => {
        channel.onQueueEmpty = note
        channel.addEventListener('drain', note)
        requests.run('another', () => overfill(channel))
      },
      drainIt,
    ),
  sendDirect: () =>
    seen(
      1,
      async (channel, note) => {
        overfill(channel)
        await channel.sendDirect(large)
        note()
      },
      drainIt,
    ),
  'sendDirect, given up': () =>
    seen(
      1,
      (channel, note) => {
        overfill(channel)
        return channel.sendDirect(large, { timeout: 5 }).catch(note)
      },
      () => {},
    ),
  writable: () =>
    seen(
      1,
      async (channel, note) => {
        overfill(channel)
        await channel.writable.getWriter().write(large)
        note()
      },
      drainIt,
    ),
}

/** The dispatcher itself is no request's: what it calls that was registered nowhere sees none. */
export async function dispatcherContext(): Promise<string[]> {
  const notes: string[] = []
  const codec = {
    name: 'notes',
    encode: (value: never) => value,
    decode: (message: Uint8Array) => {
      notes.push(now())
      return message.slice() as never
    },
  }
  const [renderer, native] = sides({ codec })
  const received = requests.run('receiver', () => native.receive())
  await requests.run('sender', async () => renderer.send(bytes))
  await received
  renderer.cleanup()
  native.cleanup()
  return notes
}
