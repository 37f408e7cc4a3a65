// What the containers, locks, queues and pools of a heap share: a control block, which others are
// led to by its pointer and generation or by a name; see native/core/objects/object.c.
import * as check from '../base/check.js'
import { coreError, SabwayError } from '../base/errors.js'
import { cloneHint, INSPECT, inspected } from '../base/summary.js'
import { SW_KIND_CAST, SW_KIND_OBJECT, SW_KIND_POOL, SW_KIND_QUEUE, SW_KIND_SYNC } from '../generated/abi.js'
import type { Heap } from './heap.js'
import { HeapMember } from './member.js'
import { heapOf, provideKind } from './names.js'
import { getPointer, pointerOf, type SharedAllocatedMemory } from './pointer.js'
import { RawHeap } from './raw-heap.js'
import { provideReach } from './reach.js'

/** What another thread makes its own object of. Structured-cloneable. */
export interface SharedObjectMemory extends SharedAllocatedMemory {
  /** Which of the objects that were in this place: one that was freed is told from the next. */
  readonly generation: number
}

/** Where a container is made: a heap, or the region that has it. */
export type ObjectHome = RawHeap | { readonly heap: RawHeap }

/** A class of containers. */
interface ObjectType<T extends HeapObject> {
  /** SW_TYPE_MAP and so on. */
  readonly type: number
  /** What `region.list` and the texts of errors call it. */
  readonly name: string
  open(heap: Heap, shared: SharedObjectMemory): T
  /** The pointers of all blocks that the object at `pointer` owns, but for its control block. */
  blocks(member: HeapMember, pointer: number): Iterable<number>
}

/** One for all: two objects differ in their pointers, or in their heaps. */
const CLONE_HINT = cloneHint(
  'A container stays in its thread: post its getSharedMemory(), and make a container of that there. It',
)

/** By their numbers. */
const types = new Map<number, ObjectType<HeapObject>>()

/** What a program is told that drops a container which it has made, without `free`. */
export interface Forgotten {
  readonly name: string
  readonly pointer: number
}

let onForgotten: ((forgotten: Forgotten) => void) | null = null
let forgotten: FinalizationRegistry<Forgotten> | null = null

const warn = ({ name, pointer }: Forgotten) =>
  console.warn(`sabway: a ${name} (pointer ${pointer}) was dropped without free(): its memory stays taken`)

/**
 * Be told of containers that this thread has made from now on, and that are collected without
 * `free`. `true`: by console.warn; `false`, as at first: not. It may come late, or never. Errors:
 * ERR_SABWAY_INVALID_TYPE; ERR_SABWAY_UNSUPPORTED: there is no FinalizationRegistry here.
 */
export function warnForgotten(handler: boolean | ((forgotten: Forgotten) => void)): void {
  if (typeof handler !== 'boolean') check.callback(handler, 'handler')
  if (typeof FinalizationRegistry === 'undefined')
    throw new SabwayError('ERR_SABWAY_UNSUPPORTED', 'this JavaScript scope has no FinalizationRegistry')
  onForgotten = handler === true ? warn : handler === false ? null : handler
  forgotten ??= new FinalizationRegistry((object) => onForgotten?.(object))
}

/** Is it what getSharedMemory() gives, or a pointer? Everything else is options. */
export const isShared = (given: unknown): given is SharedAllocatedMemory | number =>
  typeof given === 'number' ||
  (typeof given === 'object' &&
    given !== null &&
    check.fields(given, 'given', ['bufferPosition']).bufferPosition !== undefined)

/** A container of a heap, as this thread has it. */
export abstract class HeapObject {
  /** @internal Before all others: see cloneHint. */ readonly cloneHint = CLONE_HINT
  /** The heap that it is in. */
  readonly heap: RawHeap
  /** Where its control block is: an offset in the region. */
  readonly pointer: number
  /** @internal */ readonly generation: number
  /** @internal */ readonly member: HeapMember
  readonly #type: number
  readonly #isMaker: boolean

  /**
   * @internal `given`: what getSharedMemory() gave, or a pointer, to open an object; else options,
   * with which `make` makes one and returns its pointer. Errors: ERR_SABWAY_INVALID_TYPE,
   * ERR_SABWAY_OUT_OF_RANGE, ERR_SABWAY_CLOSED; ERR_SABWAY_FREED: it was freed;
   * ERR_SABWAY_OTHER_KIND: it is of another class; ERR_SABWAY_WILD_POINTER: there is none.
   */
  constructor(home: ObjectHome, given: unknown, type: number, make: (member: HeapMember) => number) {
    this.heap = heapAt(home)
    this.member = HeapMember.of(this.heap.heapRegion)
    this.member.mustBeOpen()
    this.#type = type
    this.#isMaker = !isShared(given)
    this.pointer = isShared(given) ? pointerOf(given) : make(this.member)
    const found = typeAt(this.member, this.pointer)
    const wanted = isShared(given) && typeof given === 'object' ? (given as SharedObjectMemory).generation : undefined
    this.generation = wanted ?? found.generation
    if (found.type === 0 && found.generation === 0)
      throw new SabwayError('ERR_SABWAY_WILD_POINTER', `${this.pointer}; no container is there`)
    if (found.type === 0 || this.generation !== found.generation)
      throw new SabwayError('ERR_SABWAY_FREED', `the ${nameOfType(type)} at ${this.pointer}`)
    if (found.type !== type)
      throw new SabwayError(
        'ERR_SABWAY_OTHER_KIND',
        `${this.pointer} is a ${nameOfType(found.type)}, not a ${nameOfType(type)}`,
      )
    if (this.#isMaker && onForgotten !== null)
      forgotten!.register(this, { name: nameOfType(type), pointer: this.pointer }, this)
  }

  /** @internal Is it an object that this copy of the library has made? */
  static isObject(value: object): value is HeapObject {
    return #isMaker in value
  }

  /** @internal Free what the object owns, and its control block. Returns the core's status. */
  abstract release(): number

  /** @internal An error for a status that the core has returned. */
  error(status: number): SabwayError {
    return coreError(status, `the ${nameOfType(this.#type)} at ${this.pointer}`)
  }

  /** What another thread makes its own object of. Structured-cloneable. */
  getSharedMemory(): SharedObjectMemory {
    return { ...getPointer(this.pointer), generation: this.generation }
  }

  /**
   * Give all its memory back, when no participant uses it any more: later calls of any participant
   * are ERR_SABWAY_FREED. Errors: ERR_SABWAY_FREED, ERR_SABWAY_CLOSED.
   */
  free(): void {
    this.member.mustBeOpen()
    const status = this.release()
    if (status !== 0) throw this.error(status)
    forgotten?.unregister(this)
  }

  /** `free`, where this one has made the object and no participant has freed it; else nothing. */
  [Symbol.dispose](): void {
    if (this.#isMaker && !this.member.closed && !this.isFreed) this.free()
  }

  /** Has a participant freed it? */
  get isFreed(): boolean {
    const { type, generation } = typeAt(this.member, this.pointer)
    return type !== this.#type || generation !== this.generation
  }

  toJSON(): object {
    return { pointer: this.pointer }
  }

  /** @internal */
  [INSPECT](_depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
    return inspected(this.constructor.name, this.toJSON(), options, inspect)
  }
}

/** Errors: ERR_SABWAY_INVALID_TYPE. */
export function heapAt(home: unknown): RawHeap {
  if (typeof home !== 'object' || home === null) return RawHeap.checked(home as never)
  return RawHeap.isHeap(home) ? home : RawHeap.checked(check.fields(home, 'home', ['heap']).heap as never)
}

/** What is there now. */
function typeAt(member: HeapMember, pointer: number): { type: number; generation: number } {
  member.mustBeOpen()
  const word = member.scratch >>> 2
  Atomics.store(member.region.words, word, 0)
  const type = member.core.sw_object_type(member.handle, pointer, member.scratch)
  return { type, generation: Atomics.load(member.region.words, word) >>> 0 }
}

const nameOfType = (type: number): string => types.get(type)?.name ?? `container of type ${type}`

const whatIsAt = (heap: Heap, object: number): number => typeAt(HeapMember.of(heap.heapRegion), object).type

/** Let a class of containers be opened by name. */
export function provideObject<T extends HeapObject>(type: ObjectType<T>): void {
  types.set(type.type, type as never)
}

/** Let containers have names in the directory. */
export function provideObjects(): void {
  for (const family of [SW_KIND_OBJECT, SW_KIND_SYNC, SW_KIND_QUEUE, SW_KIND_CAST, SW_KIND_POOL])
    provideReach(family, (member, object) => types.get(typeAt(member, object).type)?.blocks(member, object) ?? [])
  provideKind<HeapObject>({
    kind: SW_KIND_OBJECT,
    name: 'container',
    nameOf: (heap, object) => types.get(whatIsAt(heap, object))?.name,
    placeOf: (value) =>
      HeapObject.isObject(value)
        ? { region: value.heap.heapRegion, object: value.pointer, generation: value.generation }
        : null,
    open(heap, object, generation) {
      const type = types.get(whatIsAt(heap, object))
      if (type !== undefined) return type.open(heapOf(heap.heapRegion), { ...getPointer(object), generation })
      throw new SabwayError('ERR_SABWAY_OTHER_KIND', 'a container that this version of Sabway has no class for')
    },
    free: (object) => object.free(),
  })
}
