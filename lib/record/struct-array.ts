// Arrays of objects in shared memory: one object behind the other, or one field behind the other.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { SW_TYPE_RECORDS } from '../generated/abi.js'
import { type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import { createPointer } from '../heap/pointer.js'
import type { LockOptions } from '../mutex/mutex.js'
import { defineFields, type Placed } from './accessors.js'
import {
  ARRAYS,
  bytesOf,
  type Column,
  type Columns,
  type Field,
  type FieldCopies,
  type FieldInputs,
  type Fields,
  type ObjectDefinition,
  type Shape,
  VIEW_OF,
  valuesOf,
} from './definition.js'
import { copiesOf, type Draft, draftClass, inputs, untilCopied } from './draft.js'
import { placeOf, type StructLayout } from './layout.js'
import { blocksAt, copiedBytes, MOST_UNDO, makeRecord, SharedRecord } from './record.js'
import { classAt, type SharedObjectClass, shapeOfClass } from './shared-object.js'
import type { VersionedText } from './texts.js'
import { read, refuseValue, type Views, checked as valid, write } from './values.js'

/** How an array of objects is made. */
export interface SharedStructArrayOptions {
  /** How many objects it has, for good. */
  length: number
  /**
   * 'columns', the default: all values of a field behind each other, which loops over one field of
   * many objects are fastest with. 'rows': all fields of an object behind each other, for accesses
   * of all fields of a few objects.
   */
  layout?: StructLayout
  /** How many values one change under the lock may write: 1024 by default. Each takes 16 bytes. */
  undo?: number
}

/**
 * A field of all objects: that of object `i` begins at `data[offset + i * stride]`.
 */
export interface StridedColumn<F> {
  readonly data: Column<F>
  readonly offset: number
  readonly stride: number
}

/** One object of an array. */
export type StructRow<D> = Fields<D> & {
  /** Which one it is. Setting it makes this the object of that index, at no cost. */
  index: number
  /** Give some fields values. */
  assign(values: FieldInputs<D>): void
}

/** What a change under the lock of an array is given. */
export interface StructArrayDraft<D> {
  readonly length: number
  /** The object of that index, whose changes can be undone. */
  at(index: number): Draft<D>
}

const MOST_LENGTH = 2 ** 30
const DEFAULT_UNDO = 1024

/** One object of an array: in rows its bytes are in one place, as those of a single object. */
class Row implements Placed {
  /** @internal */ readonly structs: SharedStructArray<ObjectDefinition>
  /** @internal */ readonly regionViews: Views
  /** @internal */ readonly regionWords: Int32Array
  /** @internal */ readonly lifeIndex: number
  /** @internal */ readonly lifeWord: number
  /** @internal */ fieldsAt = 0
  /** @internal */ fieldArrays: (object | undefined)[] = []
  #index = 0

  constructor(structs: SharedStructArray<ObjectDefinition>, index: number) {
    this.structs = structs
    this.regionViews = structs.regionViews
    this.regionWords = structs.regionWords
    this.lifeIndex = structs.lifeIndex
    this.lifeWord = structs.lifeWord
    this.index = index
  }

  get index(): number {
    return this.#index
  }

  set index(index: number) {
    const { structs } = this
    if (typeof index !== 'number' || !(index >= 0 && index < structs.length && Number.isInteger(index)))
      check.integer(index, 'index', 0, structs.length - 1)
    this.#index = index
    this.fieldsAt = structs.fieldsAt + index * structs.shape.stride
    if (this.fieldArrays.length !== 0) this.fieldArrays = []
  }

  /** @internal */
  gone(): never {
    return this.structs.gone()
  }

  /** @internal */
  textAt(at: number): VersionedText {
    return this.structs.textAt(at)
  }

  /** @internal */
  setText(at: number, text: string): void {
    this.structs.setText(at, text)
  }

  assign(values: object): void {
    const all = inputs(this.structs.shape, values)
    this.structs.mustLive()
    for (const { field, values } of all)
      values.forEach((value, n) => {
        this.structs.setValue(field, this.structs.place(field, this.#index, n), value)
      })
  }

  toJSON(): object {
    const fields = this.structs.shape.fields.map(({ name }) => [
      name,
      (this as unknown as Record<string, unknown>)[name],
    ])
    return { index: this.#index, ...Object.fromEntries(fields) }
  }
}

type RowClass = new (structs: SharedStructArray<ObjectDefinition>, index: number) => Row

const rowClasses: Record<StructLayout, WeakMap<Shape, RowClass>> = { rows: new WeakMap(), columns: new WeakMap() }

function rowClass(shape: Shape, layout: StructLayout): RowClass {
  let found = rowClasses[layout].get(shape)
  if (found === undefined) {
    found = class extends Row {}
    if (layout === 'rows') defineFields(found.prototype, shape.fields)
    else for (const field of shape.fields) Object.defineProperty(found.prototype, field.name, inColumn(field))
    rowClasses[layout].set(shape, found)
  }
  return found
}

/** The accessor of a field whose values are a column. */
function inColumn(field: Field): PropertyDescriptor & ThisType<Row> {
  const { name, type, length, index } = field
  const common = { enumerable: true, configurable: true }
  if (length === 0) {
    return {
      ...common,
      get() {
        this.structs.mustLive()
        const at = this.structs.place(field, this.index, 0)
        return type === 'string' ? this.structs.textAt(at).text : read(this.regionViews, type, at)
      },
      set(value) {
        valid(value, type, name)
        this.structs.mustLive()
        this.structs.setValue(field, this.structs.place(field, this.index, 0), value)
      },
    }
  }
  return {
    ...common,
    get() {
      this.structs.mustLive()
      this.fieldArrays[index] ??= new ARRAYS[VIEW_OF[type]](
        this.regionWords.buffer,
        this.structs.place(field, this.index, 0),
        length,
      )
      return this.fieldArrays[index]
    },
    set(value) {
      refuseValue(value, type, `${name} is an array in shared memory, whose elements can be set; each`)
    },
  }
}

/**
 * Many objects of one class in one piece of shared memory, for simulations: any number of threads
 * reads and writes them at once, most simply each its own part of the indices. `columns` are typed
 * arrays over the memory itself. `lock` changes several values as one.
 */
export class SharedStructArray<D extends ObjectDefinition = ObjectDefinition> extends SharedRecord {
  #columns: Columns<D> | null = null
  readonly #Row: RowClass

  /**
   * New objects, all of whose fields are zero; or with `given` the array that another participant
   * has made: what its getSharedMemory() gave, or its pointer. `Class`: what defineObject has
   * returned. Errors: as Heap.alloc; ERR_SABWAY_OTHER_KIND: its fields are others;
   * ERR_SABWAY_FREED, ERR_SABWAY_WILD_POINTER, ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
   */
  constructor(
    home: ObjectHome,
    Class: SharedObjectClass<D>,
    given: SharedStructArrayOptions | SharedObjectMemory | number,
  ) {
    const shape = shapeOfClass(Class)
    super(home, given, SW_TYPE_RECORDS, shape, (member) => {
      const options = check.options(given as SharedStructArrayOptions, 'array options', ['length', 'layout', 'undo'])
      const { length, layout = 'columns', undo = DEFAULT_UNDO } = options
      check.integer(length, 'length', 1, MOST_LENGTH)
      check.oneOf(layout, 'layout', ['rows', 'columns'])
      check.integer(undo, 'undo', 0, MOST_UNDO)
      return makeRecord(member, SW_TYPE_RECORDS, { shape, rows: length as number, layout, room: undo })
    })
    this.#Row = rowClass(shape, this.plan.layout)
  }

  get length(): number {
    return this.plan.rows
  }

  /** How the objects lie in memory. */
  get structLayout(): StructLayout {
    return this.plan.layout
  }

  /** @internal Where value `n` of a field of the object is, in the region. */
  place(field: Field, row: number, n: number): number {
    return this.fieldsAt + placeOf(this.layout, field, row, n)
  }

  /** @internal Set a value that is checked. */
  setValue(field: Field, at: number, value: unknown): void {
    if (field.type === 'string') this.setText(at, value as string)
    else write(this.regionViews, field.type, at, value as number)
  }

  /**
   * The object of that index. In a loop it is faster to set the `index` of one, and fastest to use
   * `columns`. Errors: ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_FREED.
   */
  at(index: number): StructRow<D> {
    this.mustLive()
    return new this.#Row(this as never, index) as never
  }

  /** One object that goes from index to index. */
  *[Symbol.iterator](): IterableIterator<StructRow<D>> {
    const row = this.at(0)
    for (let index = 0; index < this.length; index++) {
      row.index = index
      yield row
    }
  }

  /**
   * The fields of all objects, as typed arrays over the shared memory: of a field of n numbers
   * those of object `i` begin at `i * n`. Only their creation looks whether the array was freed.
   * Errors: ERR_SABWAY_INVALID_STATE: it is in rows, see `strided`; ERR_SABWAY_FREED.
   */
  get columns(): Columns<D> {
    this.mustLive()
    if (this.plan.layout !== 'columns')
      throw new SabwayError(
        'ERR_SABWAY_INVALID_STATE',
        "this array is in rows; use strided(name), or make it with layout: 'columns'",
      )
    this.#columns ??= Object.freeze(
      Object.fromEntries(
        this.shape.fields
          .filter(({ type }) => type !== 'string')
          .map((field) => [field.name, this.#array(field, field.index, this.length * valuesOf(field))]),
      ),
    ) as Columns<D>
    return this.#columns
  }

  #array({ type }: Field, index: number, length: number): object {
    return new ARRAYS[VIEW_OF[type]](this.regionWords.buffer, this.fieldsAt + this.layout.starts[index]!, length)
  }

  /**
   * A field of all objects in either layout. Errors: ERR_SABWAY_INVALID_ARGUMENT: there is no such
   * field; ERR_SABWAY_FREED.
   */
  strided<Name extends keyof D & string>(name: Name): StridedColumn<D[Name]> {
    const field = this.shape.byName.get(name)
    if (field === undefined || field.type === 'string')
      return check.refuse('ERR_SABWAY_INVALID_ARGUMENT', 'name must be that of a field which is no text', name)
    this.mustLive()
    const stride = this.layout.strides[field.index]! / field.bytes
    const data = this.#array(field, field.index, (this.length - 1) * stride + valuesOf(field))
    return { data: data as Column<D[Name]>, offset: 0, stride }
  }

  // ---- several values as one ----

  /**
   * Block this thread until it holds the array's lock, call `change`, and let the lock go: what
   * `change` has written to the objects that it was given is done as a whole. When `change` throws,
   * or the thread ends in it, all of that is undone, also by the next participant that locks the
   * array. `change` must not be async. Returns what it returns. Errors: those of Mutex.lock; what
   * `change` throws; ERR_SABWAY_TOO_MANY_CHANGES, ERR_SABWAY_FREED.
   */
  lock<Result>(change: (objects: StructArrayDraft<D>) => Result, options?: { timeout?: number }): Result {
    return this.locked(change, options)
  }

  /**
   * The same, if no participant holds the lock: true, else false. Never waits. Errors: as `lock`.
   */
  tryLock(change: (objects: StructArrayDraft<D>) => unknown): boolean {
    return this.tryLocked(change)
  }

  /** As `lock`, without blocking the thread. Errors: as Mutex.lockAsync, and as `lock`. */
  lockAsync<Result>(change: (objects: StructArrayDraft<D>) => Result, options?: LockOptions): Promise<Result> {
    return this.lockedAsync(change, options)
  }

  /** @internal */
  draft(): object {
    const Class = draftClass(this.shape)
    const { length } = this
    return {
      length,
      at: (index: number) => new Class(this, check.integer(index, 'index', 0, length - 1)),
    }
  }

  /**
   * A copy of one object, or of all of them, as they are between two changes under the lock. Waits
   * for a change that is under way. Errors: as SharedObject.snapshot, ERR_SABWAY_OUT_OF_RANGE,
   * ERR_SABWAY_INVALID_TYPE.
   */
  snapshot(index: number): FieldCopies<D>
  snapshot(): FieldCopies<D>[]
  snapshot(index?: number): FieldCopies<D> | FieldCopies<D>[] {
    const { layout, length } = this
    if (index !== undefined) return this.#snapshotOf(check.integer(index, 'index', 0, length - 1))
    return untilCopied(() => {
      const copy = this.copyOf([{ at: 0, bytes: layout.bytes }])
      const all: FieldCopies<D>[] = []
      for (let row = 0; row < length; row++) {
        const place = (field: Field) => placeOf(layout, field, row)
        const copies = copiesOf(this, copy, place, (field) => this.place(field, row, 0))
        if (copies === undefined) return undefined
        all.push(copies as FieldCopies<D>)
      }
      return all
    })
  }

  #snapshotOf(row: number): FieldCopies<D> {
    const pieces = this.shape.fields.map((field) => ({ at: placeOf(this.layout, field, row), bytes: bytesOf(field) }))
    let end = 0
    const places = pieces.map((piece) => {
      const at = end + (piece.at % 8)
      end += copiedBytes(piece)
      return at
    })
    const place = ({ index }: Field) => places[index]!
    const home = (field: Field) => this.place(field, row, 0)
    return untilCopied(() => copiesOf(this, this.copyOf(pieces), place, home)) as FieldCopies<D>
  }

  override toJSON(): object {
    const { rows, layout } = this.plan
    return { ...super.toJSON(), length: rows, layout }
  }
}

/** Let arrays of objects have names. */
export function provideSharedStructArray(): void {
  provideObject<SharedStructArray>({
    type: SW_TYPE_RECORDS,
    name: 'struct array',
    open(heap, shared) {
      const pointer = createPointer(shared.bufferPosition, shared.bufferByteOffset)
      return new SharedStructArray(heap, classAt(heap.member, pointer), shared)
    },
    blocks: blocksAt,
  })
}
