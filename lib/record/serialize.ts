// Plain objects as bytes in a block of a heap: written once, read by any participant. The names are
// those of the package @daneren2005/shared-memory-objects.
//
//   block     magic, bytes of the value (words of 32 bits), the value
//   value     a byte that says which, then what it needs: a number 8 bytes, a text its length and
//             its characters, an array its length and its values, an object its size, its keys
//             and values
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { AllocatedMemory } from '../heap/allocated-memory.js'
import { RawHeap } from '../heap/raw-heap.js'

/** What serializeObjectToMemory takes. */
export type SerializableValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly SerializableValue[]
  | { readonly [key: string]: SerializableValue }

const MAGIC = 0x314a424f
const HEADER = 8
const DEEPEST = 100
enum Tag {
  Undefined,
  Null,
  False,
  True,
  Number,
  BigInt,
  /** Of characters below 256, in one byte each. */
  Narrow,
  /** In two bytes each. */
  Wide,
  Array,
  Object,
}

class Writer {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  end = HEADER

  #room(bytes: number): number {
    const at = this.end
    this.end += bytes
    if (this.end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.end, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }

  tag(tag: Tag): void {
    const at = this.#room(1) // which may make another view
    this.#view.setUint8(at, tag)
  }

  count(count: number): void {
    const at = this.#room(4)
    this.#view.setUint32(at, count, true)
  }

  text(text: string): void {
    let isNarrow = true
    for (let i = 0; i < text.length && isNarrow; i++) isNarrow = text.charCodeAt(i) < 256
    this.tag(isNarrow ? Tag.Narrow : Tag.Wide)
    this.count(text.length)
    const at = this.#room(text.length * (isNarrow ? 1 : 2))
    for (let i = 0; i < text.length; i++) {
      if (isNarrow) this.#bytes[at + i] = text.charCodeAt(i)
      else this.#view.setUint16(at + 2 * i, text.charCodeAt(i), true)
    }
  }

  value(value: unknown, path: string, depth: number): void {
    if (depth > DEEPEST) refuse(`${path.slice(0, 60)} is more than ${DEEPEST} levels deep, or contains itself`)
    if (value === undefined || value === null) this.tag(value === null ? Tag.Null : Tag.Undefined)
    else if (typeof value === 'boolean') this.tag(value ? Tag.True : Tag.False)
    else if (typeof value === 'string') this.text(value)
    else if (typeof value === 'number') {
      this.tag(Tag.Number)
      const at = this.#room(8)
      this.#view.setFloat64(at, value, true)
    } else if (typeof value === 'bigint') {
      this.tag(Tag.BigInt)
      this.text(value.toString(16))
    } else if (check.isArray(value)) {
      this.tag(Tag.Array)
      const { length } = value
      this.count(length)
      for (let i = 0; i < length; i++)
        this.value(
          check.reading(`${path}[${i}]`, () => value[i]),
          `${path}[${i}]`,
          depth + 1,
        )
    } else if (typeof value === 'object' && check.kindOf(value) === 'Object') {
      this.tag(Tag.Object)
      const names = check.reading(path, () => Object.keys(value))
      this.count(names.length)
      for (const name of names) {
        this.text(name)
        this.value(check.fields(value, path, [name])[name], `${path}.${name}`, depth + 1)
      }
    } else
      check.refuse(
        'ERR_SABWAY_INVALID_TYPE',
        `${path.slice(0, 60)} must be a number, a text, a boolean, a bigint, null, undefined, an array or a plain object`,
        value,
      )
  }

  finish(): Uint8Array {
    this.#view.setUint32(0, MAGIC, true)
    this.#view.setUint32(4, this.end - HEADER, true)
    return this.#bytes.subarray(0, this.end)
  }
}

const refuse = (why: string): never => {
  throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', why)
}

class Reader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  #at = HEADER

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }

  #take(bytes: number): number {
    const at = this.#at
    if (bytes > this.#bytes.length - at) refuse('the block ends in the middle of an object')
    this.#at += bytes
    return at
  }

  #count(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  #text(tag: number): string {
    const length = this.#count()
    const at = this.#take(length * (tag === Tag.Wide ? 2 : 1))
    let text = ''
    for (let i = 0; i < length; i++)
      text += String.fromCharCode(tag === Tag.Wide ? this.#view.getUint16(at + 2 * i, true) : this.#bytes[at + i]!)
    return text
  }

  value(depth = 0): unknown {
    if (depth > DEEPEST) refuse(`the object is more than ${DEEPEST} levels deep`)
    const tag = this.#bytes[this.#take(1)]!
    switch (tag) {
      case Tag.Undefined:
        return undefined
      case Tag.Null:
        return null
      case Tag.False:
      case Tag.True:
        return tag === Tag.True
      case Tag.Number:
        return this.#view.getFloat64(this.#take(8), true)
      case Tag.BigInt:
        return bigintOf(this.#string())
      case Tag.Narrow:
      case Tag.Wide:
        return this.#text(tag)
      case Tag.Array: {
        const values: unknown[] = []
        for (let left = this.#count(); left > 0; left--) values.push(this.value(depth + 1))
        return values
      }
      case Tag.Object: {
        const entries: [string, unknown][] = []
        for (let left = this.#count(); left > 0; left--) entries.push([this.#string(), this.value(depth + 1)])
        return Object.fromEntries(entries)
      }
      default:
        return refuse(`the block has ${tag} where a value begins`)
    }
  }

  #string(): string {
    const tag = this.#bytes[this.#take(1)]!
    return tag === Tag.Narrow || tag === Tag.Wide
      ? this.#text(tag)
      : refuse('the block has no text where one should be')
  }
}

function bigintOf(text: string): bigint {
  if (!/^-?[0-9a-f]{1,100000}$/.test(text)) refuse('the block has no bigint where one should be')
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`)
}

/**
 * Write a plain object into a new block: texts, numbers, booleans, bigints, null, undefined, and
 * arrays and plain objects of those. Later changes of the object are not written. Errors: as
 * Heap.alloc; ERR_SABWAY_INVALID_TYPE for any other value, ERR_SABWAY_INVALID_ARGUMENT.
 */
export function serializeObjectToMemory(
  heap: RawHeap,
  object: { readonly [key: string]: SerializableValue },
): AllocatedMemory {
  const home = RawHeap.checked(heap)
  if (typeof object !== 'object' || object === null)
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'object must be an object', object)
  const writer = new Writer()
  writer.value(object, 'object', 0)
  const bytes = writer.finish()
  const memory = new AllocatedMemory(home, home.alloc(bytes.length))
  memory.getArray(Uint8Array, 0, bytes.length).set(bytes)
  return memory
}

/**
 * The object that serializeObjectToMemory has written to a block: a copy. Errors:
 * ERR_SABWAY_INVALID_ARGUMENT: no such object is there; ERR_SABWAY_INVALID_TYPE.
 */
export function createObjectFromMemory<T extends object>(memory: AllocatedMemory): T {
  if (typeof memory !== 'object' || memory === null || !AllocatedMemory.isMade(memory))
    check.refuse('ERR_SABWAY_INVALID_TYPE', 'memory must be an AllocatedMemory', memory)
  const [magic, bytes] = memory.data
  if (magic !== MAGIC || bytes! > memory.data.byteLength - HEADER)
    refuse(`the block at ${memory.pointer} was not written by serializeObjectToMemory`)
  const from = new Uint8Array(memory.heap.buffer, memory.pointer, HEADER + bytes!)
  return new Reader(from.slice()).value() as T
}

/** The same by the pointer of the block. Errors: also those of `new AllocatedMemory`. */
export function createObjectFromPointer<T extends object>(heap: RawHeap, pointer: number): T {
  return createObjectFromMemory<T>(new AllocatedMemory(heap, pointer))
}
