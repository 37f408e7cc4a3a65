// Entry point without the native addon: browser pages and workers. Waking goes through Atomics.notify.

import * as msgpackr from 'msgpackr'
import { provideFormat } from './codec.js'
import { msgpackWith } from './codec-msgpack.js'

provideFormat('msgpack', () => msgpackWith(msgpackr))

export * from './exports.js'
