// Vectors, lists and strings in a heap, in one thread: what a call costs, and what the same costs
// with JavaScript's own, and with @daneren2005/shared-memory-objects.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { MemoryHeap, SharedList, SharedString, SharedVector } from 'sabway'
import type { Work } from './in-thread.js'

const ROOM = 512 << 20
/** How many elements there are when reading begins, and after how many appended ones all go. */
const ELEMENTS = 100_000
/** A list of theirs needs a microsecond and more for each element that is deleted. */
const FEW = 10_000
const TEXTS = ['a text of 20 letters', 'another, as long, ..']

const heap = () => new MemoryHeap({ size: ROOM })

/** What is measured of the other package, as its sources have it. */
interface Theirs {
  MemoryHeap: new (options: { bufferSize: number }) => object
  SharedVector: new (heap: object) => { push(value: number): void; clear(): void } & Iterable<Uint32Array>
  SharedList: new (
    heap: object,
  ) => {
    insert(value: number): void
    deleteIndex(index: number): boolean
    free(): void
  } & Iterable<{ data: Uint32Array }>
  SharedString: new (heap: object, value: string) => { value: string }
}

const require = createRequire(import.meta.url)

/** It comes as TypeScript for a bundler. */
async function theirs(): Promise<Theirs> {
  const name = '@daneren2005/shared-memory-objects'
  let entry: string
  try {
    entry = require.resolve(name)
  } catch {
    throw new Error(`needs ${name}`)
  }
  const outfile = join(process.cwd(), 'build', 'bench', 'shared-memory-objects.mjs')
  const define = { 'import.meta.env.MODE': '"production"' }
  await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    define,
    outfile,
    logLevel: 'error',
  })
  return (await import(pathToFileURL(outfile).href)) as Theirs
}

const theirHeap = ({ MemoryHeap }: Theirs) => new MemoryHeap({ bufferSize: 2 ** 20 })

// ---- vectors ----

interface Pushed {
  push(value: number): unknown
  clear(): void
}

/** Appends, and begins anew when there are many: growth is in it. */
function pushing(make: () => Pushed): Work {
  let [vector, length] = [make(), 0]
  return (count) => {
    for (let i = 0; i < count; i++) {
      vector.push(i)
      if (++length < ELEMENTS) continue
      vector.clear()
      vector = make()
      length = 0
    }
  }
}

export function push(): Work {
  const mine = heap()
  return pushing(() => {
    const vector = new SharedVector(mine)
    return { push: (value) => vector.push(value), clear: () => vector.free() }
  })
}

/** Of an Array: the same numbers. */
export const arrayPush = (): Work =>
  pushing(() => {
    const array: number[] = []
    return { push: (value) => array.push(value), clear() {} }
  })

/** Its heap gives no memory back, so one vector is used again. */
export async function theirPush(): Promise<Work> {
  const library = await theirs()
  const vector = new library.SharedVector(theirHeap(library))
  return pushing(() => vector)
}

/** In batches of 100. */
export function pushAll(): Work {
  const mine = heap()
  const batch = Array.from({ length: 100 }, (_, i) => i)
  let vector = new SharedVector(mine)
  return (count) => {
    for (let i = 0; i < count; i += batch.length) {
      vector.pushAll(batch)
      if (vector.length < ELEMENTS) continue
      vector.free()
      vector = new SharedVector(mine)
    }
  }
}

/** What is read is used. */
const sink = { sum: 0 }

function iterating(all: Iterable<number>): Work {
  return (count) => {
    for (let left = count; left > 0; left -= ELEMENTS) for (const each of all) sink.sum += each
  }
}

const NUMBERS = Array.from({ length: ELEMENTS }, (_, i) => i)

function filled(): SharedVector {
  const vector = new SharedVector(heap())
  vector.pushAll(NUMBERS)
  return vector
}

export const iterate = (): Work => iterating(filled())
export const arrayIterate = (): Work => iterating([...NUMBERS])
export async function theirIterate(): Promise<Work> {
  const library = await theirs()
  const vector = new library.SharedVector(theirHeap(library))
  for (let i = 0; i < ELEMENTS; i++) vector.push(i)
  return (count) => {
    for (let left = count; left > 0; left -= ELEMENTS) for (const each of vector) sink.sum += each[0]!
  }
}

export function get(): Work {
  const vector = filled()
  return (count) => {
    for (let i = 0; i < count; i++) sink.sum += vector.get(i % ELEMENTS)!
  }
}

export function arrayGet(): Work {
  const array = [...NUMBERS]
  return (count) => {
    for (let i = 0; i < count; i++) sink.sum += array[i % ELEMENTS]!
  }
}

/** Of so many numbers, in an order that no cache foresees. */
function reading(length: number, read: (index: number) => number): Work {
  let random = 1
  return (count) => {
    for (let i = 0; i < count; i++) {
      random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
      sink.sum += read(Math.floor((random / 2 ** 32) * length))
    }
  }
}

export function getAny(length: number): Work {
  const vector = new SharedVector(heap())
  for (let i = 0; i < length; i++) vector.push(i)
  return reading(length, (index) => vector.get(index)!)
}

export function arrayGetAny(length: number): Work {
  const array: number[] = []
  for (let i = 0; i < length; i++) array.push(i)
  return reading(length, (index) => array[index]!)
}

export function set(): Work {
  const vector = filled()
  return (count) => {
    for (let i = 0; i < count; i++) vector.set(i % ELEMENTS, i)
  }
}

export function arraySet(): Work {
  const array = [...NUMBERS]
  return (count) => {
    for (let i = 0; i < count; i++) array[i % ELEMENTS] = i
  }
}

// ---- lists ----

interface Inserted {
  insert(value: number): unknown
  deleteIndex(index: number): boolean
  free(): void
}

/** Inserts, and frees the list when it is long. */
function inserting(make: () => Inserted): Work {
  let [list, length] = [make(), 0]
  return (count) => {
    for (let i = 0; i < count; i++) {
      list.insert(i)
      if (++length < FEW) continue
      list.free()
      list = make()
      length = 0
    }
  }
}

export function insert(): Work {
  const mine = heap()
  return inserting(() => new SharedList(mine))
}
export async function theirInsert(): Promise<Work> {
  const library = await theirs()
  const mine = theirHeap(library)
  return inserting(() => new library.SharedList(mine))
}

/** The first of many is deleted, and another inserted. */
function deleting(list: Inserted): Work {
  for (let i = 0; i < FEW; i++) list.insert(i)
  return (count) => {
    for (let i = 0; i < count; i++) {
      if (!list.deleteIndex(0)) throw new Error('the list is empty')
      list.insert(i)
    }
  }
}

export const deleteFirst = (): Work => deleting(new SharedList(heap()))
export async function theirDeleteFirst(): Promise<Work> {
  const library = await theirs()
  return deleting(new library.SharedList(theirHeap(library)))
}

function walking(list: Iterable<{ data: Uint32Array }>): Work {
  return (count) => {
    for (let left = count; left > 0; left -= FEW) for (const { data } of list) sink.sum += data[0]!
  }
}

export function walk(): Work {
  const list = new SharedList(heap())
  for (let i = 0; i < FEW; i++) list.insert(i)
  return walking(list)
}
export async function theirWalk(): Promise<Work> {
  const library = await theirs()
  const list = new library.SharedList(theirHeap(library))
  for (let i = 0; i < FEW; i++) list.insert(i)
  return walking(list)
}

// ---- strings ----

function setting(string: { value: string }): Work {
  return (count) => {
    for (let i = 0; i < count; i++) string.value = TEXTS[i & 1]!
  }
}

export const setString = (): Work => setting(new SharedString(heap()))
export async function theirSetString(): Promise<Work> {
  const library = await theirs()
  return setting(new library.SharedString(theirHeap(library), ''))
}

function readingText(string: { value: string }): Work {
  return (count) => {
    for (let i = 0; i < count; i++) sink.sum += string.value.length
  }
}

export const readString = (): Work => readingText(new SharedString(heap(), TEXTS[0]!))
export async function theirReadString(): Promise<Work> {
  const library = await theirs()
  return readingText(new library.SharedString(theirHeap(library), TEXTS[0]!))
}
