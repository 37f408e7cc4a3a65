// All that sabway/bytes leaves out. Every other entry point calls loadParts.
import { Batcher, batchOptions } from './batch.js'
import { formatOf, joined, lengthOf, sendParts } from './codec.js'
import { takingPooled } from './copy-pooled.js'
import { EndWatch, suspect } from './end-watch.js'
import { provideErrors } from './errors.js'
import { ADDON_ERRORS } from './generated/abi.js'
import { hold, letGo } from './locks.js'
import { provideParts } from './parts.js'
import { ChannelPort, PORT, type PortChannel } from './port.js'
import { paceOf } from './schedule.js'
import { makeReadable, makeWritable } from './streams.js'

/** Let every channel of this thread have the parts, also those that were made before. */
export function loadParts(): void {
  provideErrors(ADDON_ERRORS) // an Electron page is told of them by its main process
  const makePort = (channel: PortChannel) => new ChannelPort(PORT, channel)
  provideParts({
    Batcher,
    batchOptions,
    EndWatch,
    formatOf,
    hold,
    joined,
    lengthOf,
    letGo,
    makePort,
    makeReadable,
    makeWritable,
    paceOf,
    sendParts,
    suspect,
    takingPooled,
  })
}
