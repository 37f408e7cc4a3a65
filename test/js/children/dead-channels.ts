// Fills the heap of a region with channels, and is killed: by itself, so without a word.
import { MemoryHeap, SharedMemoryChannel } from 'sabway'

const { region } = new MemoryHeap(process.argv[2]!)
const made: SharedMemoryChannel[] = []
for (const bytes of [65536, 4096])
  try {
    for (;;) {
      const renderer = new SharedMemoryChannel(bytes, bytes, { region })
      made.push(renderer, SharedMemoryChannel.attach(renderer.handle, { side: 'native' }))
      for (const side of made.slice(-2)) side.trySend(Uint8Array.of(1)) // takes the side
    }
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SABWAY_HEAP_FULL') throw error
  }
const blocks: number[] = []
try {
  for (;;) blocks.push(region.heap.alloc(256))
} catch {
  for (const block of blocks.splice(0, 64)) region.heap.free(block) // what objects are opened with
}
console.log(made.length)
process.kill(process.pid, 'SIGKILL')
