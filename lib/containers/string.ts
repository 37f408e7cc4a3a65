// The public class of strings in a heap: see native/core/string/string.c. Texts are read here, in
// place, and not by the core: a text that this thread has read before costs two loads.
import * as check from '../base/check.js'
import { asCorruptError, SabwayError } from '../base/errors.js'
import { OBJECT_ERRORS, SW_OBJECT_BYTES, SW_TYPE_STRING, sw_object, sw_text } from '../generated/abi.js'
import { HeapObject, type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import type { SharedAllocatedMemory } from '../heap/pointer.js'
import { readText, textBytes, writeText } from '../heap/text.js'

/** Reads that may fail before the writers are locked out, and behind that. */
const TRIES = 16
const TRIES_LOCKED = 256
/** The longest text that V8 can have. */
const LONGEST = 2 ** 29 - 24
/** Texts up to so many bytes go to the core through the scratch, which has 752. */
const SCRATCH = 720
const AGAIN = Symbol()

/**
 * A text in a heap that threads of any process read and replace as a whole. A reader sees a text
 * that was there during its call; of two replacements one is the later for all. No call waits for
 * a participant that has died. Every text of JavaScript comes back as it was, with surrogates that
 * have no partner, too; it lies in the heap as UTF-8, those as three bytes each.
 */
export class SharedString extends HeapObject {
  readonly #words: Int32Array
  /** Index of the word that each replacement changes; before it is the offset of the text. */
  readonly #version: number
  readonly #life: number
  /** The text that was read last, and the version that it had. */
  #text = ''
  #known: number | undefined

  /**
   * A new string, with that text; or the one that another participant has made, of its
   * getSharedMemory() or pointer. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_HEAP_FULL,
   * ERR_SABWAY_CLOSED; ERR_SABWAY_FREED, ERR_SABWAY_OTHER_KIND, ERR_SABWAY_WILD_POINTER,
   * ERR_SABWAY_OUT_OF_RANGE.
   */
  constructor(home: ObjectHome, value: string | SharedObjectMemory | SharedAllocatedMemory | number = '') {
    super(home, value, SW_TYPE_STRING, (member) => make(member, value))
    this.#words = this.member.region.words
    this.#version = (this.pointer + sw_object.root + 4) >>> 2
    this.#life = (this.pointer + sw_object.life) >>> 2
  }

  /**
   * The text. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED; to set it, also
   * ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_HEAP_FULL.
   */
  get value(): string {
    this.member.mustBeOpen()
    return Atomics.load(this.#words, this.#version) === this.#known ? this.#text : this.#read()
  }

  set value(text: string) {
    this.#replace(checked(text), undefined)
  }

  /**
   * Replace the text if it is `expected`: true, or false when it is another. Errors: as `value`.
   */
  compareAndSet(expected: string, value: string): boolean {
    checked(expected, 'expected')
    checked(value)
    for (;;) {
      if (this.value !== expected) return false
      if (this.#replace(value, this.#known!)) return true
    }
  }

  /**
   * Replace the text by what `change` makes of it, which is called again when another participant
   * has replaced it meanwhile. Returns the new text. Errors: as `value`, and what `change` throws.
   */
  update(change: (text: string) => string): string {
    check.callback(change, 'change')
    for (;;) {
      const before = this.value
      const version = this.#known!
      const text = checked(change(before), 'what change returns')
      if (this.#replace(text, version)) return text
    }
  }

  override toString(): string {
    return this.value
  }

  get [Symbol.toStringTag](): string {
    return 'SharedString'
  }

  /** @internal */
  release(): number {
    return this.member.core.sw_string_free(this.member.handle, this.pointer, this.generation)
  }

  // ---- reading ----

  #read(): string {
    for (let tries = 0; tries < TRIES; tries++) if (this.#try()) return this.#text
    // It is replaced again and again meanwhile: a long text, and fast writers.
    const { core, handle } = this.member
    const status = this.member.until(() => core.sw_string_begin_read(handle, this.pointer, this.generation))
    if (status !== 0) throw this.error(status)
    try {
      for (let tries = 0; tries < TRIES_LOCKED; tries++) if (this.#try()) return this.#text
    } finally {
      core.sw_string_end_read(handle, this.pointer)
    }
    throw new SabwayError('ERR_SABWAY_CORRUPT', `the string at ${this.pointer} changes all the time`)
  }

  /** Copies first, and believes what it has copied when the version is still the same. */
  #try(): boolean {
    const words = this.#words
    const version = Atomics.load(words, this.#version)
    const at = Atomics.load(words, this.#version - 1) >>> 0
    const text = at === 0 ? '' : this.#textAt(at, version)
    // What was read above was read before this word is: an exchange is a fence where a load is not.
    Atomics.add(words, this.member.scratch >>> 2, 0)
    if (text === AGAIN || Atomics.load(words, this.#version) !== version) return false
    if (
      Atomics.load(words, this.#life) !== SW_TYPE_STRING ||
      Atomics.load(words, this.#life + 1) >>> 0 !== this.generation
    )
      throw this.error(OBJECT_ERRORS.ERR_SABWAY_FREED.number)
    this.#text = text
    this.#known = version
    return true
  }

  #textAt(at: number, version: number): string | typeof AGAIN {
    const { bytes } = this.member.region
    const room = bytes.length - at - sw_text.bytes
    const length = at % 16 === 0 && room > 0 ? Atomics.load(this.#words, at >>> 2) >>> 0 : bytes.length
    // before the length is believed
    if (Atomics.load(this.#words, this.#version) !== version) return AGAIN
    if (length > room)
      throw new SabwayError('ERR_SABWAY_CORRUPT', `the string at ${this.pointer} leads out of the heap`)
    if (length > LONGEST * 3)
      throw new SabwayError('ERR_SABWAY_OUT_OF_RANGE', `a text of ${length} bytes is longer than a string can be`)
    return readText(bytes, at + sw_text.bytes, length)
  }

  // ---- replacing ----

  /** False: `version` is not its version any more. */
  #replace(text: string, version: number | undefined): boolean {
    const { member } = this
    member.mustBeOpen()
    const { hot, handle, scratch } = member
    const end = text.length > SCRATCH ? -1 : writeText(member.region.bytes, scratch, scratch + SCRATCH, text)
    if (end === -1) return this.#replaceLong(text, version)
    let status: number
    try {
      status =
        version === undefined
          ? hot.sw_string_set(handle, this.pointer, this.generation, scratch, end - scratch)
          : hot.sw_string_compare_set(handle, this.pointer, this.generation, version, scratch, end - scratch)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status === 0) return version === undefined
    if (status === 1) return true
    // of the heap, which may be locked now, or of the string
    return this.#replaceLong(text, version)
  }

  /** By a block, which this fills in its place. */
  #replaceLong(text: string, version: number | undefined): boolean {
    const { member } = this
    const block = place(member, text)
    const { hot, handle } = member
    let status: number
    try {
      status = member.until(() =>
        version === undefined
          ? hot.sw_string_replace(handle, this.pointer, this.generation, block)
          : hot.sw_string_compare_replace(handle, this.pointer, this.generation, version, block),
      )
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status === 1 || (status === 0 && version === undefined)) return true
    if (block !== 0) member.free(block)
    if (status !== 0) throw this.error(status)
    return false
  }
}

function checked(value: unknown, name = 'value'): string {
  if (typeof value === 'string') return value
  return check.refuse('ERR_SABWAY_INVALID_TYPE', `${name} must be a string`, value)
}

/**
 * A block with the text, which is no string's or field's yet; 0 for none. Errors: as Heap.alloc.
 */
export function place(member: HeapMember, text: string): number {
  if (text === '') return 0
  const length = textBytes(text)
  const { hot, handle } = member
  const block = member.make(length, () => hot.sw_string_alloc(handle, length))
  const { bytes, words } = member.region
  words[block >>> 2] = length
  writeText(bytes, block + sw_text.bytes, block + sw_text.bytes + length, text)
  return block
}

function make(member: HeapMember, value: unknown): number {
  const block = place(member, checked(value))
  const { core, hot, handle, scratch, region } = member
  let pointer: number
  try {
    pointer = member.make(SW_OBJECT_BYTES, () => core.sw_string_new(handle))
  } catch (error) {
    if (block !== 0) member.free(block)
    throw error
  }
  core.sw_object_type(handle, pointer, scratch)
  const generation = Atomics.load(region.words, scratch >>> 2)
  if (block !== 0) hot.sw_string_replace(handle, pointer, generation, block)
  return pointer
}

/** Let strings have names in the directory. */
export function provideString(): void {
  provideObject<SharedString>({
    type: SW_TYPE_STRING,
    name: 'string',
    open: (heap, shared) => new SharedString(heap, shared),
    blocks: ({ region }, pointer) => [Atomics.load(region.words, (pointer + sw_object.root) >>> 2) >>> 0],
  })
}
