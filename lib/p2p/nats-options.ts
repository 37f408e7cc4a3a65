// The options of peers that are connected by NATS, and what they count.
import * as check from '../base/check.js'
import type { SabwayError } from '../base/errors.js'
import { backoffOf, hostClock, type P2PBackoff, type P2PClock } from './clock.js'
import { idWords } from './ids.js'
import { MOST_BYTES } from './link.js'
import type { NatsConnection, NatsJetStream } from './nats.js'
import { PACKET } from './options.js'

export interface P2PNatsOptions {
  /** This peer: at most 32 bytes of UTF-8. The server decides whether it may publish as that. */
  id: string
  /** `await connect({ servers })`: the program's, which closes it. */
  connection: NatsConnection
  /** `jetstream(connection)`. */
  jetstream: NatsJetStream
  /** The stream of the game, whose subjects are `<prefix>.r.>`. */
  stream: string
  /** What all subjects of the game begin with, such as `'game'`. */
  prefix: string
  /** Peers at most: 255 unless given. Others are counted as `refused`. */
  maxPeers?: number
  /** The most bytes of one message of the network: 16 KiB unless given, 1200 to 64 KiB. */
  maxBytes?: number
  /** Reliable bytes to one peer that the stream has not acknowledged: 256 KiB unless given. */
  maxBuffered?: number
  /** Milliseconds between signs of life: 1000 unless given. */
  heartbeat?: number
  /** Milliseconds without one after which a peer has left: 5000 unless given. */
  timeout?: number
  /** Milliseconds that a reliable message is waited for when later ones are there: 30,000. */
  gapTimeout?: number
  /** Times between attempts: 100 ms to 5 s unless given. */
  backoff?: P2PBackoff
  /** What was not acknowledged and is published again. */
  onRetry?: (error: SabwayError) => void
  /** The time, for tests. */
  clock?: P2PClock
}

const NAMES = [
  'id',
  'connection',
  'jetstream',
  'stream',
  'prefix',
  'maxPeers',
  'maxBytes',
  'maxBuffered',
  'heartbeat',
  'timeout',
  'gapTimeout',
  'backoff',
  'onRetry',
  'clock',
] as const satisfies readonly (keyof P2PNatsOptions)[]

export interface P2PNatsStats {
  /** Reliable messages that the stream has acknowledged, and that it has not yet. */
  acknowledged: number
  waiting: number
  /** Reliable messages that were published again. */
  retries: number
  /** Messages that came a second time. */
  duplicates: number
  /** Messages of or for a program that was there before under the same id. */
  stale: number
  /** Messages that no peer of Sabway's sends. */
  malformed: number
  /** Peers beyond `maxPeers`, or that begin anew more than 4 times a second. */
  refused: number
  /** Messages that may be lost, and were: the server was not there. */
  lost: number
  /** Signs of life under this peer's own id, of another program. */
  twins: number
}

/** Options with everything in its place. */
export interface NatsSettings extends Required<Omit<P2PNatsOptions, 'onRetry' | 'backoff'>> {
  readonly backoff: Required<P2PBackoff>
  readonly onRetry: ((error: SabwayError) => void) | undefined
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE. */
export function natsSettings(options: P2PNatsOptions): NatsSettings {
  const given = check.options<P2PNatsOptions>(options, 'NATS options', NAMES)
  const { connection, jetstream, onRetry } = given
  idWords(given.id as string, 'id')
  if (typeof connection?.publish !== 'function' || typeof connection.subscribe !== 'function')
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'connection must be a connection to NATS', connection)
  if (typeof jetstream?.publish !== 'function' || typeof jetstream.consumers?.get !== 'function')
    return check.refuse('ERR_SABWAY_INVALID_TYPE', 'jetstream must be jetstream(connection)', jetstream)
  const stream = check.text(given.stream, 'stream', 255)
  const prefix = check.text(given.prefix, 'prefix', 255)
  if (prefix.split('.').some((part) => !/^[^\s*>]+$/.test(part)))
    check.refuse('ERR_SABWAY_INVALID_ARGUMENT', "prefix must be a subject without wildcards, such as 'game'", prefix)
  if (onRetry !== undefined) check.callback(onRetry, 'onRetry')
  const number = (
    name: 'maxPeers' | 'maxBytes' | 'maxBuffered' | 'gapTimeout',
    usual: number,
    least: number,
    most: number,
  ) => check.integer(given[name] ?? usual, name, least, most)
  const heartbeat = check.integer(given.heartbeat ?? 1000, 'heartbeat', 1, 2 ** 24)
  return {
    id: given.id as string,
    connection,
    jetstream,
    stream,
    prefix,
    onRetry,
    clock: given.clock ?? hostClock,
    backoff: backoffOf(given.backoff, { least: 100, most: 5000 }),
    maxPeers: number('maxPeers', 255, 1, 65535),
    maxBytes: number('maxBytes', 1 << 14, PACKET, MOST_BYTES),
    maxBuffered: number('maxBuffered', 2 ** 18, 1, 2 ** 24),
    gapTimeout: number('gapTimeout', 30_000, 1, 2 ** 31 - 1),
    heartbeat,
    timeout: check.integer(given.timeout ?? 5 * heartbeat, 'timeout', heartbeat, 2 ** 31 - 1),
  }
}
