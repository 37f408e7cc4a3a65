// What region.set, region.get and the others do: the directory's entries as objects of the classes
// that know their kinds.
import * as check from '../base/check.js'
import { SabwayError } from '../base/errors.js'
import { SW_KIND_MEMORY } from '../generated/abi.js'
import { AllocatedMemory } from './allocated-memory.js'
import { add, type Found, find, list, remove } from './directory.js'
import { Heap } from './heap.js'
import type { HeapRegion } from './heap-region.js'
import { HeapMember } from './member.js'

/** A class whose objects can have names. */
export interface ObjectKind<T extends object> {
  /** SW_KIND_MEMORY and so on. */
  readonly kind: number
  /** What `region.list` calls it. */
  readonly name: string
  /** The same where it depends on the object. */
  nameOf?(heap: Heap, object: number): string | undefined
  /** The region and the offset of an object of the class; null for anything else. */
  placeOf(value: object): { region: HeapRegion; object: number; generation?: number } | null
  open(heap: Heap, object: number, generation: number): T
  /** Free one that lost its name to another. */
  free(object: T): void
  /** One that has got a name now, as `open` returns it. Without it: the object itself. */
  give?(object: T): object
}

const memory: ObjectKind<AllocatedMemory> = {
  kind: SW_KIND_MEMORY,
  name: 'memory',
  placeOf: (value) => (AllocatedMemory.isMade(value) ? { region: value.heap.heapRegion, object: value.pointer } : null),
  open: (heap, object) => new AllocatedMemory(heap, object),
  free: (object) => object.free(),
}

/** By their numbers. */
const kinds = new Map<number, ObjectKind<object>>([[SW_KIND_MEMORY, memory as never]])

/** Let objects of another class have names. */
export function provideKind<T extends object>(kind: ObjectKind<T>): void {
  kinds.set(kind.kind, kind as never)
}

const heaps = new WeakMap<HeapRegion, Heap>()

/** The region's heap, the same object each time. */
export function heapOf(region: HeapRegion): Heap {
  const found = heaps.get(region)
  if (found !== undefined) return found
  const made = new Heap(region)
  heaps.set(region, made)
  return made
}

function kindOf(number: number): ObjectKind<object> {
  const kind = kinds.get(number)
  if (kind !== undefined) return kind
  throw new SabwayError(
    'ERR_SABWAY_OTHER_KIND',
    `kind ${number}, which this version of Sabway has no class for; open it where it was made`,
  )
}

function described(region: HeapRegion, object: unknown): { kind: ObjectKind<object>; found: Found } {
  for (const kind of kinds.values()) {
    const place = typeof object === 'object' && object !== null ? kind.placeOf(object) : null
    if (place === null) continue
    if (place.region.bytes.buffer !== region.bytes.buffer) {
      throw new SabwayError('ERR_SABWAY_INVALID_ARGUMENT', 'the object is in the heap of another region')
    }
    return { kind, found: { kind: kind.kind, object: place.object, generation: place.generation ?? 0 } }
  }
  return check.refuse(
    'ERR_SABWAY_INVALID_TYPE',
    'object must be in the heap of this region: what heap.allocUI32 and the like return, a mutex, a container, a channel or its handle',
    object,
  )
}

function nameOf(region: HeapRegion, { kind, object }: Found): string {
  const known = kinds.get(kind)
  return known?.nameOf?.(heapOf(region), object) ?? known?.name ?? `kind ${kind}`
}

export function set(region: HeapRegion, name: unknown, object: unknown): void {
  const { kind, found } = described(region, object)
  const now = add(HeapMember.of(region), name, found)
  if (now.object === found.object && now.kind === found.kind) return void kind.give?.(object as object)
  throw new SabwayError(
    'ERR_SABWAY_NAME_TAKEN',
    `${check.shown(name)} stands for another object (a ${nameOf(region, now)}); delete that name first, or get it`,
  )
}

export function get(region: HeapRegion, name: unknown): object | undefined {
  const found = find(HeapMember.of(region), name)
  return found === null ? undefined : kindOf(found.kind).open(heapOf(region), found.object, found.generation)
}

export function getOrMake(region: HeapRegion, name: unknown, make: unknown): object {
  check.callback(make, 'make')
  const there = get(region, name)
  if (there !== undefined) return there
  const made: unknown = (make as () => unknown)()
  const { kind, found } = described(region, made)
  const now = add(HeapMember.of(region), name, found)
  if (now.object === found.object && now.kind === found.kind) return kind.give?.(made as object) ?? (made as object)
  kind.free(made as object) // another participant was first
  return kindOf(now.kind).open(heapOf(region), now.object, now.generation)
}

export const has = (region: HeapRegion, name: unknown): boolean => find(HeapMember.of(region), name) !== null

export const drop = (region: HeapRegion, name: unknown): boolean => remove(HeapMember.of(region), name)

export function named(region: HeapRegion): { name: string; kind: string }[] {
  return Array.from(list(HeapMember.of(region)), ([name, found]) => ({ name, kind: nameOf(region, found) }))
}
