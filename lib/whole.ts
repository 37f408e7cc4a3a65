// All that sabway/bytes leaves out but the heap (objects.ts): codecs, port(), streams, the options
// `batch`, `schedule`, `poll` and copy: 'pooled', the locks by which the ends of threads without
// the addon are seen, and hints: why a certain scope is not isolated, which option was meant.
// Every other entry point calls loadParts, and nothing else provides a part or makes a codec known:
// an entry point that forgets to has none of them, which the tests of each entry point would show.

import { nearestPart } from './base/check.js'
import { copyPooled } from './base/copy-pooled.js'
import { provideErrors } from './base/errors.js'
import { nearest } from './base/nearest.js'
import { Batcher, batchOptions } from './channel/batch.js'
import { channelParts } from './channel/parts.js'
import { ChannelPort, PORT, type PortChannel, type PortSender } from './channel/port.js'
import { makeReadable, makeWritable } from './channel/streams.js'
import { encoded, encodedList, formatOf, nameOfFormat, sendParts } from './codec/codec.js'
import { CODEC_ERRORS } from './generated/abi.js'
import { EndWatch, suspect } from './loop/end-watch.js'
import { endPart } from './loop/parts.js'
import { paceOf } from './loop/schedule.js'
import { whyNot } from './region/isolation-advice.js'
import { hold } from './region/locks.js'
import { advicePart, lockPart } from './region/parts.js'

/** Let every channel of this thread have the parts, also those that were made before. */
export function loadParts(): void {
  const makePort = (channel: PortChannel, sender: PortSender) => new ChannelPort(PORT, channel, sender)
  provideErrors(CODEC_ERRORS)
  nearestPart.provide({ nearest })
  advicePart.provide({ whyNot })
  lockPart.provide({ hold })
  endPart.provide({ EndWatch, suspect })
  channelParts.provide({
    Batcher,
    batchOptions,
    copyPooled,
    encoded,
    encodedList,
    formatOf,
    nameOfFormat,
    makePort,
    makeReadable,
    makeWritable,
    paceOf,
    sendParts,
  })
}
