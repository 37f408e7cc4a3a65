// Maps in one thread: what a call of a SharedMap costs, and what the same costs with JavaScript's
// Map, with @daneren2005/shared-memory-objects, sharedmap and shared-memory-datastructures.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { MemoryHeap, SharedMap, type SharedMapOptions } from 'sabway'
import { cpuSeconds, type Work } from './in-thread.js'

const ROOM = 2 ** 30
export const ENTRIES = 100_000

type Key = number | string

/** What is measured of each of them. */
export interface MapLike {
  get(key: Key): unknown
  set(key: Key, value: number): unknown
  delete(key: Key): unknown
  /** Another one, empty, in place of this one: where that is not made as the first one was. */
  fresh?(): MapLike
}

type Make = (entries: number) => MapLike | Promise<MapLike>

/** In an order that no cache foresees, the same for all. */
function shuffled<T>(list: T[]): T[] {
  let random = 1
  for (let i = list.length - 1; i > 0; i--) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    const other = random % (i + 1)
    ;[list[i], list[other]] = [list[other]!, list[i]!]
  }
  return list
}

const numbers = (count: number): Key[] => shuffled(Array.from({ length: count }, (_, i) => i))

/** Of 16 characters. */
const texts = (count: number): Key[] => numbers(count).map((number) => `key ${String(number).padStart(12, '0')}`)

export const KEYS = { numbers, texts }
export type Keys = keyof typeof KEYS

// ---- maps ----

let heap: MemoryHeap | undefined

const inHeap = (options?: SharedMapOptions) => {
  heap ??= new MemoryHeap({ size: ROOM })
  return new SharedMap<Key, number>(heap, options)
}
export const sharedMap = (): MapLike => inHeap()
export const numericMap = (): MapLike => inHeap({ numeric: 'f64' })
export const plainMap = (): MapLike => new Map<Key, number>()

const require = createRequire(import.meta.url)

function found(name: string): string {
  try {
    return require.resolve(name)
  } catch {
    throw new Error(`needs ${name}`)
  }
}

interface Objects {
  MemoryHeap: new (options: { bufferSize: number }) => object
  SharedMap: new (heap: object) => MapLike & { free(): void }
}

/** It comes as TypeScript for a bundler. */
export async function objectsMap(): Promise<MapLike> {
  const entry = found('@daneren2005/shared-memory-objects')
  const outfile = join(process.cwd(), 'build', 'bench', 'shared-memory-objects-map.mjs')
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
  const theirs = (await import(pathToFileURL(outfile).href)) as Objects
  const theirHeap = new theirs.MemoryHeap({ bufferSize: 2 ** 20 })
  const made = (): MapLike => {
    const map = new theirs.SharedMap(theirHeap)
    return {
      get: (key) => map.get(key),
      set: (key, value) => map.set(key, value),
      delete: (key) => map.delete(key),
      fresh() {
        map.free()
        return made()
      },
    }
  }
  return made()
}

/** Of texts alone: keys and values become strings of a fixed length. */
export function staticMap(entries: number): MapLike {
  const Theirs = require(found('sharedmap')) as new (entries: number, keyBytes: number, valueBytes: number) => MapLike
  const map = new Theirs(entries * 4, 16, 8)
  return {
    get: (key) => map.get(key),
    set: (key, value) => map.set(key, String(value) as never),
    delete: (key) => map.delete(key),
  }
}

/** Whose values are there to stay: none is replaced or deleted. */
export function writeOnceMap(entries: number): MapLike {
  const theirs = require(found('shared-memory-datastructures')) as {
    ShareableMap: new (entries: number, bytes: number) => MapLike
  }
  const made = (): MapLike => {
    const map = new theirs.ShareableMap(entries, 32)
    return {
      get: (key) => map.get(key),
      set: (key, value) => map.set(key, value),
      delete: (key) => map.delete(key),
      fresh: made,
    }
  }
  return made()
}

// ---- work ----

/** What is read is used. */
const sink = { sum: 0 }

/** In another order than that of `keys`, in which they are used then. */
async function filled(make: Make, keys: Key[]): Promise<MapLike> {
  const map = await make(keys.length)
  for (const key of shuffled([...keys])) map.set(key, 1.5)
  return map
}

/** `act` for each key in turn. */
function each(keys: Key[], act: (key: Key) => void): Work {
  let at = 0
  return (count) => {
    for (let i = 0; i < count; i++) {
      act(keys[at]!)
      if (++at === keys.length) at = 0
    }
  }
}

export async function get(make: Make, kind: Keys, entries: number): Promise<Work> {
  const keys = KEYS[kind](entries)
  const map = await filled(make, keys)
  return each(keys, (key) => {
    sink.sum += map.get(key) as number
  })
}

/** The value of a key that is there. */
export async function update(make: Make, kind: Keys, entries: number): Promise<Work> {
  const keys = KEYS[kind](entries)
  const map = await filled(make, keys)
  return each(keys, (key) => map.set(key, 2.5))
}

/** Entries are added to an empty map, until all are there. */
export async function setNew(make: Make, kind: Keys, entries: number): Promise<Work> {
  const keys = KEYS[kind](entries)
  let [map, at] = [await make(entries), 0]
  const again = (): MapLike => {
    if (map.fresh !== undefined) return map.fresh()
    if (map instanceof SharedMap) map.free()
    return make(entries) as MapLike
  }
  return (count) => {
    for (let i = 0; i < count; i++) {
      map.set(keys[at]!, 1.5)
      if (++at < keys.length) continue
      at = 0
      map = again()
    }
  }
}

/** Entries are deleted; that they are added again then does not count. */
export async function deletes(make: Make, kind: Keys, entries: number): Promise<Work> {
  const keys = KEYS[kind](entries)
  const map = await filled(make, keys)
  return (count) => {
    let seconds = 0
    for (let left = count; left > 0; left -= keys.length) {
      const some = keys.slice(0, left)
      seconds += cpuSeconds(() => {
        for (const key of some) map.delete(key)
      })
      for (const key of some) map.set(key, 1.5)
    }
    return seconds
  }
}

/** Of a numeric map, and what stands for it in a Map. */
export async function add(make: Make, kind: Keys, entries: number): Promise<Work> {
  const keys = KEYS[kind](entries)
  const map = await filled(make, keys)
  if (map instanceof SharedMap) return each(keys, (key) => map.add(key, 1))
  return each(keys, (key) => map.set(key, (map.get(key) as number) + 1))
}
