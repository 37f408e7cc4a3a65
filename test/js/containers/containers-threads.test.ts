// Strings, vectors and lists that four threads, or two processes of which one is killed, change at
// random.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { MemoryHeap, Region, SharedList, SharedString, SharedVector } from 'sabway'
import { Peer } from '../support/processes.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import type { ContainersDone } from '../workers/containers.js'

const MIB = 2 ** 20

interface Containers {
  heap: MemoryHeap
  string: SharedString
  vector: SharedVector<Int32Array>
  wide: SharedVector<Float32Array, Float32Array>
  list: SharedList
  pointers: [number, number, number, number]
}

function make(heap: MemoryHeap): Containers {
  const string = new SharedString(heap)
  const vector = new SharedVector(heap, { type: Int32Array, bufferLength: 1 })
  vector.push(0) // which all add to
  const wide = new SharedVector<Float32Array, Float32Array>(heap, {
    type: Float32Array,
    dataLength: 3,
    bufferLength: 1,
  })
  const list = new SharedList(heap, { dataLength: 2 })
  return { heap, string, vector, wide, list, pointers: [string.pointer, vector.pointer, wide.pointer, list.pointer] }
}

/** All are whole, and give all their memory back but what a death has lost. */
function end({ heap, string, vector, wide, list }: Containers, lost: number): void {
  const { value } = string
  if (value !== '') assert.equal(value, value[0]!.repeat(value.length))
  for (const element of wide) assert.ok(element[0] === element[1] && element[1] === element[2])
  let count = 0
  for (const { data } of list) {
    assert.ok(data[0]! >= 1 && data[1]! >= 1)
    count++
  }
  assert.equal(count, list.length)
  vector.push(1)
  assert.equal(vector.pop(), 1)
  list.insert(1)
  wide.push(1)
  string.value = 'end'
  const leaked = heap.check({ sweep: true })
  assert.ok(leaked.length <= lost, `${leaked.length} blocks are lost`)
  for (const each of [string, vector, wide, list]) each.free()
  assert.ok(heap.check({ sweep: true }).length <= lost)
}

describe('containers that several change', () => {
  it('are whole for four threads, and lose nothing', async () => {
    const heap = new MemoryHeap({ size: 64 * MIB })
    closeLater(heap.region)
    const made = make(heap)
    const threads = [1, 2, 3, 4].map(
      (number) =>
        new Thread('containers', { shared: heap.getSharedMemory(), containers: made.pointers, number, turns: 30_000 }),
    )
    const all: ContainersDone[] = []
    for (const thread of threads) {
      assert.equal(await thread.next(), 'begun')
      all.push(await thread.next<ContainersDone>())
      assert.equal(await thread.ended(), 0)
    }
    const sum = (of: keyof ContainersDone) => all.reduce((total, done) => total + done[of], 0)
    assert.equal(made.vector.length, 1 + sum('pushed') - sum('popped'))
    assert.equal(made.vector.get(0), sum('added'))
    assert.ok(sum('set') > 0)
    end(made, 0)
  })

  it('are whole for two processes of which one is killed, again and again', async () => {
    const region = closeLater(Region.create({ size: 64 * MIB, share: 'processes' }))
    const made = make(new MemoryHeap(region.token))
    closeLater(made.heap.region)
    let deaths = 0
    const begin = (number: number) =>
      new Peer({ shared: region.token, containers: made.pointers, number, inserted: deaths * 1e6, turns: 1e9 })
    const steady = begin(1)
    assert.equal(await steady.next(), 'begun')
    for (; deaths < 12; deaths++) {
      const victim = begin(2 + (deaths % 6))
      assert.equal(await victim.next(), 'begun')
      await sleep(10 + (deaths % 4) * 10)
      await victim.kill()
      // the living go on
      made.vector.push(1)
      made.string.value = 'zzzzz'
      made.list.insert([8, 1 + deaths])
      made.list.deleteMatch((data) => data[0] === 8)
    }
    await steady.kill()
    end(made, 2 * (deaths + 1))
  })
})
