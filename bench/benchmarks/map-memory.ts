// What an entry of a map takes: bytes of the heap for a SharedMap, bytes of V8's heap for a Map.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MemoryHeap, SharedMap } from 'sabway'
import type { Cost } from './wake-costs.js'

const ROOM = 2 ** 30
const SIZES = [100_000, 1_000_000]

/** Bytes of an entry whose key and value are doubles: 8 bytes each. */
function inHeap(entries: number): number {
  const heap = new MemoryHeap({ size: ROOM })
  const before = heap.stats().used
  const map = new SharedMap<number, number>(heap)
  for (let i = 0; i < entries; i++) map.set(i + 0.5, i + 0.25)
  if (map.size !== entries) throw new Error('entries are missing')
  const bytes = heap.stats().used - before
  map.free()
  heap.region.close()
  return bytes / entries
}

/** The same entries. With `shift` of 0, integers, for which V8 allocates nothing. */
function inMap(entries: number, collect: () => void, shift: number): number {
  const used = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  const map = new Map<number, number>()
  for (let i = 0; i < entries; i++) map.set(i + shift, i + shift / 2)
  const bytes = used() - before
  if (map.size !== entries) throw new Error('entries are missing')
  return bytes / entries
}

export function mapMemory(): Cost[] {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return SIZES.flatMap((entries) => {
    const name = `map of ${entries.toLocaleString('en')} entries, 8-byte key and value`
    const unit = 'bytes an entry'
    return [
      { name: `${name}, SharedMap`, value: Number(inHeap(entries).toFixed(1)), unit },
      { name: `${name}, Map`, value: Number(inMap(entries, collect, 0.5).toFixed(1)), unit },
      { name: `${name} (small integers), Map`, value: Number(inMap(entries, collect, 0).toFixed(1)), unit },
    ]
  })
}
