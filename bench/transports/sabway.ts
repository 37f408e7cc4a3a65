// Sabway between two JavaScript threads, by each way to send and to receive.
import { type BatchOptions, type ChannelHandle, Region, SharedMemoryChannel, type WaitPolicy } from 'sabway'
import { makeBatch, makeMessages, mix, STALLED_MS, sumWords, Watchdog, wordAt } from '../harness/messages.js'
import {
  type EventEnd,
  mustAnswer,
  type PollingEnd,
  pingByEvents,
  pingByPolling,
  pongByEvents,
  pongByPolling,
} from '../harness/round-trips.js'
import { capacityFor, type Job, type Load, type Transport } from './transport.js'

type Roles = Transport<SharedMemoryChannel>['roles']

function transport(
  roles: Roles,
  options: { batch?: BatchOptions; wait?: WaitPolicy } = {},
): Transport<SharedMemoryChannel> {
  return {
    make({ size }) {
      const bytes = 'ping' in roles ? 65_536 : capacityFor(size)
      const channel = new SharedMemoryChannel(bytes, bytes, options)
      return { end: channel, remote: channel.handle }
    },
    open: (handle: ChannelHandle) => SharedMemoryChannel.attach(handle, { side: 'native', ...options }),
    close: (channel) => channel.cleanup(),
    roles,
  }
}

// ---- throughput ----

export function sendOne(channel: SharedMemoryChannel, { size, lead }: Load): Job {
  const messages = makeMessages(size, lead)
  return (count) => {
    const watchdog = new Watchdog()
    for (let i = 0, k = 0; i < count; i++) {
      while (!channel.trySend(messages[k]!)) watchdog.check()
      if (++k === messages.length) k = 0
    }
    channel.flush()
  }
}

export function sendBatches(channel: SharedMemoryChannel, { size, lead }: Load): Job {
  const batch = makeBatch(makeMessages(size, lead))
  return (count) => {
    const watchdog = new Watchdog()
    for (let left = count; left > 0; ) {
      let some = left < batch.length ? batch.slice(0, left) : batch
      left -= some.length
      for (;;) {
        const sent = channel.sendBatch(some)
        if (sent === some.length) break
        if (sent === 0) watchdog.check()
        else some = some.slice(sent)
      }
    }
  }
}

function receiveFirstWords(channel: SharedMemoryChannel): Job {
  let hash = 0
  const take = (bytes: Uint8Array, start: number) => {
    hash = mix(hash, wordAt(bytes, start))
  }
  return (count) => {
    hash = 0
    const watchdog = new Watchdog()
    for (let left = count; left > 0; ) {
      const got = channel.drain(take, left)
      if (got === 0) watchdog.check()
      left -= got
    }
    return { count, hash, sum: 0 }
  }
}

function receiveAllBytes(channel: SharedMemoryChannel): Job {
  const words = new Int32Array(channel.handle.memory.buffer)
  let hash = 0
  let sum = 0
  const take = (bytes: Uint8Array, start: number, end: number) => {
    hash = mix(hash, wordAt(bytes, start))
    sum = (sum + sumWords(words, start >>> 2, end >>> 2)) | 0
  }
  return (count) => {
    hash = 0
    sum = 0
    const watchdog = new Watchdog()
    for (let left = count; left > 0; ) {
      const got = channel.drain(take, left)
      if (got === 0) watchdog.check()
      left -= got
    }
    return { count, hash, sum }
  }
}

function sendOnLoop(channel: SharedMemoryChannel, { size, lead }: Load): Job {
  const messages = makeMessages(size, lead)
  return (count) =>
    new Promise((resolve) => {
      let sent = 0
      const pump = () => {
        while (sent < count) if (!channel.send(messages[sent++ % messages.length]!)) return
        channel.onQueueEmpty = null
        resolve()
      }
      channel.onQueueEmpty = pump
      pump()
    })
}

function receiveOnLoop(channel: SharedMemoryChannel): Job {
  return (count) =>
    new Promise((resolve) => {
      let hash = 0
      let got = 0
      channel.startReceiving((message) => {
        hash = mix(hash, wordAt(message, 0))
        if (++got < count) return
        channel.stopReceiving()
        resolve({ count: got, hash, sum: 0 })
      })
    })
}

// ---- round trips ----

function pollingEnd(channel: SharedMemoryChannel): PollingEnd {
  let first = -1
  const see = (bytes: Uint8Array, start: number) => {
    first = bytes[start]!
  }
  return {
    send: (message) => channel.trySend(message),
    take: () => (channel.drain(see, 1) === 0 ? -1 : first),
  }
}

const eventEnd = (channel: SharedMemoryChannel): EventEnd => ({
  send: (message) => channel.send(message),
  listen: (take) => channel.startReceiving(take),
  unlisten: () => channel.stopReceiving(),
})

function pingBlocking(channel: SharedMemoryChannel, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    const times = new Float64Array(count)
    let before = performance.now()
    for (let i = 0; i < count; i++) {
      message[0] = i
      channel.trySend(message)
      const answer = channel.receiveSync(STALLED_MS)
      mustAnswer(i, answer?.[0])
      const now = performance.now()
      times[i] = now - before
      before = now
    }
    return times
  }
}

function pongBlocking(channel: SharedMemoryChannel): Job {
  return (count) => {
    for (let i = 0; i < count; i++) {
      const message = channel.receiveSync(STALLED_MS)
      if (message === null) throw new Error('the other side has stalled')
      channel.trySend(message)
    }
  }
}

const loops: Roles = {
  ping: (channel, load) => pingByEvents(eventEnd(channel), load),
  pong: (channel, load) => pongByEvents(eventEnd(channel), load),
}

const all: Record<string, Roles> = {
  'sabway trySend, drain': { send: sendOne, receive: receiveFirstWords },
  'sabway sendBatch, drain': { send: sendBatches, receive: receiveFirstWords },
  'sabway sendBatch, drain all': { send: sendBatches, receive: receiveAllBytes },
  'sabway send, startReceiving (own copies)': { send: sendOnLoop, receive: receiveOnLoop },
  'sabway spinning': {
    ping: (channel, load) => pingByPolling(pollingEnd(channel), load),
    pong: (channel, load) => pongByPolling(pollingEnd(channel), load),
  },
  'sabway event loops': loops,
}

/** A channel, and others on which nothing ever comes: both ends receive on all of them. */
export interface Crowd {
  channel: SharedMemoryChannel
  idle: SharedMemoryChannel[]
}

const IDLE_BYTES = 4096

export interface CrowdSize {
  idle: number
  /** Are all in one region? */
  together?: true
}

export const crowds: Record<string, CrowdSize> = {
  'sabway event loops, alone': { idle: 0 },
  'sabway event loops, beside 100 idle receivers': { idle: 100 },
  'sabway event loops, beside 1,000 idle receivers': { idle: 1000 },
  'sabway event loops, beside 1,000 idle receivers in its region': { idle: 1000, together: true },
}

const CROWD_REGION = 64 << 20

export function makeCrowd({ idle: count, together }: CrowdSize, share: { share?: 'processes' } = {}): Crowd {
  const options = together ? { region: Region.create({ size: CROWD_REGION, ...share }) } : share
  const channel = new SharedMemoryChannel(65_536, 65_536, options)
  const idle = Array.from({ length: count }, () => new SharedMemoryChannel(IDLE_BYTES, IDLE_BYTES, options))
  return receiving({ channel, idle })
}

export function openCrowd([first, ...others]: (ChannelHandle | string)[]): Crowd {
  const attach = (from: ChannelHandle | string) => SharedMemoryChannel.attach(from, { side: 'native' })
  return receiving({ channel: attach(first!), idle: others.map(attach) })
}

function receiving(crowd: Crowd): Crowd {
  for (const channel of crowd.idle) channel.startReceiving(() => {})
  return crowd
}

export function closeCrowd({ channel, idle }: Crowd): void {
  for (const each of [channel, ...idle]) each.cleanup()
}

/** The round trips of a crowd's one channel. */
export const crowdRoles: Transport<Crowd>['roles'] = {
  ping: ({ channel }, load) => loops.ping!(channel, load),
  pong: ({ channel }, load) => loops.pong!(channel, load),
}

const crowdOf = (size: CrowdSize): Transport<Crowd> => ({
  make() {
    const end = makeCrowd(size)
    return { end, remote: [end.channel, ...end.idle].map(({ handle }) => handle) }
  },
  open: openCrowd,
  close: closeCrowd,
  roles: crowdRoles,
})

export const crowdTransports = Object.fromEntries(Object.entries(crowds).map(([name, size]) => [name, crowdOf(size)]))

const blocking = { ping: pingBlocking, pong: pongBlocking }

export const sabwayTransports: Record<string, ReturnType<typeof transport>> = Object.fromEntries([
  ...Object.entries(all).map(([name, roles]) => [name, transport(roles)]),
  ['sabway batch, drain', transport({ send: sendOne, receive: receiveFirstWords } as Roles, { batch: {} })],
  ['sabway event loops, park', transport(loops, { wait: 'park' })],
  ...(['spin', 'balanced', 'park'] as const).map((wait) => [
    `sabway receiveSync, ${wait}`,
    transport(blocking, { wait }),
  ]),
])
