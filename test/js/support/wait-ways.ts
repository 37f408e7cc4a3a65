// Every way in which a program waits for the other side of a channel, and how each wait ended.
import type { SabwayError, SharedMemoryChannel } from 'sabway'
import { until } from './wait.js'

export const WAYS = ['receive', 'for await', 'receiveSync', 'sendDirect', 'readable', 'port', 'startReceiving'] as const
export type Way = (typeof WAYS)[number]

/** 'message', then what came next: a code, 'end', or the events that came. */
export type Outcome = string[]

/**
 * How each wait ends when the other side's holder has ended without leaving it, after one message.
 */
export const DIED: Record<Way, Outcome> = {
  receive: ['message', 'ERR_SABWAY_PEER_DIED'],
  'for await': ['message', 'ERR_SABWAY_PEER_DIED'],
  receiveSync: ['message', 'ERR_SABWAY_PEER_DIED'],
  sendDirect: ['ERR_SABWAY_PEER_DIED'],
  readable: ['message', 'ERR_SABWAY_PEER_DIED'],
  port: ['message', 'close'],
  startReceiving: ['message', 'peer-died'],
}

const codeOf = (error: unknown): string => (error as SabwayError).code ?? String(error)

async function untilItFails(take: () => Promise<string>): Promise<Outcome> {
  const seen: Outcome = []
  for (;;) {
    try {
      const what = await take()
      seen.push(what)
      if (what !== 'message') return seen
    } catch (error) {
      return [...seen, codeOf(error)]
    }
  }
}

async function loop(channel: SharedMemoryChannel): Promise<Outcome> {
  const seen: Outcome = []
  try {
    for await (const _ of channel) seen.push('message')
    return [...seen, 'end']
  } catch (error) {
    return [...seen, codeOf(error)]
  }
}

async function sendDirect(channel: SharedMemoryChannel): Promise<Outcome> {
  const full = new Uint8Array(channel.stats().sent.capacity)
  while (channel.trySend(full));
  return untilItFails(() => channel.sendDirect(full).then(() => 'sent'))
}

function read(channel: SharedMemoryChannel): Promise<Outcome> {
  const reader = channel.readable.getReader()
  return untilItFails(() => reader.read().then(({ done }) => (done ? 'end' : 'message')))
}

function listen(channel: SharedMemoryChannel): Promise<Outcome> {
  const port = channel.port()
  return new Promise((resolve) => {
    const seen: Outcome = []
    port.onmessage = () => seen.push('message')
    // the other side sends bytes, which are no values
    port.onmessageerror = () => seen.push('message')
    port.addEventListener('close', () => resolve([...seen, 'close']))
  })
}

/** What a process had sent may come after the news of its death: it is received all the same. */
async function take(channel: SharedMemoryChannel): Promise<Outcome> {
  const seen: Outcome = []
  channel.startReceiving(() => seen.push('message'))
  const types = ['close', 'peer-died']
  const told = await Promise.race(
    types.map((type) => new Promise<string>((resolve) => channel.addEventListener(type, () => resolve(type)))),
  )
  await until(() => channel.stats().received.used === 0, 'the rest')
  return [...seen, told]
}

/** The ways that leave the thread free; receiveSync blocks one. */
export const waitInWay: Record<Exclude<Way, 'receiveSync'>, (channel: SharedMemoryChannel) => Promise<Outcome>> = {
  receive: (channel) => untilItFails(() => channel.receive().then(() => 'message')),
  'for await': loop,
  sendDirect,
  readable: read,
  port: listen,
  startReceiving: take,
}
