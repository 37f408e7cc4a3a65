// The names of a region's directory: text here, bytes of UTF-8 in the region.
import * as check from '../base/check.js'
import { coreError, SabwayError } from '../base/errors.js'
import { SW_NAME_MOST, sw_found } from '../generated/abi.js'
import type { HeapMember } from './member.js'

/** What a name stands for. */
export interface Found {
  /** SW_KIND_MEMORY and so on. */
  readonly kind: number
  /** Where the object is. */
  readonly object: number
  /** Of a channel or a container; 0 of all else. */
  readonly generation: number
}

/** The name in the scratch, and what is found behind it. */
const NAME = 32
const LENGTH = 16
const CURSOR = 24

const UTF8 = /%(..)|./gs

/** By the language alone: an AudioWorklet has neither TextEncoder nor TextDecoder. */
function encoded(name: string): number[] {
  try {
    return Array.from(encodeURIComponent(name).matchAll(UTF8), ([letter, hex]) =>
      hex === undefined ? letter.charCodeAt(0) : Number.parseInt(hex, 16),
    )
  } catch {
    return check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'name must not have half a surrogate pair', name)
  }
}

/** A name that a C program has made of other bytes is shown with those as %XX. */
function decoded(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT. */
function put(member: HeapMember, name: unknown): number {
  const bytes = encoded(check.text(name, 'name', SW_NAME_MOST))
  if (bytes.length > SW_NAME_MOST) {
    throw new SabwayError(
      'ERR_SABWAY_INVALID_ARGUMENT',
      `name must have at most ${SW_NAME_MOST} bytes of UTF-8, it has ${bytes.length}`,
    )
  }
  member.region.bytes.set(bytes, member.scratch + NAME)
  return bytes.length
}

const wordAt = (member: HeapMember, at: number): number =>
  Atomics.load(member.region.words, (member.scratch + at) >>> 2)

const readFound = (member: HeapMember): Found => ({
  kind: wordAt(member, sw_found.kind),
  object: wordAt(member, sw_found.object) >>> 0,
  generation: wordAt(member, sw_found.generation) >>> 0,
})

function settled(status: number, what: string): boolean {
  if (status < 0) throw coreError(status, what)
  return status === 1
}

/** Null: there is no such name. */
export function find(member: HeapMember, name: unknown): Found | null {
  member.mustBeOpen()
  const { core, handle, scratch } = member
  const length = put(member, name)
  const status = member.until(() => core.sw_directory_find(handle, scratch + NAME, length, scratch))
  return settled(status, 'while looking for a name') ? readFound(member) : null
}

/** Give the object a name. Returns what the name stands for: that, or what it stood for before. */
export function add(member: HeapMember, name: unknown, object: Found): Found {
  member.mustBeOpen()
  const { core, handle, scratch, region } = member
  const length = put(member, name)
  Atomics.store(region.words, (scratch + sw_found.kind) >>> 2, object.kind)
  Atomics.store(region.words, (scratch + sw_found.object) >>> 2, object.object)
  Atomics.store(region.words, (scratch + sw_found.generation) >>> 2, object.generation)
  const status = member.until(() => core.sw_directory_add(handle, scratch + NAME, length, scratch, scratch))
  return settled(status, 'while giving an object a name') ? object : readFound(member)
}

/** Take the name away. False: there was none. */
export function remove(member: HeapMember, name: unknown): boolean {
  member.mustBeOpen()
  const { core, handle, scratch } = member
  const length = put(member, name)
  return settled(
    member.until(() => core.sw_directory_remove(handle, scratch + NAME, length, 0)),
    'while taking a name away',
  )
}

/** All names. While others add and remove, those that were there all the time are in it. */
export function list(member: HeapMember): Map<string, Found> {
  member.mustBeOpen()
  const { core, handle, scratch, region } = member
  const found = new Map<string, Found>()
  Atomics.store(region.words, (scratch + CURSOR) >>> 2, 0)
  const next = () => core.sw_directory_next(handle, scratch + CURSOR, scratch, scratch + NAME, scratch + LENGTH)
  while (settled(member.until(next), 'while listing names')) {
    const length = wordAt(member, LENGTH)
    const name = decoded(region.bytes.subarray(scratch + NAME, scratch + NAME + length))
    found.set(name, readFound(member))
  }
  return found
}
