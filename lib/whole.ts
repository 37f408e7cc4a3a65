// All that sabway/bytes leaves out: codecs, port(), streams, the options `batch`, `schedule`,
// `poll` and copy: 'pooled', the locks by which the ends of threads without the addon are seen.
// Every other entry point calls loadParts, and nothing else provides a part or makes a codec known:
// an entry point that forgets to has none of them, which the tests of each entry point would show.

import { copyPooled } from './base/copy-pooled.js'
import { whyNotIsolated } from './base/electron-versions.js'
import { provideErrors } from './base/errors.js'
import { Batcher, batchOptions } from './channel/batch.js'
import { channelParts } from './channel/parts.js'
import { ChannelPort, PORT, type PortChannel, type PortSender } from './channel/port.js'
import { makeReadable, makeWritable } from './channel/streams.js'
import { encoded, encodedList, formatOf, sendParts } from './codec/codec.js'
import { ADDON_ERRORS } from './generated/abi.js'
import { allocateLines, format } from './heap/format.js'
import { provideJoin } from './heap/member.js'
import * as names from './heap/names.js'
import { relay } from './loop/dispatcher.js'
import { EndWatch, suspect } from './loop/end-watch.js'
import { endPart } from './loop/parts.js'
import { paceOf } from './loop/schedule.js'
import { provideMutex } from './mutex/mutex.js'
import { holdLock, releaseLock } from './region/locks.js'
import { electronPart, heapPart, lockPart } from './region/parts.js'
import type { Region } from './region/region.js'

/** Let every channel of this thread have the parts, also those that were made before. */
export function loadParts(): void {
  provideErrors(ADDON_ERRORS) // an Electron page is told of them by its main process
  const makePort = (channel: PortChannel, sender: PortSender) => new ChannelPort(PORT, channel, sender)
  electronPart.provide({ whyNotIsolated })
  lockPart.provide({ holdLock, releaseLock })
  endPart.provide({ EndWatch, suspect })
  heapPart.provide({ ...names, allocateLines, format })
  provideJoin((region) => relay(region as Region))
  provideMutex()
  channelParts.provide({
    Batcher,
    batchOptions,
    copyPooled,
    encoded,
    encodedList,
    formatOf,
    makePort,
    makeReadable,
    makeWritable,
    paceOf,
    sendParts,
  })
}
