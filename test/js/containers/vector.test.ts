// Vectors of a heap, used by one thread: like an array, for every class of typed arrays.
import assert from 'node:assert/strict'
import { MemoryHeap, SharedVector } from 'sabway'
import { integers } from '../support/bytes.js'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20
const heap = (size = 64 * MIB): MemoryHeap => {
  const made = new MemoryHeap({ size })
  closeLater(made.region)
  return made
}

type Numbers = ConstructorParameters<typeof SharedVector>[1]
const TYPES = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  (globalThis as { Float16Array?: typeof Float32Array }).Float16Array,
].filter((type) => type !== undefined)
const isBig = (type: { name: string }) => type.name.startsWith('Big')

/** What has the elements of a vector, as one flat list. */
const flat = (vector: SharedVector<never, unknown>): unknown[] =>
  [...vector].flatMap((each) => (ArrayBuffer.isView(each) ? Array.from(each as never) : [each]))

describe('a shared vector', () => {
  for (const type of TYPES) {
    for (const dataLength of [1, 3]) {
      it(`of ${dataLength} x ${type.name} is like an array`, () => {
        const h = heap()
        const next = integers(TYPES.indexOf(type) * 4 + dataLength)
        const vector = new SharedVector(h, { type, dataLength, bufferLength: 1 } as Numbers) as never as SharedVector<
          Float64Array,
          Float64Array
        >
        const other = new SharedVector(h, vector.getSharedMemory()) as never as typeof vector
        let array: Float64Array[] = []
        const element = () => {
          const made = new type(dataLength)
          for (let i = 0; i < dataLength; i++) {
            const number = next() - 2 ** 31
            made[i] = (isBig(type) ? BigInt(number) << 8n : number / (i + 1)) as never
          }
          return made as never as Float64Array
        }
        const given = (each: Float64Array) => (dataLength === 1 && next() % 2 === 0 ? each[0]! : Array.from(each))
        const same = (found: unknown, wanted: Float64Array | undefined) =>
          assert.deepEqual(found, dataLength === 1 ? wanted?.[0] : wanted)
        for (let turn = 0; turn < 4000; turn++) {
          const [what, index] = [next() % 16, array.length === 0 ? 0 : next() % array.length]
          const reader = next() % 2 === 0 ? vector : other
          if (what < 6) {
            const each = element()
            vector.push(given(each) as never)
            array.push(each)
          } else if (what < 8) same(other.pop(), array.pop())
          else if (what === 8 && array.length > 0) {
            vector.deleteIndex(index)
            array.splice(index, 1)
          } else if (what < 11 && array.length > 0) {
            array[index] = element()
            reader.set(index, given(array[index]!) as never)
          } else if (what === 11 && next() % 50 === 0) {
            vector.clear()
            array = []
          } else if (what === 12) {
            const many = Array.from({ length: next() % 50 }, element)
            vector.pushAll(many.flatMap((each) => Array.from(each)))
            array.push(...many)
          } else {
            same(reader.get(index), array[index])
            same(reader.at(-1), array.at(-1))
            same(reader.get(array.length), undefined)
          }
          assert.equal(reader.length, array.length)
          if (turn % 100 !== 0) continue
          const all = array.flatMap((each) => Array.from(each))
          assert.deepEqual(flat(other as never), all)
          assert.deepEqual(
            vector.segments().flatMap((each) => Array.from(each)),
            all,
          )
          const visited: unknown[] = []
          other.forEach((value, i) => {
            assert.equal(i, visited.length)
            visited.push(value)
          })
          assert.deepEqual(visited, [...vector])
          assert.ok(vector.bufferLength >= array.length)
        }
        vector.free()
        assert.equal(h.check({ sweep: true }).length, 0)
      })
    }
  }

  it('does a million operations like an array', () => {
    const vector = new SharedVector(heap(), { type: Float64Array })
    const [array, next] = [[] as number[], integers(9)]
    for (let turn = 0; turn < 1_000_000; turn++) {
      const what = next() % 8
      if (what < 4) {
        vector.push(turn)
        array.push(turn)
      } else if (what === 4) assert.equal(vector.pop(), array.pop())
      else if (array.length > 0) {
        const index = next() % array.length
        if (what === 5) {
          vector.set(index, -turn)
          array[index] = -turn
        } else if (vector.get(index) !== array[index]) assert.fail(`element ${index} in turn ${turn}`)
      }
    }
    assert.equal(vector.length, array.length)
    assert.ok([...vector].every((each, i) => each === array[i]))
  })

  it('keeps elements in their places when it grows', () => {
    const vector = new SharedVector(heap(), { type: Int32Array, bufferLength: 4 })
    vector.push(7)
    const [first] = vector.segments()
    for (let i = 0; i < 10_000; i++) vector.push(i)
    first![0] = 8
    assert.equal(vector.get(0), 8)
    vector.set(0, 9)
    assert.equal(first![0], 9)
  })

  it('adds and compares at once, in integers', () => {
    const h = heap()
    for (const type of TYPES) {
      const vector = new SharedVector(h, { type, dataLength: 2 } as Numbers) as never as SharedVector<
        Int32Array,
        Int32Array
      >
      const of = (number: number) => (isBig(type) ? BigInt(number) : number) as never
      vector.push([of(5), of(6)] as never)
      if (type.name.startsWith('Float') || type === Uint8ClampedArray) {
        throwsError(() => vector.add(0, of(1)), 'ERR_SABWAY_UNSUPPORTED', /Atomics cannot/)
        throwsError(() => vector.compareExchange(0, of(1), of(1)), 'ERR_SABWAY_UNSUPPORTED', /Atomics cannot/)
        continue
      }
      assert.equal(vector.add(0, of(3)), of(5))
      assert.equal(vector.add(0, of(1), 1), of(6))
      assert.equal(vector.compareExchange(0, of(8), of(1)), of(8))
      assert.equal(vector.compareExchange(0, of(8), of(2)), of(1))
      assert.deepEqual(Array.from(vector.get(0)! as never), [of(1), of(7)])
      throwsError(() => vector.add(1, of(1)), 'ERR_SABWAY_OUT_OF_RANGE', /less than the length, 1, got 1/)
      throwsError(() => vector.add(0, of(1), 2), 'ERR_SABWAY_OUT_OF_RANGE', /component must be an integer from 0 to 1/)
      throwsError(() => vector.add(0, 'x' as never), 'ERR_SABWAY_INVALID_TYPE', /a value must be a/)
    }
  })

  it('gives what is appended and passes over what is popped, in an iteration', () => {
    const vector = new SharedVector(heap(), { bufferLength: 2 })
    vector.pushAll([0, 1, 2])
    const seen: number[] = []
    for (const each of vector) {
      seen.push(each)
      if (each === 1) vector.pushAll([3, 4, 5])
      if (each === 3) vector.pop()
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4])
    const iterator = vector[Symbol.iterator]()
    for (let i = 0; i < 5; i++) iterator.next()
    assert.equal(iterator.next().done, true)
    vector.push(9)
    assert.equal(iterator.next().done, true)
  })

  it('refuses what is no element, and what is not there', () => {
    const h = heap()
    const vector = new SharedVector(h, { type: Float32Array, dataLength: 2 })
    throwsError(() => vector.push('1' as never), 'ERR_SABWAY_INVALID_TYPE', /must be a number or an array of up to 2/)
    throwsError(() => vector.push([1, 2, 3]), 'ERR_SABWAY_OUT_OF_RANGE', /got 3 numbers/)
    throwsError(() => vector.push([1, '2'] as never), 'ERR_SABWAY_INVALID_TYPE', /component 1 must be a number/)
    throwsError(() => vector.push(1n as never), 'ERR_SABWAY_INVALID_TYPE', /must be a number/)
    throwsError(() => vector.pushAll([1]), 'ERR_SABWAY_INVALID_ARGUMENT', /whole elements of 2 numbers, got 1/)
    throwsError(() => vector.pushAll([1, 2n] as never), 'ERR_SABWAY_INVALID_TYPE', /value 1 must be a number/)
    throwsError(() => vector.pushAll(5 as never), 'ERR_SABWAY_INVALID_TYPE', /values must be/)
    throwsError(() => vector.set(0, 1), 'ERR_SABWAY_OUT_OF_RANGE', /less than the length, 0/)
    throwsError(() => vector.deleteIndex(0), 'ERR_SABWAY_OUT_OF_RANGE', /less than the length/)
    throwsError(() => vector.get('0' as never), 'ERR_SABWAY_INVALID_TYPE', /index must be a number/)
    assert.equal(vector.pop(), undefined)
    assert.equal(vector.get(0), undefined)
    assert.equal(vector.get(-1), undefined)
    assert.equal(vector.get(0.5), undefined)
    assert.equal(vector.length, 0)
    vector.pushAll(new Float32Array(4))
    assert.equal(vector.length, 2)
    throwsError(() => new SharedVector(h, { dataLength: 0 }), 'ERR_SABWAY_OUT_OF_RANGE', /from 1 to 128/)
    throwsError(() => new SharedVector(h, { dataLength: 129 }), 'ERR_SABWAY_OUT_OF_RANGE', /from 1 to 128/)
    throwsError(() => new SharedVector(h, { type: Array as never }), 'ERR_SABWAY_INVALID_TYPE', /class of typed arrays/)
    throwsError(() => new SharedVector(h, { tipe: 1 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /tipe/)
    throwsError(() => new SharedVector(h, { bufferLength: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /bufferLength/)
    throwsError(() => new SharedVector(h, { bufferLength: 2 ** 30 }), 'ERR_SABWAY_HEAP_FULL', /bytes were asked for/)
  })

  it('stays as it is when the heap is full', () => {
    const vector = new SharedVector(heap(4 * MIB), { type: Float64Array })
    let count = 0
    throwsError(
      () => {
        for (;;) {
          vector.push(count)
          count++
        }
      },
      'ERR_SABWAY_HEAP_FULL',
      /bytes were asked for/,
    )
    assert.equal(vector.length, count)
    throwsError(() => vector.pushAll(new Float64Array(MIB)), 'ERR_SABWAY_HEAP_FULL', /bytes were asked for/)
    assert.equal(vector.length, count)
    assert.equal(vector.at(-1), count - 1)
  })

  it('is refused once it was freed, or its region closed', () => {
    const h = heap()
    const vector = new SharedVector(h)
    vector.push(5)
    const other = new SharedVector(h, vector.getSharedMemory())
    assert.equal(other.get(0), 5)
    const calls = (each: typeof vector) => [
      () => each.length,
      () => each.bufferLength,
      () => each.get(0),
      () => each.at(-1),
      () => each.set(0, 1),
      () => each.add(0, 1),
      () => each.push(1),
      () => each.pushAll([1]),
      () => each.pop(),
      () => each.deleteIndex(0),
      () => each.clear(),
      () => [...each],
      () => each.forEach(() => {}),
      () => each.segments(),
      () => each.free(),
    ]
    vector.free()
    for (const again of [false, true]) {
      for (const call of [...calls(vector), ...calls(other)]) throwsError(call, 'ERR_SABWAY_FREED', /vector/)
      if (!again) new SharedVector(h, { type: Float64Array }).pushAll([1, 2, 3])
    }
    const last = new SharedVector(h)
    h.region.close()
    for (const call of calls(last)) throwsError(call, 'ERR_SABWAY_CLOSED', /closed/)
  })

  it('has a name in the directory', () => {
    const h = heap()
    const made = h.region.getOrMake(
      'numbers',
      () => new SharedVector(h, { type: Float32Array }),
    ) as SharedVector<Float32Array>
    made.push(0.5)
    const found = h.region.get('numbers')
    assert.ok(found instanceof SharedVector)
    assert.equal(found.get(0), 0.5)
    assert.equal(found.type, Float32Array)
    assert.deepEqual(found.toJSON(), { pointer: made.pointer, type: 'Float32Array', dataLength: 1 })
    assert.equal(h.check({ sweep: true }).length, 0)
  })
})
