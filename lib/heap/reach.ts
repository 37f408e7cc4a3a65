// Which blocks of a heap a participant can still come to: those of the directory, and all that hold
// the directory and the registry themselves.
import {
  SW_DIRECTORY_AT,
  SW_KIND_MASK,
  SW_REGISTRY_AT,
  sw_directory,
  sw_directory_table,
  sw_registry,
  sw_registry_block,
} from '../generated/abi.js'
import { list } from './directory.js'
import type { HeapMember } from './member.js'

/** The pointers of those blocks. In a moment when no participant changes the heap. */
export function reachable(member: HeapMember): Set<number> {
  const { region } = member
  const word = (at: number) => Atomics.load(region.words, at >>> 2) >>> 0
  const found = new Set<number>()
  for (const { object } of list(member).values()) found.add(object)
  const table = word(SW_DIRECTORY_AT + sw_directory.table)
  for (const at of [table, word(SW_DIRECTORY_AT + sw_directory.retired)]) found.add(at)
  if (table !== 0) {
    const slots = Math.min(word(table + sw_directory_table.slots), (region.bytes.length - table) / 4)
    for (let i = 0; i < slots; i++) found.add(word(table + sw_directory_table.sizeof + 4 * i))
  }
  const blocks = new Set<number>()
  for (let at = word(SW_REGISTRY_AT + sw_registry.first); at !== 0 && !blocks.has(at); ) {
    blocks.add(at)
    found.add(at)
    if (at + sw_registry_block.sizeof > region.bytes.length) break
    for (let slot = sw_registry_block.slot; slot < sw_registry_block.sizeof; slot += 4)
      found.add((word(at + slot) & ~SW_KIND_MASK) >>> 0)
    at = word(at + sw_registry_block.next)
  }
  if (region.channelAt !== 0) found.add(region.channelAt)
  return found
}
