// Lists of a heap, and lists of pointers, used by one thread: like an array.
import assert from 'node:assert/strict'
import {
  AllocatedMemory,
  CachedItemList,
  getPointer,
  MemoryHeap,
  SharedList,
  type SharedListItem,
  SharedPointerList,
  SharedString,
} from 'sabway'
import { integers } from '../support/bytes.js'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20
const heap = (size = 64 * MIB): MemoryHeap => {
  const made = new MemoryHeap({ size })
  closeLater(made.region)
  return made
}

const flat = (list: SharedList<never>): unknown[] => [...list].flatMap(({ data }) => Array.from(data))

describe('a shared list', () => {
  for (const type of [Uint8Array, Int16Array, Uint32Array, Float32Array, Float64Array, BigInt64Array]) {
    for (const dataLength of [1, 3]) {
      it(`of ${dataLength} x ${type.name} is like an array`, () => {
        const h = heap()
        const next = integers(dataLength)
        const list = new SharedList(h, { type, dataLength } as never) as never as SharedList<Float64Array>
        const other = new SharedList(h, list.getSharedMemory()) as never as typeof list
        let array: number[][] = []
        const element = () => {
          const values = Array.from({ length: dataLength }, () => (next() - 2 ** 31) / 3)
          const big = values.map((value) => BigInt(Math.trunc(value)))
          return Array.from(
            (type as typeof Float64Array).from((type === BigInt64Array ? big : values) as never) as never,
          ) as number[]
        }
        for (let turn = 0; turn < 4000; turn++) {
          const [what, index] = [next() % 16, next() % (array.length + 1)]
          if (what < 7) {
            const each = element()
            list.insert(dataLength === 1 ? each[0]! : each)
            array.push(each)
          } else if (what < 10) {
            assert.equal(other.deleteIndex(index), index < array.length)
            array.splice(index, 1)
          } else if (what === 10) {
            const wanted = array[index]?.[0] ?? (type === BigInt64Array ? (5n as never) : 5)
            const found = array.findIndex((each) => each[0] === wanted)
            assert.equal(list.deleteValue(wanted), found !== -1)
            if (found !== -1) array.splice(found, 1)
          } else if (what === 11) {
            const wanted = array[index] ?? element()
            const found = array.findIndex((each) => each.every((value, i) => value === wanted[i]))
            assert.equal(other.deleteValue(wanted), found !== -1)
            if (found !== -1) array.splice(found, 1)
          } else if (what === 12) {
            let i = -1
            for (const { data, index: at, deleteCurrent, set } of list) {
              const each = array[++i]!
              assert.equal(at, i)
              assert.deepEqual(Array.from(data), each)
              const act = next() % 8
              if (act === 0) {
                assert.equal(deleteCurrent(), true)
                assert.equal(deleteCurrent(), false)
                array.splice(i--, 1)
              } else if (act === 1) {
                array[i] = element()
                assert.equal(set(dataLength === 1 ? array[i]![0]! : array[i]!), true)
              }
            }
            assert.equal(i, array.length - 1)
          } else if (what === 13 && next() % 30 === 0) {
            other.clear()
            array = []
          }
          assert.equal(other.length, array.length)
          if (turn % 50 === 0) assert.deepEqual(flat(other as never), array.flat())
        }
        list.free()
        assert.equal(h.check({ sweep: true }).length, 0)
      })
    }
  }

  it('fills up an element with zeros, and deletes by all its numbers or the first one', () => {
    const list = new SharedList(heap(), { type: Int32Array, dataLength: 3 })
    list.insert(5)
    list.insert([-10, 20, 1])
    list.insert([4, -40])
    assert.deepEqual(flat(list as never), [5, 0, 0, -10, 20, 1, 4, -40, 0])
    assert.equal(list.deleteValue(20), false)
    assert.equal(list.deleteValue(-10), true)
    assert.equal(list.deleteValue([4, 10, 0]), false)
    assert.equal(list.deleteValue([4, -40]), false)
    assert.equal(list.deleteValue([5, 0, 0]), true)
    assert.deepEqual(flat(list as never), [4, -40, 0])
    assert.equal(list.deleteIndex(-1), false)
    assert.equal(list.deleteIndex(1), false)
    assert.equal(
      list.deleteMatch((data, index) => data[1] === -40 && index === 0),
      true,
    )
    assert.equal(list.length, 0)
  })

  it('goes on behind what it has given, whatever others delete and insert meanwhile', () => {
    const h = heap()
    const list = new SharedList(h)
    const other = new SharedList(h, list.getSharedMemory())
    for (let i = 0; i < 1000; i++) list.insert(i)
    const [seen, next] = [[] as number[], integers(4)]
    const gone = new Set<number>()
    for (const { data } of list) {
      const value = data[0]!
      seen.push(value)
      const target = next() % 1200
      if (other.deleteValue(target)) gone.add(target)
      if (value < 900) other.insert(10_000 + value)
    }
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    )
    assert.equal(new Set(seen).size, seen.length)
    for (let i = 0; i < 1000; i++) assert.ok(gone.has(i) || seen.includes(i), `${i} was there all the time`)
  })

  it('calls onDelete with what it takes out, and with what is freed with it', () => {
    const h = heap()
    const list = new SharedList(h)
    const before = h.stats().blocks
    list.onDelete = (data) => new SharedString(h, getPointer(data[0]!)).free()
    const texts = Array.from({ length: 100 }, (_, i) => new SharedString(h, `text ${i}`))
    for (const { pointer } of texts) list.insert(pointer)
    list.deleteIndex(50)
    throwsError(() => texts[50]!.value, 'ERR_SABWAY_FREED', /string/)
    list.deleteValue(texts[3]!.pointer)
    for (const { index, deleteCurrent } of list) {
      if (index < 10) continue
      deleteCurrent()
      break
    }
    assert.equal(list.length, 97)
    list.clear()
    assert.equal(list.length, 0)
    for (const text of texts) assert.ok(text.isFreed)
    list.insert(new SharedString(h, 'last').pointer)
    list.free()
    // control blocks stay for the next ones
    assert.ok(h.stats().blocks <= before + 100)
    assert.equal(h.check({ sweep: true }).length, 0)
  })

  it('is led to by a block that it was made with, which is freed with it', () => {
    const h = heap()
    const block = h.allocUI32(SharedList.ALLOCATE_COUNT)
    const list = new SharedList(h, { initWithBlock: block, type: Int32Array })
    list.insert(-5)
    const other = new SharedList<Int32Array>(h, { firstBlock: block.getSharedMemory() })
    assert.deepEqual(flat(other as never), [-5])
    assert.equal(h.check({ sweep: true }).length, 0)
    other.free()
    throwsError(() => list.length, 'ERR_SABWAY_FREED', /list/)
    throwsError(() => block.free(), 'ERR_SABWAY_DOUBLE_FREE', /pointer/)
    const free = h.allocUI32(4)
    throwsError(() => new SharedList(h, { firstBlock: free }), 'ERR_SABWAY_WILD_POINTER', /no block that a list/)
    throwsError(() => new SharedList(h, { initWithBlock: 8 }), 'ERR_SABWAY_WILD_POINTER', /initWithBlock must be/)
  })

  it('refuses what is no element, and everything once it was freed or its region closed', () => {
    const h = heap()
    const list = new SharedList(h)
    throwsError(() => list.insert('1' as never), 'ERR_SABWAY_INVALID_TYPE', /must be a number/)
    throwsError(() => list.insert([1, 2]), 'ERR_SABWAY_OUT_OF_RANGE', /got 2 numbers/)
    throwsError(() => list.deleteIndex('0' as never), 'ERR_SABWAY_INVALID_TYPE', /index must be a number/)
    throwsError(() => list.deleteMatch(5 as never), 'ERR_SABWAY_INVALID_TYPE', /matches must be a function/)
    throwsError(() => list.deleteValue('5' as never), 'ERR_SABWAY_INVALID_TYPE', /must be a number/)
    throwsError(() => new SharedList(h, { dataLength: 200 }), 'ERR_SABWAY_OUT_OF_RANGE', /dataLength/)
    list.insert(1)
    let item: SharedListItem<Uint32Array>
    for (const each of list) item = each
    const calls = [
      () => list.length,
      () => list.insert(1),
      () => list.deleteIndex(0),
      () => list.deleteIndex(-1),
      () => list.deleteValue(1),
      () => list.clear(),
      () => [...list],
      () => item.deleteCurrent(),
      () => item.set(1),
      () => list.free(),
    ]
    list.free()
    for (const call of calls) throwsError(call, 'ERR_SABWAY_FREED', /list/)
    assert.equal(new SharedList(h, {}).pointer, list.pointer)
    for (const call of calls) throwsError(call, 'ERR_SABWAY_FREED', /list/)
    h.region.close()
    for (const call of calls) throwsError(call, 'ERR_SABWAY_CLOSED', /closed/)
  })

  it('stays as it is when the heap is full', () => {
    const list = new SharedList(heap(4 * MIB))
    let count = 0
    throwsError(
      () => {
        for (;;) {
          list.insert(count)
          count++
        }
      },
      'ERR_SABWAY_HEAP_FULL',
      /bytes were asked for/,
    )
    assert.equal(list.length, count)
    list.clear()
    list.insert(1)
    assert.equal(list.length, 1)
  })

  it('has a name in the directory', () => {
    const h = heap()
    const list = new SharedList(h, { type: Float32Array })
    list.insert(1.5)
    h.region.set('list', list)
    const found = h.region.get('list')
    assert.ok(found instanceof SharedList)
    assert.deepEqual(flat(found as never), [1.5])
    assert.equal(found.type, Float32Array)
  })
})

class Point {
  readonly memory: AllocatedMemory<Float32Array>

  constructor(memory: AllocatedMemory) {
    this.memory = new AllocatedMemory(memory.heap, memory.pointer, Float32Array, 2)
  }

  get x(): number {
    return this.memory.data[0]!
  }
}

class Points extends SharedPointerList<never> {
  protected override createItem(memory: AllocatedMemory): never {
    return new Point(memory) as never
  }
}

describe('a shared pointer list', () => {
  it('makes its items of the blocks that they are, and frees them with it', () => {
    const h = heap()
    const points = new Points(h) as never as SharedPointerList<Point & { memory: AllocatedMemory }>
    const others = new Points(h, points.getSharedMemory()) as never as typeof points
    const made = Array.from({ length: 50 }, (_, i) => {
      const memory = h.allocF32(2)
      memory.data[0] = i
      const point = new Point(memory as never)
      points.insert(point as never)
      return point
    })
    assert.equal(others.length, 50)
    assert.deepEqual(
      [...others].map(({ x }) => x),
      made.map(({ x }) => x),
    )
    assert.equal(others.find(({ x }) => x === 7)?.memory.pointer, made[7]!.memory.pointer)
    assert.equal(
      others.find(({ x }) => x === 70),
      undefined,
    )
    assert.equal(others.delete(made[7] as never), true)
    assert.equal(points.delete(made[7] as never), false)
    made[7]!.memory.free()
    let sum = 0
    points.forEach(({ x }) => {
      sum += x
    })
    assert.equal(sum, (49 * 50) / 2 - 7)
    throwsError(() => points.insert({} as never), 'ERR_SABWAY_INVALID_TYPE', /AllocatedMemory as its `memory`/)
    others.free()
    assert.equal(h.check({ sweep: true }).length, 0)
  })
})

class Strings extends CachedItemList<SharedString> {
  made = 0

  protected override initItem(pointer: number): SharedString {
    this.made++
    return new SharedString(this.heap, pointer)
  }

  get size(): number {
    return this.cache.size
  }
}

describe('a cached item list', () => {
  it('gives the same object for the same pointer, in each thread its own', () => {
    const h = heap()
    const list = new Strings(h)
    const clone = new Strings(h, list.getSharedMemory())
    const string = new SharedString(h, 'Test')
    list.insert(string)
    assert.equal(clone.size, 0)
    assert.equal(list.getByPointer(string.pointer), string)
    const found = clone.getByPointer(string.pointer)!
    assert.notEqual(found, string)
    assert.equal(clone.getByPointer(string.pointer), found)
    assert.equal([...clone][0]!.item, found)
    assert.equal(clone.made, 1)
    string.value = 'Blue'
    assert.equal(found.value, 'Blue')
  })

  it('frees what is taken out, and passes over what another has freed', () => {
    const h = heap()
    const list = new Strings(h)
    const clone = new Strings(h, list.getSharedMemory())
    for (let i = 0; i < 10; i++) list.insert(new SharedString(h, `${i}`))
    assert.deepEqual(
      clone.map(({ value }) => value),
      Array.from({ length: 10 }, (_, i) => `${i}`),
    )
    const third = list.find(({ value }) => value === '3')!
    assert.equal(list.delete(third), true)
    assert.ok(third.isFreed)
    assert.equal(list.size, 9)
    for (const { item, deleteCurrent } of clone) if (item.value === '5') deleteCurrent()
    assert.deepEqual(
      list.filter(({ value }) => Number(value) % 2 === 1).map(({ value }) => value),
      ['1', '7', '9'],
    )
    // the next string has the place of a freed one, which the clone has an object of
    const next = new SharedString(h, 'next')
    list.insert(next)
    assert.ok(clone.map(({ value }) => value).includes('next'))
    const visited: string[] = []
    clone.forEach(
      ({ value }) => void visited.push(value),
      ({ value }) => value.length === 1,
    )
    assert.equal(visited.length, 8)
    list.clear()
    assert.equal(list.size, 0)
    assert.equal(clone.length, 0)
    throwsError(() => list.insert({} as never), 'ERR_SABWAY_INVALID_TYPE', /its pointer as `pointer`/)
    list.insert(new SharedString(h, 'last'))
    clone.free()
    assert.equal(h.check({ sweep: true }).length, 0)
  })
})
