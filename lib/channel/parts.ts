// What sabway/bytes leaves out, because few pages that send bytes use it: codecs, port(), streams,
// the options `batch`, `schedule`, `poll` and copy: 'pooled'; and native workers, which come with
// the addon.

import { addonMissing } from '../base/addon.js'
import type * as pooled from '../base/copy-pooled.js'
import { SabwayError } from '../base/errors.js'
import { Part } from '../base/part.js'
import { shown } from '../base/shown.js'
import type * as codec from '../codec/codec.js'
import type * as schedule from '../loop/schedule.js'
import type * as batch from './batch.js'
import type * as workers from './native-worker.js'
import type { ChannelPort, PortChannel, PortSender } from './port.js'
import type * as streams from './streams.js'

type Batching = Pick<typeof batch, 'Batcher' | 'batchOptions'>
type Coding = Pick<typeof codec, 'encoded' | 'encodedList' | 'formatOf' | 'nameOfFormat' | 'sendParts'>
type Pacing = Pick<typeof schedule, 'paceOf'>
type Pooling = Pick<typeof pooled, 'copyPooled'>
type Streaming = Pick<typeof streams, 'makeReadable' | 'makeWritable'>

interface Parts extends Batching, Coding, Pacing, Pooling, Streaming {
  makePort(channel: PortChannel, sender: PortSender): ChannelPort
}

export const channelParts = new Part<Parts>()

/**
 * The parts, for `what` a program asks for. Errors: ERR_SABWAY_NOT_LOADED, where only sabway/bytes
 * was loaded.
 */
export const partsFor = (what: string): Parts => channelParts.for(what)

/** As formatOf in codec.ts: null for bytes. Errors: also ERR_SABWAY_NOT_LOADED. */
export function formatFor(asked: unknown, shared?: string): codec.Format | null {
  if ((asked === undefined || asked === 'bytes') && (shared === undefined || shared === 'bytes')) return null
  const name = typeof asked === 'string' ? asked : shared
  return partsFor(name === undefined ? 'a codec' : `codec ${shown(name)}`).formatOf(asked, shared)
}

/** What starts native workers. */
export const workerPart = new Part<Pick<typeof workers, 'startWorker'>>()

/** Errors: ERR_SABWAY_NO_ADDON, where the addon is never loaded, as in a page. */
export function nativeWorkers(): NonNullable<typeof workerPart.loaded> {
  if (workerPart.loaded === null) throw new SabwayError('ERR_SABWAY_NO_ADDON', addonMissing())
  return workerPart.loaded
}
