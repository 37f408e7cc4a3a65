// Arrays of objects in shared memory, in both layouts; floats; and plain objects as blocks.
import assert from 'node:assert/strict'
import {
  AllocatedMemory,
  addFloat32,
  addFloat64,
  convertFloat32ToInt32,
  convertInt32ToFloat32,
  createObjectFromMemory,
  createObjectFromPointer,
  defineObject,
  exchangeFloat32,
  loadFloat32,
  MemoryHeap,
  type SerializableValue,
  SharedStructArray,
  serializeObjectToMemory,
  storeFloat32,
} from 'sabway'
import { random } from '../support/bytes.js'
import { seed, times } from '../support/effort.js'
import { throwsError } from '../support/errors.js'
import { itNative } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { DEFINITION } from '../support/records.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import type { RecordTask } from '../workers/record.js'

function heapOf(share: 'threads' | 'processes' = 'threads'): MemoryHeap {
  const heap = new MemoryHeap({ size: 2 ** 23, share })
  closeLater(heap.region)
  return heap
}

const Boid = defineObject({ position: ['f32', 2], velocity: ['f64', 3], flock: 'u8', id: 'i64', alive: 'bool' })
const ZERO = { position: [0, 0], velocity: [0, 0, 0], flock: 0, id: 0n, alive: false }
const Counter = defineObject(DEFINITION)

for (const layout of ['rows', 'columns'] as const) {
  describe(`an array of objects in ${layout}`, () => {
    const arrayOf = (heap: MemoryHeap, length: number) => new SharedStructArray(heap, Boid, { length, layout })

    it('has what was written to each field of each object, in every thread that opens it', () => {
      const heap = heapOf()
      const made = arrayOf(heap, 100)
      const opened = new SharedStructArray(heap, Boid, made.getSharedMemory())
      assert.deepEqual([opened.length, opened.structLayout], [100, layout])
      assert.deepEqual(made.snapshot(), new Array(100).fill(ZERO))
      for (let i = 0; i < 100; i++) {
        const row = made.at(i)
        row.assign({ position: [i, i + 0.5], flock: i, id: BigInt(-i) })
        row.velocity[2] = i / 3
        row.alive = i % 2 === 0
      }
      const expected = (i: number) => ({
        position: [i, i + 0.5],
        velocity: [0, 0, i / 3],
        flock: i,
        id: BigInt(-i),
        alive: i % 2 === 0,
      })
      for (const i of [0, 1, 57, 99]) {
        assert.deepEqual(opened.snapshot(i), expected(i))
        const row = opened.at(i)
        assert.deepEqual(
          [[...row.position], [...row.velocity], row.flock, row.id, row.alive],
          Object.values(expected(i)),
        )
      }
      assert.deepEqual(
        opened.snapshot(),
        Array.from({ length: 100 }, (_, i) => expected(i)),
      )
      const seen = Array.from(opened, ({ index, flock, position }) => [index, flock, position[1]])
      assert.deepEqual(
        seen,
        Array.from({ length: 100 }, (_, i) => [i, i, i + 0.5]),
      )
    })

    it('has objects that go from index to index', () => {
      const array = arrayOf(heapOf(), 10)
      const row = array.at(3)
      row.flock = 1
      row.position[0] = 5
      row.index = 4
      assert.deepEqual([row.flock, row.position[0], row.index], [0, 0, 4])
      row.position[0] = 6
      assert.deepEqual([array.at(3).position[0], array.at(4).position[0]], [5, 6])
      for (const bad of [-1, 10, 0.5, Number.NaN])
        throwsError(
          () => {
            row.index = bad
          },
          'ERR_SABWAY_OUT_OF_RANGE',
          /index must be an integer from 0 to 9/,
        )
      throwsError(() => array.at('1' as never), 'ERR_SABWAY_INVALID_TYPE', /index must be a number/)
      throwsError(() => array.snapshot(10), 'ERR_SABWAY_OUT_OF_RANGE', /index/)
      throwsError(
        () => {
          row.flock = 256
        },
        'ERR_SABWAY_OUT_OF_RANGE',
        /flock/,
      )
      throwsError(
        () => {
          ;(row as { position: unknown }).position = [1, 2]
        },
        'ERR_SABWAY_INVALID_TYPE',
        /position is an array in shared memory/,
      )
      assert.equal(row.index, 4)
      assert.equal(JSON.parse(JSON.stringify(array)).length, 10)
    })

    it('is seen through typed arrays without a copy', () => {
      const heap = heapOf()
      const array = arrayOf(heap, 1000)
      for (const name of ['position', 'velocity', 'flock', 'id', 'alive'] as const) {
        const { data, offset, stride } = array.strided(name)
        assert.equal(data.buffer, heap.buffer)
        const value = name === 'id' ? 7n : 7
        ;(data as unknown as Record<number, unknown>)[offset + 999 * stride] = value
        assert.equal((data as { length: number }).length <= offset + 1000 * stride, true)
      }
      const last = array.snapshot(999)
      assert.deepEqual([last.position[0], last.velocity[0], last.flock, last.id, last.alive], [7, 7, 7, 7n, true])
      assert.deepEqual(array.snapshot(998), ZERO)
      throwsError(() => array.strided('x' as never), 'ERR_SABWAY_INVALID_ARGUMENT', /name must be that of a field/)
      if (layout === 'rows') {
        throwsError(() => array.columns, 'ERR_SABWAY_INVALID_STATE', /use strided\(name\)/)
        return
      }
      const { columns } = array
      assert.deepEqual(
        Object.entries(columns)
          .map(([name, { length, byteOffset }]) => [name, length, byteOffset % 64])
          .sort(),
        [
          ['alive', 1000, 0],
          ['flock', 1000, 0],
          ['id', 1000, 0],
          ['position', 2000, 0],
          ['velocity', 3000, 0],
        ],
      )
      assert.equal(columns.position[1998], 7)
      columns.velocity.fill(1)
      assert.deepEqual(array.snapshot(0), { ...ZERO, velocity: [1, 1, 1] })
      assert.equal(array.columns, columns)
    })

    it('is changed as a whole under its lock, or not at all', () => {
      const array = arrayOf(heapOf(), 10)
      array.lock((objects) => {
        assert.equal(objects.length, 10)
        objects.at(0).flock = 1
        objects.at(9).assign({ velocity: [1, 2, 3], alive: true })
        objects.at(9).position[1] = 4
      })
      const made = [array.snapshot(0), array.snapshot(9)]
      assert.deepEqual(made, [
        { ...ZERO, flock: 1 },
        { ...ZERO, velocity: [1, 2, 3], alive: true, position: [0, 4] },
      ])
      const inVain = () =>
        array.lock((objects) => {
          for (let i = 0; i < 10; i++) objects.at(i).assign({ flock: 9, velocity: [9, 9, 9], id: 9n, position: [9, 9] })
          objects.at(10)
        })
      throwsError(inVain, 'ERR_SABWAY_OUT_OF_RANGE', /index must be an integer from 0 to 9, got 10/)
      assert.deepEqual([array.snapshot(0), array.snapshot(9)], made)
      assert.deepEqual(array.snapshot(5), ZERO)
      assert.equal(
        array.tryLock((objects) => {
          objects.at(1).flock = 2
        }),
        true,
      )
      assert.equal(array.at(1).flock, 2)
    })

    it('leaves random changes as a model has them', () => {
      const next = random(seed())
      const array = arrayOf(heapOf(), 37)
      const model = Array.from({ length: 37 }, () => structuredClone(ZERO))
      const rounds = times(100_000)
      for (let round = 0; round < rounds; round++) {
        const i = Math.floor(next() * 37)
        const value = Math.floor(next() * 256)
        const way = Math.floor(next() * 6)
        const row = array.at(i)
        if (way === 0) model[i]!.flock = row.flock = value
        else if (way === 1) model[i]!.id = row.id = BigInt(value) - 100n
        else if (way === 2) model[i]!.position[value & 1] = row.position[value & 1] = value
        else if (way === 3) model[i]!.velocity[value % 3] = row.velocity[value % 3] = value / 7
        else if (way === 4) model[i]!.alive = row.alive = value > 100
        else
          array.lock((objects) => {
            model[i]!.flock = objects.at(i).flock = value
            model[i]!.position[1] = objects.at(i).position[1] = -value
          })
        if (round % 64 === 0) assert.deepEqual(array.snapshot(i), model[i])
      }
      assert.deepEqual(array.snapshot(), model)
    })

    it('is gone for all threads once it is freed, and refuses what cannot be', () => {
      const heap = heapOf()
      const array = arrayOf(heap, 10)
      const other = new SharedStructArray(heap, Boid, array.getSharedMemory())
      const row = other.at(3)
      array.free()
      for (const use of [
        () => row.flock,
        () => row.position,
        () => row.assign({ flock: 1 }),
        () => {
          row.id = 1n
        },
        () => other.at(0),
        () => other.columns,
        () => other.strided('id'),
        () => other.snapshot(),
        () => other.snapshot(1),
        () => other.lock(() => {}),
        () => other.free(),
      ])
        throwsError(use, 'ERR_SABWAY_FREED', /at \d+/)
      for (const [options, code] of [
        [{ length: 0 }, 'ERR_SABWAY_OUT_OF_RANGE'],
        [{ length: 1.5 }, 'ERR_SABWAY_OUT_OF_RANGE'],
        [{ length: 2 ** 30 }, 'ERR_SABWAY_OUT_OF_RANGE'],
        [{ length: 2 ** 20 }, 'ERR_SABWAY_HEAP_FULL'],
        [{ length: 10, layout: 'soa' }, 'ERR_SABWAY_INVALID_ARGUMENT'],
        [{ length: 10, undo: -1 }, 'ERR_SABWAY_OUT_OF_RANGE'],
        [{ size: 10 }, 'ERR_SABWAY_INVALID_ARGUMENT'],
        [undefined, 'ERR_SABWAY_INVALID_TYPE'],
      ] as const)
        throwsError(() => new SharedStructArray(heap, Boid, options as never), code, /./)
      throwsError(
        () => new SharedStructArray(heap, Map as never, { length: 1 }),
        'ERR_SABWAY_INVALID_TYPE',
        /defineObject/,
      )
      assert.deepEqual(heap.check({ sweep: true }), [])
    })

    it('is found by its name', () => {
      const heap = heapOf()
      const array = arrayOf(heap, 10)
      array.at(4).flock = 3
      heap.region.set('boids', array)
      assert.deepEqual(heap.region.list(), [{ name: 'boids', kind: 'struct array' }])
      const found = heap.region.get('boids') as typeof array
      assert.deepEqual([found.length, found.structLayout, found.at(4).flock], [10, layout, 3])
    })

    for (const where of ['threads', 'processes'] as const) {
      const test = where === 'threads' ? it : itNative
      test(`keeps its sum while three ${where} move parts of it, of which one is killed`, async () => {
        const heap = heapOf(where)
        const array = new SharedStructArray(heap, Counter, { length: 50, layout })
        const task = (count: number): RecordTask => ({
          shared: where === 'threads' ? heap.getSharedMemory() : heap.region.token,
          pointer: array.pointer,
          changes: 'rows',
          count,
        })
        const start = (count: number) =>
          where === 'threads' ? new Thread('record', task(count)) : new Peer(task(count))
        const sum = () => array.snapshot().reduce((all, { a }) => all + a, 0)
        const others = [start(times(2000)), start(times(2000))]
        const mortal = start(2 ** 30)
        for (let i = 0; i < 20; i++) {
          await new Promise((resolve) => setTimeout(resolve, 5))
          assert.equal(sum(), 0)
        }
        await (mortal instanceof Thread ? mortal.terminate() : mortal.kill())
        for (const other of others) assert.equal(await other.next(), 'done')
        assert.equal(sum(), 0)
        assert.ok(array.snapshot().some(({ a }) => a !== 0))
      })
    }
  })
}

describe('floats in shared memory', () => {
  it('are exchanged and added to atomically, as floats or as the integers with their bits', () => {
    const heap = heapOf()
    const memory = heap.allocF32(4)
    for (const data of [memory.data, new Int32Array(heap.buffer, memory.pointer, 4)]) {
      storeFloat32(data, 2, 1.5)
      assert.equal(memory.data[2], 1.5)
      assert.equal(exchangeFloat32(data, 2, -0.1), 1.5)
      assert.equal(loadFloat32(data, 2), Math.fround(-0.1))
      assert.equal(addFloat32(data, 2, 1), Math.fround(-0.1))
      assert.equal(memory.data[2], Math.fround(Math.fround(-0.1) + 1))
    }
    const wide = heap.allocF64(2)
    for (const data of [wide.data, new BigInt64Array(heap.buffer, wide.pointer, 2)]) {
      assert.equal(addFloat64(data, 1, 0.1), data === (wide.data as unknown) ? 0 : 0.1)
    }
    assert.equal(wide.data[1], 0.2)
    assert.equal(convertInt32ToFloat32(convertFloat32ToInt32(-2.5)), -2.5)
    assert.equal(convertFloat32ToInt32(1), 0x3f800000)
  })

  it('refuse other arrays, indices and values', () => {
    const { data } = heapOf().allocF32(2)
    for (const call of [loadFloat32, storeFloat32, exchangeFloat32, addFloat32, addFloat64] as ((
      data: never,
      index: number,
      value: number,
    ) => unknown)[]) {
      const own = (call === (addFloat64 as unknown) ? new Float64Array(2) : data) as never
      throwsError(
        () => call(new Uint8Array(8) as never, 0, 1),
        'ERR_SABWAY_INVALID_TYPE',
        /data must be a Float\d+Array or/,
      )
      throwsError(() => call(own, 2, 1), 'ERR_SABWAY_OUT_OF_RANGE', /index must be an integer from 0 to 1/)
      if (call !== (loadFloat32 as unknown))
        throwsError(() => call(own, 0, '1' as never), 'ERR_SABWAY_INVALID_TYPE', /value must be a number/)
    }
  })
})

describe('a plain object in a block', () => {
  it('is read as it was written', () => {
    const heap = heapOf()
    const objects: { [key: string]: SerializableValue }[] = [
      {},
      {
        name: 'Ada',
        hp: 10,
        ratio: 0.1,
        big: -(2n ** 100n),
        zero: 0n,
        on: true,
        off: false,
        none: null,
        not: undefined,
      },
      { '': '', é: 'h\u00e9', 日本: '\ud83d\ude00', half: '\ud800', nul: '\0' },
      { list: [1, 'two', [3, { four: [] }]], nan: Number.NaN, minus: -0, far: Number.NEGATIVE_INFINITY },
      JSON.parse('{"__proto__": {"polluted": 1}}'),
      { long: 'x'.repeat(100_000), wide: '\u3042'.repeat(10_000) },
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, i])),
    ]
    for (const object of objects) {
      const memory = serializeObjectToMemory(heap, object)
      assert.deepEqual(createObjectFromMemory(memory), object)
      assert.deepEqual(createObjectFromPointer(heap, memory.pointer), object)
      memory.free()
    }
    assert.deepEqual(heap.check({ sweep: true }), [])
    assert.equal(({} as { polluted?: number }).polluted, undefined)
  })

  it('is refused where it cannot be written, and nothing is allocated', () => {
    const heap = heapOf()
    const { blocks } = heap.stats()
    const circle: { [key: string]: SerializableValue } = {}
    ;(circle as { own: unknown }).own = circle
    for (const [value, code, text] of [
      [{ f() {} }, 'ERR_SABWAY_INVALID_TYPE', /object\.f must be a number, a text/],
      [{ at: { when: new Date() } }, 'ERR_SABWAY_INVALID_TYPE', /object\.at\.when must be/],
      [{ list: [1, Symbol('x')] }, 'ERR_SABWAY_INVALID_TYPE', /object\.list\[1\] must be/],
      [null, 'ERR_SABWAY_INVALID_TYPE', /object must be an object/],
      [circle, 'ERR_SABWAY_INVALID_ARGUMENT', /100 levels deep, or contains itself/],
      [
        {
          get own() {
            throw new Error('no')
          },
        },
        'ERR_SABWAY_INVALID_ARGUMENT',
        /reading object\.own threw/,
      ],
    ] as const)
      throwsError(() => serializeObjectToMemory(heap, value as never), code, text)
    assert.equal(heap.stats().blocks, blocks)
  })

  it('is refused where none is, whatever the bytes are', () => {
    const heap = heapOf()
    const other = heap.allocUI32(4)
    throwsError(
      () => createObjectFromMemory(other),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /was not written by serializeObject/,
    )
    throwsError(() => createObjectFromMemory({} as never), 'ERR_SABWAY_INVALID_TYPE', /AllocatedMemory/)
    throwsError(() => createObjectFromPointer(heap, 4096), 'ERR_SABWAY_WILD_POINTER', /4096/)
    const next = random(seed())
    const object = { a: [1, 2n, 'three', { four: null }], b: '\u3042\u3044', c: true }
    const memory = serializeObjectToMemory(heap, object)
    const bytes = new Uint8Array(heap.buffer, memory.pointer, heap.usableSize(memory.pointer))
    const good = bytes.slice()
    for (let round = times(20_000); round > 0; round--) {
      bytes.set(good)
      for (let changes = 1 + Math.floor(next() * 3); changes > 0; changes--)
        bytes[8 + Math.floor(next() * 60)] = Math.floor(next() * 256)
      try {
        createObjectFromMemory(new AllocatedMemory(heap, memory.pointer))
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_SABWAY_INVALID_ARGUMENT', String(error))
      }
    }
  })
})
