// What travels between threads, as it arrives: the handle of a region or of a channel.
import { isMemory, isSharedArrayBuffer, sectionOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { SW_HEAP_AT, SW_LINE } from '../generated/abi.js'
import type { ChannelRef } from '../heap/channels.js'
import { Commons } from './commons.js'

/** What the handle holds of a region or of a channel, before it is known to be one. */
export interface HandleParts {
  sabway?: unknown
  memory?: unknown
  module?: WebAssembly.Module
  token?: unknown
  copied?: unknown
  codec?: string
  /** Which of the region's channels: 0 and 0 for the one that it was made for. */
  channel: ChannelRef
  /** Of one that was made in this realm: its memory is not looked at. */
  commons?: Commons
}

/** The channel that a region was made for. */
export const FIRST_CHANNEL: ChannelRef = { offset: 0, generation: 0 }

const CHANNEL_TOKEN = /^(.*)\/([0-9a-f]{1,8})\.([0-9a-f]{1,8})$/s

/** A token, taken apart: the region's own, and which of its channels it is for. */
export function tokenParts(text: string): { token: string; channel: ChannelRef } {
  const found = CHANNEL_TOKEN.exec(text)
  if (found === null) return { token: text, channel: FIRST_CHANNEL }
  const [offset, generation] = found.slice(2).map((digits) => Number.parseInt(digits, 16))
  return { token: found[1]!, channel: { offset: offset!, generation: generation! } }
}

/** The token of a channel: the reverse of tokenParts. */
export const channelToken = (token: string, { offset, generation }: ChannelRef): string =>
  generation === 0 ? token : `${token}/${offset.toString(16)}.${generation.toString(16)}`

/** The parts of what should be a handle. Errors: ERR_SABWAY_INVALID_TYPE. */
export function handleParts(value: unknown): HandleParts {
  const expected =
    'expected the `handle` of a region or channel, as it came by postMessage, or its `token` from another process'
  if (typeof value !== 'object' || value === null) check.refuse('ERR_SABWAY_INVALID_TYPE', expected, value)
  const what = check.kindOf(value)
  if (what === 'SharedMemoryChannel' || what === 'Region') {
    throw new SabwayError('ERR_SABWAY_INVALID_TYPE', `${expected}; this is the ${what} itself: pass its \`handle\``)
  }
  const commons = Commons.of(value)
  if (commons !== undefined) {
    const { sabway, ...own } = check.fields(value, 'handle', ['sabway', 'codec', 'channel', 'generation'])
    return { sabway, commons, ...named(own.codec), ...placed(own) }
  }
  const { codec, module, channel, generation, ...parts } = check.fields(value, 'handle', [
    'sabway',
    'memory',
    'module',
    'token',
    'copied',
    'codec',
    'channel',
    'generation',
  ])
  if ((parts.copied && typeof parts.token === 'string') || isMemory(parts.memory) || holdsBuffer(parts.memory))
    return { ...parts, ...named(codec), ...placed({ channel, generation }), ...compiled(module) }
  const hint = parts.sabway !== undefined ? '; a handle survives postMessage, but not JSON' : ''
  return check.refuse('ERR_SABWAY_INVALID_TYPE', `${expected}${hint}`, value)
}

/** Is it what stands in place of a WebAssembly.Memory in the handle of a region over a buffer? */
function holdsBuffer(memory: unknown): boolean {
  if (typeof memory !== 'object' || memory === null || ArrayBuffer.isView(memory)) return false
  return isSharedArrayBuffer(check.fields(memory, "the handle's memory", ['buffer']).buffer)
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_OUT_OF_RANGE. */
function placed(given: { channel?: unknown; generation?: unknown }): { channel: ChannelRef } {
  if (given.channel === undefined) return { channel: FIRST_CHANNEL }
  const offset = check.integer(given.channel, "the handle's channel", SW_HEAP_AT, 2 ** 32 - SW_LINE)
  return { channel: { offset, generation: check.integer(given.generation, "the handle's generation", 1, 2 ** 32 - 1) } }
}

const named = (codec: unknown): { codec?: string } =>
  codec === undefined
    ? {}
    : { codec: check.text(codec, "the handle's codec", check.LONGEST_CODEC_NAME + 'own:'.length) }

function compiled(module: unknown): { module?: WebAssembly.Module } {
  if (module === undefined) return {}
  if (sectionOf(module, '') !== undefined) return { module: module as WebAssembly.Module }
  return check.refuse('ERR_SABWAY_INVALID_TYPE', "the handle's module must be a WebAssembly.Module", module)
}
