// Which blocks of a heap a participant can still come to: those of the directory and of the
// registry, what those lead to, all that hold the two themselves, and the handles of participants.
import {
  SW_DIRECTORY_AT,
  SW_ENDPOINTS,
  SW_INSTANCE_BYTES,
  SW_INSTANCES_AT,
  SW_KIND_CHANNEL,
  SW_KIND_MASK,
  SW_REGISTRY_AT,
  sw_channel,
  sw_directory,
  sw_directory_table,
  sw_instance,
  sw_registry,
  sw_registry_block,
} from '../generated/abi.js'
import { list } from './directory.js'
import { blocksOfHandles } from './handle-arena.js'
import type { HeapMember } from './member.js'

/** What the objects of a kind own, by the kind. */
const owned = new Map<number, (member: HeapMember, object: number) => Iterable<number>>()

/** Let the objects of a kind lead to blocks. `blocks`: the pointers of those that one owns. */
export function provideReach(kind: number, blocks: (member: HeapMember, object: number) => Iterable<number>): void {
  owned.set(kind, blocks)
}

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
    for (let slot = sw_registry_block.slot; slot < sw_registry_block.sizeof; slot += 4) {
      const entry = word(at + slot)
      const object = (entry & ~SW_KIND_MASK) >>> 0
      found.add(object)
      for (const block of owned.get(entry & SW_KIND_MASK)?.(member, object) ?? []) found.add(block)
      if ((entry & SW_KIND_MASK) === SW_KIND_CHANNEL && object + sw_channel.sizeof <= region.bytes.length)
        found.add(word(object + sw_channel.data))
    }
    at = word(at + sw_registry_block.next)
  }
  for (let index = 0; index < SW_ENDPOINTS; index++) {
    let at = word(SW_INSTANCES_AT + index * SW_INSTANCE_BYTES + sw_instance.arena)
    for (; at !== 0 && at < region.bytes.length && !found.has(at); at = word(at)) {
      found.add(at)
      for (const block of blocksOfHandles(member, at)) found.add(block)
    }
  }
  return found
}
