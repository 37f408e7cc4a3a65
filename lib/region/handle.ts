// What travels between threads, as it arrives: the handle of a region or of a channel.
import { isMemory, isSharedArrayBuffer, sectionOf } from '../base/brand.js'
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { Commons } from './commons.js'

/** What the handle holds of a region or of a channel, before it is known to be one. */
export interface HandleParts {
  sabway?: unknown
  memory?: unknown
  module?: WebAssembly.Module
  token?: unknown
  copied?: unknown
  codec?: string
  /** Of one that was made in this realm: its memory is not looked at. */
  commons?: Commons
}

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
    const { sabway, codec } = check.fields(value, 'handle', ['sabway', 'codec'])
    return { sabway, commons, ...named(codec) }
  }
  const { codec, module, ...parts } = check.fields(value, 'handle', [
    'sabway',
    'memory',
    'module',
    'token',
    'copied',
    'codec',
  ])
  if ((parts.copied && typeof parts.token === 'string') || isMemory(parts.memory) || holdsBuffer(parts.memory))
    return { ...parts, ...named(codec), ...compiled(module) }
  const hint = parts.sabway !== undefined ? '; a handle survives postMessage, but not JSON' : ''
  return check.refuse('ERR_SABWAY_INVALID_TYPE', `${expected}${hint}`, value)
}

/** Is it what stands in place of a WebAssembly.Memory in the handle of a region over a buffer? */
function holdsBuffer(memory: unknown): boolean {
  if (typeof memory !== 'object' || memory === null || ArrayBuffer.isView(memory)) return false
  return isSharedArrayBuffer(check.fields(memory, "the handle's memory", ['buffer']).buffer)
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
