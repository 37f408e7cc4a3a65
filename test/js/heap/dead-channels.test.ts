// A heap that is full of channels whose sides have been killed: whatever needs room there gets it.
import assert from 'node:assert/strict'
import { MemoryHeap, SharedList, SharedMap, SharedVector } from 'sabway'
import { runChild } from '../support/children.js'
import { closeLater } from '../support/regions.js'

/** Each needs more than a heap that is full has. */
const NEEDS: Record<string, (heap: MemoryHeap) => (i: number) => unknown> = {
  'a vector': (heap) => {
    const vector = new SharedVector(heap, { type: Float64Array })
    return (i) => vector.push(i)
  },
  'a vector that takes many at once': (heap) => {
    const vector = new SharedVector(heap, { type: Float64Array })
    return (i) => i % 512 === 0 && vector.pushAll(new Float64Array(512))
  },
  'a list': (heap) => {
    const list = new SharedList(heap)
    return (i) => list.insert(i)
  },
  'a map of numbers': (heap) => {
    const map = new SharedMap(heap)
    return (i) => map.set(i, i)
  },
  'a numeric map': (heap) => {
    const map = new SharedMap<string, number>(heap, { numeric: 'u32' })
    return (i) => map.add(`key ${i}`)
  },
  'a map of texts': (heap) => {
    const map = new SharedMap(heap)
    return (i) => map.set(`key ${i}`, `value ${i}`)
  },
  names: (heap) => {
    const memory = heap.region.heap.allocUI32(1)
    return (i) => i % 20 === 0 && heap.region.set(`name ${i}`, memory)
  },
  'a block': (heap) => (i) => i % 64 === 0 && heap.region.heap.alloc(512),
}

describe('a heap full of channels whose sides were killed has room for', () => {
  for (const [what, open] of Object.entries(NEEDS)) {
    it(what, async () => {
      const heap = new MemoryHeap({ size: 1 << 21, share: 'processes' })
      closeLater(heap.region)
      const use = open(heap)
      const { stdout, signal, stderr } = await runChild('dead-channels.js', [heap.region.token])
      assert.equal(signal, 'SIGKILL', stderr)
      assert.ok(Number(stdout) > 5, stdout)
      for (let i = 0; i < 5000; i++) use(i)
    })
  }
})
