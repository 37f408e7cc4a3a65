// Objects with fields in shared memory.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { SW_TYPE_RECORD } from '../generated/abi.js'
import { type ObjectHome, provideObject, type SharedObjectMemory } from '../heap/heap-object.js'
import type { HeapMember } from '../heap/member.js'
import { createPointer } from '../heap/pointer.js'
import type { LockOptions } from '../mutex/mutex.js'
import { defineFields } from './accessors.js'
import {
  type Field,
  type FieldCopies,
  type FieldInputs,
  type Fields,
  type FieldValue,
  type NumberField,
  type ObjectDefinition,
  type Shape,
  shapeOf,
} from './definition.js'
import { copiesOf, type Draft, draftClass, inputs, untilCopied } from './draft.js'
import { blocksAt, hashAt, MOST_UNDO, makeRecord, type Plan, SharedRecord } from './record.js'
import { atomics, checked, write } from './values.js'

/** How an object is made. */
export interface SharedObjectOptions<D> {
  /** What its fields are at first; zero, or false, by default. */
  values?: FieldInputs<D>
  /**
   * How many values one change under the lock may write: as many as the object has by default, and
   * at most 4096. Each takes 16 bytes.
   */
  undo?: number
}

/** A class of objects, as defineObject makes it. */
export interface SharedObjectClass<D extends ObjectDefinition> {
  /**
   * A new object, or with `given` one that another participant has made: what its getSharedMemory()
   * gave, or its pointer. Errors: as Heap.alloc; ERR_SABWAY_OTHER_KIND: its fields are others;
   * ERR_SABWAY_FREED, ERR_SABWAY_WILD_POINTER, ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
   */
  new (home: ObjectHome, given?: SharedObjectOptions<D> | SharedObjectMemory | number): SharedObject<D> & Fields<D>
  readonly definition: D
}

const DEFAULT_UNDO = 4096

/** By the hash of their fields, the first that was defined with those. */
const classes = new Map<string, SharedObjectClass<ObjectDefinition>>()
const shapes = new WeakMap<object, Shape>()
/** Shapes that defineObject has made. */
const made = new WeakSet<Shape>()

/** The shape of a class that defineObject has made, or of one that extends it. */
export function shapeOfClass(Class: unknown): Shape {
  const parent = (of: object) => check.reading('the class', () => Object.getPrototypeOf(of))
  for (let at = Class; typeof at === 'function'; at = parent(at)) {
    const shape = shapes.get(at)
    if (shape !== undefined) return shape
  }
  return check.refuse(
    'ERR_SABWAY_INVALID_TYPE',
    'the class of the objects must be one that defineObject has made',
    Class,
  )
}

/** The class for what is at the pointer. Errors: ERR_SABWAY_OTHER_KIND. */
export function classAt(member: HeapMember, pointer: number): SharedObjectClass<ObjectDefinition> {
  const found = classes.get(hashAt(member, pointer).join())
  if (found !== undefined) return found
  throw new SabwayError(
    'ERR_SABWAY_OTHER_KIND',
    `this thread has defined no object with the fields of what is at ${pointer}; call defineObject before, as the thread did that has made it`,
  )
}

/**
 * An object in a heap, whose fields all participants read and write. Each access of one value is
 * atomic, in no order with others; `lock` changes several fields as one, and `snapshot` reads them
 * so.
 */
export abstract class SharedObject<D extends ObjectDefinition = ObjectDefinition> extends SharedRecord {
  /** @internal Of fields that are arrays: typed arrays over the shared memory. */
  readonly fieldArrays: (object | undefined)[] = []

  /** @internal */
  constructor(home: ObjectHome, given: unknown, shape: Shape) {
    if (typeof shape !== 'object' || !made.has(shape))
      throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'objects are made by a class that defineObject returns')
    let first: ReturnType<typeof inputs> = []
    super(home, given, SW_TYPE_RECORD, shape, (member) => {
      const { values, undo } = check.options(given as SharedObjectOptions<D>, 'object options', ['values', 'undo'])
      if (values !== undefined) first = inputs(shape, values)
      if (undo !== undefined) check.integer(undo, 'undo', 0, MOST_UNDO)
      const room = undo ?? Math.min(shape.values, DEFAULT_UNDO)
      return makeRecord(member, SW_TYPE_RECORD, { shape, rows: 1, layout: 'rows', room } satisfies Plan)
    })
    this.#write(first)
  }

  /**
   * Give some fields values, one after the other. Errors: as setting each, and
   * ERR_SABWAY_INVALID_ARGUMENT.
   */
  assign(values: FieldInputs<D>): void {
    const checkedValues = inputs(this.shape, values)
    this.mustLive()
    this.#write(checkedValues)
  }

  #write(all: ReturnType<typeof inputs>): void {
    for (const { field, values } of all)
      values.forEach((value, n) => {
        const at = this.fieldsAt + field.offset + n * field.bytes
        if (field.type === 'string') this.setText(at, value as string)
        else write(this.regionViews, field.type, at, value as number)
      })
  }

  // ---- several fields as one ----

  /**
   * Block this thread until it holds the object's lock, call `change` with the fields, and let the
   * lock go: what `change` has written to its fields is done as a whole. When `change` throws, or
   * the thread ends in it, all of that is undone, also by the next participant that locks the
   * object. `change` must not be async. Returns what it returns. Errors: those of Mutex.lock; what
   * `change` throws; ERR_SABWAY_TOO_MANY_CHANGES, ERR_SABWAY_FREED.
   */
  lock<Result>(change: (fields: Draft<D>) => Result, options?: { timeout?: number }): Result {
    return this.locked(change, options)
  }

  /**
   * The same, if no participant holds the lock: true, else false. Never waits. Errors: as `lock`.
   */
  tryLock(change: (fields: Draft<D>) => unknown): boolean {
    return this.tryLocked(change)
  }

  /** As `lock`, without blocking the thread. Errors: as Mutex.lockAsync, and as `lock`. */
  lockAsync<Result>(change: (fields: Draft<D>) => Result, options?: LockOptions): Promise<Result> {
    return this.lockedAsync(change, options)
  }

  /** @internal */
  draft(): object {
    return new (draftClass(this.shape))(this, 0)
  }

  /**
   * A copy of all fields as they are between two changes under the lock. Waits for a change that is
   * under way. Errors: ERR_SABWAY_FREED, ERR_SABWAY_POISONED, ERR_SABWAY_HEAP_FULL,
   * ERR_SABWAY_CLOSED; ERR_SABWAY_BUSY, where a change has been under way for long.
   */
  snapshot(): FieldCopies<D> {
    const all = [{ at: 0, bytes: this.layout.bytes }]
    const home = ({ offset }: Field) => this.fieldsAt + offset
    return untilCopied(() => copiesOf(this, this.copyOf(all), ({ offset }) => offset, home)) as FieldCopies<D>
  }

  // ---- one field, in order with all other participants ----

  /**
   * The number, and all that a participant wrote before it stored that. Errors:
   * ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_FREED.
   */
  atomicLoad<Name extends NumberField<D>>(name: Name): FieldValue<D[Name]> {
    const { type, offset } = this.scalar(name)
    this.mustLive()
    return atomics.load(this.regionViews, type, this.fieldsAt + offset) as FieldValue<D[Name]>
  }

  /** Errors: as setting the field, and ERR_SABWAY_INVALID_ARGUMENT. */
  atomicStore<Name extends NumberField<D>>(name: Name, value: FieldValue<D[Name]>): void {
    const { type, offset } = this.scalar(name)
    checked(value as number, type, name)
    this.mustLive()
    atomics.store(this.regionViews, type, this.fieldsAt + offset, value as number)
  }

  /**
   * Add to a number, which wraps around if it is an integer. Returns what it was. Errors: as
   * `atomicStore`.
   */
  atomicAdd<Name extends NumberField<D>>(name: Name, value: FieldValue<D[Name]>): FieldValue<D[Name]> {
    const { type, offset } = this.scalar(name)
    checkedTerm(value, type, name)
    this.mustLive()
    return atomics.add(this.regionViews, type, this.fieldsAt + offset, value as number) as FieldValue<D[Name]>
  }

  /** Returns what it was. Errors: as `atomicStore`. */
  atomicExchange<Name extends NumberField<D>>(name: Name, value: FieldValue<D[Name]>): FieldValue<D[Name]> {
    const { type, offset } = this.scalar(name)
    checked(value as number, type, name)
    this.mustLive()
    return atomics.exchange(this.regionViews, type, this.fieldsAt + offset, value as number) as FieldValue<D[Name]>
  }

  /**
   * Put `value` in the place of `expected`, if that is there, bit by bit. Returns what was there.
   * Errors: as `atomicStore`.
   */
  atomicCompareExchange<Name extends NumberField<D>>(
    name: Name,
    expected: FieldValue<D[Name]>,
    value: FieldValue<D[Name]>,
  ): FieldValue<D[Name]> {
    const { type, offset } = this.scalar(name)
    checked(expected as number, type, name)
    checked(value as number, type, name)
    this.mustLive()
    const at = this.fieldsAt + offset
    return atomics.compareExchange(this.regionViews, type, at, expected as number, value as number) as FieldValue<
      D[Name]
    >
  }

  /** The pointer, and the fields as they are now. */
  override toJSON(): object {
    if (this.member.closed || this.isFreed) return super.toJSON()
    const fields = this.shape.fields.map(({ name }) => {
      const value = (this as unknown as Record<string, unknown>)[name]
      return [name, typeof value === 'object' ? Array.from(value as Int32Array, plain) : plain(value)]
    })
    return { ...super.toJSON(), ...Object.fromEntries(fields) }
  }
}

/** JSON has no bigints. */
const plain = (value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

/** An unsigned number can be lowered, too. */
function checkedTerm(value: unknown, type: Field['type'], name: string): void {
  if (type === 'u8' || type === 'u16' || type === 'u32' || type === 'pointer')
    check.integer(value, name, -0xffff_ffff, 0xffff_ffff)
  else if (type === 'u64' && typeof value === 'bigint') checked(BigInt.asUintN(64, value), type, name)
  else checked(value as number, type, name)
}

/** Names that no field can have. */
const OWN = [
  'heap',
  'pointer',
  'generation',
  'member',
  'shape',
  'layout',
  'plan',
  'cloneHint',
  'index',
  'values',
  '__proto__',
]
const INTERNAL = ['regionViews', 'regionWords', 'fieldsAt', 'lifeIndex', 'lifeWord', 'fieldArrays']

const isReserved = (name: string): boolean =>
  name in SharedObject.prototype || OWN.includes(name) || INTERNAL.includes(name)

/**
 * Define a class of objects with these fields:
 *
 *     const Unit = defineObject({ position: ['f32', 3], hp: 'i32', alive: 'bool' })
 *     const unit = new Unit(heap, { values: { hp: 100 } })
 *
 * Types are i8, u8, i16, u16, i32, u32, f32, f64, i64 and u64 (bigints), bool, and pointer; and
 * arrays of numbers. Each thread that uses the objects defines them, with the same fields in any
 * order. Errors: ERR_SABWAY_INVALID_TYPE, ERR_SABWAY_INVALID_ARGUMENT, ERR_SABWAY_OUT_OF_RANGE.
 */
export function defineObject<const D extends ObjectDefinition>(definition: D): SharedObjectClass<D> {
  const shape = shapeOf(definition, isReserved)
  const own = Object.freeze(
    Object.fromEntries(shape.fields.map(({ name, type, length }) => [name, length === 0 ? type : [type, length]])),
  ) as D
  class Defined extends SharedObject<D> {
    static readonly definition = own

    constructor(home: ObjectHome, given?: unknown) {
      super(home, given, shape)
    }
  }
  // as console.log shows it
  Object.defineProperty(Defined, 'name', { value: 'SharedObject' })
  defineFields(Defined.prototype, shape.fields)
  shapes.set(Defined, shape)
  made.add(shape)
  const key = shape.hash.join()
  if (!classes.has(key)) classes.set(key, Defined as never)
  return Defined as never
}

/** Let objects have names. */
export function provideSharedObject(): void {
  provideObject<SharedObject>({
    type: SW_TYPE_RECORD,
    name: 'object',
    open: (heap, shared) =>
      new (classAt(heap.member, createPointer(shared.bufferPosition, shared.bufferByteOffset)))(heap, shared),
    blocks: blocksAt,
  })
}
