// What sabway/bytes leaves out, because few pages that send bytes use it: codecs, port(), streams, the options `batch`, `schedule`,
// `poll` and copy: 'pooled', and the locks by which the ends of threads without the addon are seen. This file knows only of what kind those parts are, so that nothing here makes a bundler keep them; whole.ts
// brings them.

import type * as pooled from './base/copy-pooled.js'
import { SabwayError } from './base/errors.js'
import { shown } from './base/shown.js'
import type * as batch from './channel/batch.js'
import type { ChannelPort, PortChannel, PortSender } from './channel/port.js'
import type * as streams from './channel/streams.js'
import type * as codec from './codec/codec.js'
import type * as endWatch from './loop/end-watch.js'
import type * as schedule from './loop/schedule.js'
import type * as locks from './region/locks.js'

type Batching = Pick<typeof batch, 'Batcher' | 'batchOptions'>
type Coding = Pick<typeof codec, 'encoded' | 'encodedList' | 'formatOf' | 'sendParts'>
type Ending = Pick<typeof endWatch, 'EndWatch' | 'suspect'>
type Locking = Pick<typeof locks, 'hold' | 'letGo'>
type Pacing = Pick<typeof schedule, 'paceOf'>
type Pooling = Pick<typeof pooled, 'copyPooled'>
type Streaming = Pick<typeof streams, 'makeReadable' | 'makeWritable'>

export interface Parts extends Batching, Coding, Ending, Locking, Pacing, Pooling, Streaming {
  makePort(channel: PortChannel, sender: PortSender): ChannelPort
}

let provided: Parts | null = null

export function provideParts(parts: Parts): void {
  provided = parts
}

/** The parts, where they are loaded: for what a program does not ask for, and can be without. */
export const loadedParts = (): Parts | null => provided

/** The parts, for `what` a program asks for. Errors: ERR_SABWAY_NOT_LOADED, where only sabway/bytes was loaded. */
export function partsFor(what: string): Parts {
  if (provided !== null) return provided
  throw new SabwayError(
    'ERR_SABWAY_NOT_LOADED',
    `${what} is not in 'sabway/bytes'; import 'sabway' in this thread, in its place or beside it`,
  )
}

/** As formatOf in codec.ts: null for bytes. Errors: also ERR_SABWAY_NOT_LOADED. */
export function formatFor(asked: unknown, shared?: string): codec.Format | null {
  if ((asked === undefined || asked === 'bytes') && (shared === undefined || shared === 'bytes')) return null
  const name = typeof asked === 'string' ? asked : shared
  return partsFor(name === undefined ? 'a codec' : `codec ${shown(name)}`).formatOf(asked, shared)
}
