// What sabway/bytes leaves out, because few pages that send bytes use it: codecs, port(), streams, the options `batch`, `schedule`,
// `poll` and copy: 'pooled', and the locks by which the ends of threads without the addon are seen. This file knows only of what kind those parts are, so that nothing here makes a bundler keep them; whole.ts
// brings them.
import type * as batch from './batch.js'
import type * as codec from './codec.js'
import type * as pooled from './copy-pooled.js'
import type * as endWatch from './end-watch.js'
import { SabwayError } from './errors.js'
import type * as locks from './locks.js'
import type { ChannelPort, PortChannel } from './port.js'
import type * as schedule from './schedule.js'
import { shown } from './shown.js'
import type * as streams from './streams.js'

type Batching = Pick<typeof batch, 'Batcher' | 'batchOptions'>
type Coding = Pick<typeof codec, 'formatOf' | 'joined' | 'lengthOf' | 'sendParts'>
type Ending = Pick<typeof endWatch, 'EndWatch' | 'suspect'>
type Locking = Pick<typeof locks, 'hold' | 'letGo'>
type Pacing = Pick<typeof schedule, 'paceOf'>
type Pooling = Pick<typeof pooled, 'takingPooled'>
type Streaming = Pick<typeof streams, 'makeReadable' | 'makeWritable'>

export interface Parts extends Batching, Coding, Ending, Locking, Pacing, Pooling, Streaming {
  makePort(channel: PortChannel): ChannelPort
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
