// Where this thread's handles of channels are: the core's sw_producer and sw_consumer, one pair for
// each channel. The thread's own block of the region (sw_instance) has room for one pair; more are
// in blocks of the heap, which that block leads to:
//
//   sw_instance.arena --> [ link, pair, pair ... ] --> [ link, pair, pair ... ] --> 0
//
// Only the endpoint's owner writes there. When it ends without leaving, the endpoint's next owner
// finds the blocks and uses them; a crash between an allocation and its link, or between a link and
// the free, loses one block.
import { SW_PAGE, sw_instance } from '../generated/abi.js'
import type { HeapRegion } from './heap-region.js'
import { HeapMember } from './member.js'

/** Of one pair; and the link has as much. */
const PAIR = sw_instance.heap - sw_instance.producer
const CHUNK = 4096

/** Where the handles are of the block of an arena at that offset. */
function* handlesIn(chunk: number): Generator<number, void, undefined> {
  for (let at = chunk + CHUNK - PAIR; at > chunk; at -= PAIR) yield at
}

/** What the handle at an offset leads to: other objects than channels have handles here, too. */
type BlocksOf = (member: HeapMember, at: number) => Iterable<number>
const kinds = new Set<BlocksOf>()

function* blocksOf(member: HeapMember, at: number): Generator<number, void, undefined> {
  for (const blocks of kinds) yield* blocks(member, at)
}

/** Let handles lead to blocks. `blocks`: of the handle at an offset, if it is one that has some. */
export function provideHandles(blocks: BlocksOf): void {
  kinds.add(blocks)
}

/** The pointers that the handles lead to of a block of an arena. */
export function* blocksOfHandles(member: HeapMember, chunk: number): Generator<number, void, undefined> {
  for (const at of handlesIn(chunk)) {
    if (at + PAIR <= member.region.bytes.length) yield* blocksOf(member, at)
  }
}

const arenas = new WeakMap<HeapRegion, HandleArena>()

/** Errors: as HeapMember.of. */
export function arenaOf(region: HeapRegion): HandleArena {
  let arena = arenas.get(region)
  if (arena === undefined) {
    arena = new HandleArena(region)
    arenas.set(region, arena)
  }
  return arena
}

export class HandleArena {
  readonly #region: HeapRegion
  readonly #member: HeapMember
  readonly #free: number[] = []

  constructor(region: HeapRegion) {
    this.#region = region
    this.#member = HeapMember.of(region)
    for (const chunk of this.#chunks()) {
      this.#inherit(chunk)
      this.#share(chunk)
    }
    region.onClose(() => this.#end())
  }

  /** Room for a pair, all zeros. Errors: as Heap.alloc. */
  take(): number {
    if (this.#free.length === 0) this.#grow()
    const at = this.#free.pop()!
    this.#region.bytes.fill(0, at, at + PAIR)
    return at
  }

  give(at: number): void {
    this.#free.push(at)
  }

  /** Free what the handles of an earlier owner lead to, which has not left. */
  #inherit(chunk: number): void {
    const { words } = this.#region
    for (const at of handlesIn(chunk)) {
      const left = [...blocksOf(this.#member, at)]
      Atomics.store(words, at >>> 2, 0)
      for (const block of left) if (this.#member.hasBlock(block, 1)) this.#member.free(block)
    }
  }

  #grow(): void {
    const chunk = this.#member.allocate(CHUNK)
    const first = this.#wordOf(this.#region.instance + sw_instance.arena)
    Atomics.store(this.#region.words, chunk >>> 2, first)
    this.#setFirst(chunk)
    this.#share(chunk)
  }

  #share(chunk: number): void {
    this.#free.push(...handlesIn(chunk))
  }

  /**
   * What an earlier owner of the endpoint has left: of offsets in shared memory, so only blocks.
   */
  #chunks(): number[] {
    const found: number[] = []
    const most = this.#region.bytes.length / SW_PAGE
    for (let at = this.#wordOf(this.#region.instance + sw_instance.arena); at !== 0; at = this.#wordOf(at)) {
      if (found.length > most || found.includes(at) || !this.#member.hasBlock(at, CHUNK)) break
      found.push(at)
    }
    return found
  }

  #wordOf(at: number): number {
    return Atomics.load(this.#region.words, at >>> 2) >>> 0
  }

  #setFirst(chunk: number): void {
    Atomics.store(this.#region.words, (this.#region.instance + sw_instance.arena) >>> 2, chunk)
  }

  #end(): void {
    try {
      for (const chunk of this.#chunks()) {
        this.#setFirst(this.#wordOf(chunk))
        this.#member.free(chunk)
      }
    } catch {
      // Its words were overwritten: the blocks stay, as those of a participant that has crashed.
    }
  }
}
