// What the threads and processes of the tests of containers change together.
import assert from 'node:assert/strict'
import { type MemoryHeap, SharedList, SharedString, SharedVector } from 'sabway'

export interface Containers {
  heap: MemoryHeap
  string: SharedString
  vector: SharedVector<Int32Array>
  wide: SharedVector<Float32Array, Float32Array>
  list: SharedList
  pointers: [number, number, number, number]
}

export function makeContainers(heap: MemoryHeap): Containers {
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
export function endContainers({ heap, string, vector, wide, list }: Containers, lost: number): void {
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
