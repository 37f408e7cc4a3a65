// What an object with fields and an array of such objects share: their memory, the lock, changes
// under it, and snapshots. See native/core/record/record.c.
import * as check from '../base/check.js'
import { asCorruptError, SabwayError } from '../base/errors.js'
import { hide } from '../base/summary.js'
import { place as placeText } from '../containers/string.js'
import {
  ERRORS,
  OBJECT_ERRORS,
  SW_RECORD_ALIVE,
  sw_heap_stats,
  sw_piece,
  sw_record,
  sw_record_plan,
} from '../generated/abi.js'
import type { Heap } from '../heap/heap.js'
import { HeapObject, type ObjectHome } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import { type Lock, type LockOptions, Mutex } from '../mutex/mutex.js'
import type { Field, Shape } from './definition.js'
import { LAYOUTS, type Layout, layoutOf, placeOf, type StructLayout } from './layout.js'
import { textAt, type VersionedText } from './texts.js'
import { bitsOf, checked, highBits, type Views, viewsOf } from './values.js'

const TOO_MANY = OBJECT_ERRORS.ERR_SABWAY_TOO_MANY_CHANGES.number
const BUSY = OBJECT_ERRORS.ERR_SABWAY_BUSY.number
const STATE = ERRORS.ERR_SABWAY_INVALID_STATE.number
/** Of the member's scratch, which takes a heap's statistics. */
const SCRATCH = sw_heap_stats.sizeof
export const MOST_UNDO = 2 ** 20

/** What a record is to be. */
export interface Plan {
  readonly shape: Shape
  readonly rows: number
  readonly layout: StructLayout
  /** Entries of the undo log. */
  readonly room: number
}

/** A part of a record's fields. */
export interface Piece {
  readonly at: number
  readonly bytes: number
}

const wordOf = (member: HeapMember, at: number): number => Atomics.load(member.region.words, at >>> 2) >>> 0

/** Write the plan where the core takes it from. */
function tell(member: HeapMember, { shape, rows, layout, room }: Plan): void {
  const words = new Uint32Array(member.region.bytes.buffer, member.scratch, sw_record_plan.sizeof / 4)
  words.fill(0)
  words.set(shape.hash, sw_record_plan.shape / 4)
  words[sw_record_plan.rows / 4] = rows
  words[sw_record_plan.layout / 4] = LAYOUTS.indexOf(layout)
  words[sw_record_plan.bytes / 4] = layoutOf(shape, rows, layout).bytes
  words[sw_record_plan.room / 4] = room
  if (shape.texts === 0) return
  const { starts, strides } = layoutOf(shape, rows, layout)
  words[sw_record_plan.texts / 4] = shape.texts
  words[sw_record_plan.text_row / 4] = strides[0]!
  words[sw_record_plan.text_step / 4] = shape.texts > 1 ? starts[1]! - starts[0]! : 8
}

/** A new record of that type, all zeros. Returns its pointer. Errors: as Heap.alloc. */
export function makeRecord(member: HeapMember, type: number, plan: Plan): number {
  const { bytes } = layoutOf(plan.shape, plan.rows, plan.layout)
  check.integer(bytes, 'the bytes of all fields', 8, 0xf000_0000)
  return member.make(bytes + plan.room * 16, () => {
    tell(member, plan)
    return member.core.sw_record_new(member.handle, type, member.scratch)
  })
}

/** The two words that tell what the fields of the record at `pointer` are. */
export const hashAt = (member: HeapMember, pointer: number): readonly [number, number] => {
  const at = pointer + sw_record.plan + sw_record_plan.shape
  return [wordOf(member, at), wordOf(member, at + 4)]
}

/** The blocks of that record: its data, and those of its texts. */
export function* blocksAt(member: HeapMember, pointer: number): Generator<number, void, undefined> {
  const data = wordOf(member, pointer + sw_record.data)
  yield data
  const of = (field: number) => wordOf(member, pointer + sw_record.plan + field)
  const [rows, texts, bytes] = [of(sw_record_plan.rows), of(sw_record_plan.texts), of(sw_record_plan.bytes)]
  // a plan that a hostile participant has written may name 2^32 places
  let left = Math.min(bytes, member.region.bytes.length) / 8
  for (let text = 0; text < texts && rows > 0 && left > 0; text++) {
    let at = text * of(sw_record_plan.text_step)
    for (let row = 0; row < rows && left > 0; row++) {
      left--
      if (at >= bytes || data + at >= member.region.bytes.length) break
      yield wordOf(member, data + at)
      at += Math.max(8, of(sw_record_plan.text_row))
    }
  }
}

/** Fields in shared memory, of one object or of many. */
export abstract class SharedRecord extends HeapObject {
  /** @internal */ declare readonly shape: Shape
  /** @internal */ declare readonly layout: Layout
  /** @internal */ declare readonly plan: Plan
  /** @internal */ declare readonly regionViews: Views
  /** @internal */ declare readonly fieldsAt: number
  /** @internal */ declare readonly regionWords: Int32Array
  /** @internal */ declare readonly lifeIndex: number
  /** @internal */ declare readonly lifeWord: number
  readonly #type: number
  #mutex: Mutex | null = null

  /** @internal Errors: as HeapObject; ERR_SABWAY_OTHER_KIND: its fields are others. */
  constructor(home: ObjectHome, given: unknown, type: number, shape: Shape, make: (member: HeapMember) => number) {
    super(home, given, type, make)
    this.#type = type
    const { member, pointer, generation } = this
    const { core, handle, scratch, region } = member
    const at = pointer + sw_record.plan
    const [rows, layout, room] = [sw_record_plan.rows, sw_record_plan.layout, sw_record_plan.room].map((field) =>
      wordOf(member, at + field),
    ) as [number, number, number]
    const plan: Plan = { shape, rows, layout: LAYOUTS[layout] ?? 'rows', room }
    tell(member, plan)
    const status = core.sw_record_open(handle, pointer, type, generation, scratch)
    if (status === OBJECT_ERRORS.ERR_SABWAY_OTHER_KIND.number)
      throw new SabwayError('ERR_SABWAY_OTHER_KIND', `the fields of what is at ${pointer} are not those of this class`)
    if (status !== 0) throw this.error(status)
    hide(this, {
      shape,
      layout: layoutOf(shape, rows, plan.layout),
      plan,
      regionViews: viewsOf(region),
      fieldsAt: wordOf(member, pointer + sw_record.data),
      regionWords: region.words,
      lifeIndex: (pointer + sw_record.alive) >>> 2,
      lifeWord: (SW_RECORD_ALIVE ^ generation) | 0,
    })
  }

  /** @internal Errors: ERR_SABWAY_INVALID_STATE: a participant holds its lock. */
  release(): number {
    const { core, handle } = this.member
    const status = core.sw_record_free(handle, this.pointer, this.#type, this.generation)
    if (status === BUSY || status === STATE)
      throw new SabwayError('ERR_SABWAY_INVALID_STATE', `a participant holds the lock of what is at ${this.pointer}`)
    return status
  }

  /** @internal */
  gone(): never {
    this.member.mustBeOpen()
    throw new SabwayError('ERR_SABWAY_FREED', `what was at ${this.pointer}`)
  }

  /** @internal Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED. */
  mustLive(): void {
    this.member.mustBeOpen()
    if (this.regionWords[this.lifeIndex] !== this.lifeWord) this.gone()
  }

  /** @internal The field of that name, which is one value. */
  scalar(name: unknown): Field {
    const field = this.shape.byName.get(name as string)
    if (field === undefined || field.length !== 0 || field.type === 'string' || field.type === 'bool')
      check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'name must be that of a field which is one number', name)
    return field
  }

  // ---- changes ----

  /** @internal What is given to those that change the record. */
  abstract draft(): object

  /** @internal As `lock` of the subclasses. */
  locked<Result>(change: (draft: never) => Result, options?: { timeout?: number }): Result {
    check.callback(change, 'change')
    return this.#under(this.#lock.lock(options), change)
  }

  /** @internal As `tryLock`. */
  tryLocked(change: (draft: never) => unknown): boolean {
    check.callback(change, 'change')
    const lock = this.#lock.tryLock()
    if (lock === null) return false
    this.#under(lock, change)
    return true
  }

  /** @internal As `lockAsync`. */
  async lockedAsync<Result>(change: (draft: never) => Result, options?: LockOptions): Promise<Result> {
    check.callback(change, 'change')
    return this.#under(await this.#lock.lockAsync(options), change)
  }

  get #lock(): Mutex {
    this.mustLive()
    this.#mutex ??= new Mutex(this.heap as Heap, this.pointer)
    return this.#mutex
  }

  #under<Result>(lock: Lock, change: (draft: never) => Result): Result {
    const { core, handle } = this.member
    const died = Number(lock.ownerDied)
    const status = core.sw_record_locked(handle, this.pointer, this.#type, this.generation, died)
    if (status !== 0) {
      drop(lock) // the core has given it back
      throw this.error(status)
    }
    try {
      const result = change(this.draft() as never)
      if (isThenable(result))
        throw new SabwayError(
          'ERR_SABWAY_INVALID_TYPE',
          'the change returned a promise, but the lock is over when it returns; wait before, and change what is to be changed at once',
        )
      const made = core.sw_record_commit(handle, this.pointer)
      if (made !== 0) throw this.error(made)
      lock.release()
      return result
    } catch (error) {
      core.sw_record_undo(handle, this.pointer)
      drop(lock)
      throw error
    }
  }

  /**
   * @internal Change one value of a field under the lock. Errors: ERR_SABWAY_INVALID_STATE: this
   * thread does not hold it; ERR_SABWAY_TOO_MANY_CHANGES; as `checked`.
   */
  change(field: Field, row: number, n: number, value: unknown): void {
    const { name, type, bytes } = field
    checked(value as number, type, name)
    const at = placeOf(this.layout, field, row, n)
    this.member.mustBeOpen()
    if (type === 'string') {
      this.#changeText(at, value as string)
      return
    }
    const low = bitsOf(value as number, type)
    const { hot, handle } = this.member
    let status: number
    try {
      status =
        bytes === 8
          ? hot.sw_record_write64(handle, this.pointer, at, low, highBits())
          : hot.sw_record_write32(handle, this.pointer, at, bytes, low)
    } catch (error) {
      throw asCorruptError(error)
    }
    if (status !== 0) throw this.#changeError(status)
  }

  #changeText(at: number, text: string): void {
    const { core, handle } = this.member
    const block = placeText(this.member, text)
    const status = core.sw_record_write_text(handle, this.pointer, at, block)
    if (status === 0) return
    if (block !== 0) this.member.free(block)
    throw this.#changeError(status)
  }

  #changeError(status: number): SabwayError {
    if (status === TOO_MANY) {
      return new SabwayError(
        'ERR_SABWAY_TOO_MANY_CHANGES',
        `${this.plan.room} values at most can be changed under one lock; all of them are as before; make it with a larger \`undo\`, or change less at once`,
      )
    }
    if (status === STATE)
      return new SabwayError('ERR_SABWAY_INVALID_STATE', 'this thread does not hold the lock any more')
    return this.error(status)
  }

  // ---- texts ----

  /**
   * @internal The text whose word is at that offset in the region. Errors: as `textAt`,
   * ERR_SABWAY_FREED.
   */
  textAt(at: number): VersionedText {
    this.mustLive()
    const found = textAt(this.member, at)
    this.mustLive() // of a record that is freed, what was read is none of its texts
    return found
  }

  /**
   * @internal Replace it, under the lock. Errors: as Heap.alloc; ERR_SABWAY_FREED,
   * ERR_SABWAY_POISONED; ERR_SABWAY_INVALID_STATE: this thread is changing the record now.
   */
  setText(at: number, text: string): void {
    this.mustLive()
    const { member, pointer, generation } = this
    const block = placeText(member, text)
    let status: number
    try {
      status = member.until(() =>
        member.core.sw_record_set_text(member.handle, pointer, this.#type, generation, at - this.fieldsAt, block),
      )
    } catch (error) {
      if (block !== 0) member.free(block)
      throw error
    }
    if (status === 0) return
    if (block !== 0) member.free(block)
    if (status !== STATE) throw status === TOO_MANY ? this.#changeError(status) : this.error(status)
    throw new SabwayError(
      'ERR_SABWAY_INVALID_STATE',
      'this thread holds the lock: set the text of the fields that the change was given',
    )
  }

  // ---- snapshots ----

  /**
   * @internal Those parts, one behind the other, as they are between two changes: each from the
   * multiple of 8 at or before its beginning. Errors: ERR_SABWAY_BUSY, ERR_SABWAY_FREED,
   * ERR_SABWAY_POISONED, ERR_SABWAY_HEAP_FULL, ERR_SABWAY_CLOSED.
   */
  copyOf(pieces: readonly Piece[]): DataView {
    const { member, pointer, generation } = this
    member.mustBeOpen()
    const { core, handle, region } = member
    const room = pieces.length * sw_piece.sizeof
    const bytes = pieces.reduce((sum, piece) => sum + copiedBytes(piece), 0)
    const isSmall = room + bytes <= SCRATCH
    const block = isSmall ? member.scratch : member.allocate(room + bytes)
    try {
      pieces.forEach(({ at, bytes }, i) => {
        const word = (block + i * sw_piece.sizeof) >>> 2
        region.words[word + sw_piece.at / 4] = at
        region.words[word + sw_piece.bytes / 4] = bytes
      })
      const from = block + room
      const status = member.until(() =>
        core.sw_record_snapshot(handle, pointer, this.#type, generation, block, pieces.length, from),
      )
      if (status !== 0) throw this.error(status)
      return new DataView(region.bytes.slice(from, from + bytes).buffer)
    } finally {
      if (!isSmall) member.free(block)
    }
  }
}

/** Bytes that the copy of a piece takes. */
export const copiedBytes = ({ at, bytes }: Piece): number => Math.ceil((at + bytes) / 8) * 8 - Math.floor(at / 8) * 8

/** Give back what may not be this thread's any more. */
function drop(lock: Lock): void {
  try {
    lock[Symbol.dispose]()
  } catch {
    // It was given back by the core, or taken from a thread that was taken for dead.
  }
}

const isThenable = (value: unknown): boolean =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof check.fields(value, 'what the change returned', ['then']).then === 'function'
