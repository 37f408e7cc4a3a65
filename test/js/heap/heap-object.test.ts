// What all containers of a heap share: how they are found, freed and forgotten.
import assert from 'node:assert/strict'
import {
  type Forgotten,
  type HeapBlock,
  MemoryHeap,
  type Region,
  SharedList,
  SharedMap,
  SharedString,
  SharedVector,
  warnForgotten,
} from 'sabway'
import { throwsError } from '../support/errors.js'
import { collectUntil } from '../support/gc.js'

const SIZE = 2 ** 22

const KINDS = {
  map: (home: MemoryHeap | Region) => new SharedMap(home),
  vector: (home: MemoryHeap | Region) => new SharedVector(home),
  list: (home: MemoryHeap | Region) => new SharedList(home),
  string: (home: MemoryHeap | Region) => new SharedString(home),
}

describe('a container', () => {
  for (const [kind, make] of Object.entries(KINDS)) {
    it(`is made in a heap or in its region, and found again: a ${kind}`, () => {
      const heap = new MemoryHeap({ size: SIZE })
      for (const home of [heap, heap.region]) {
        const made = make(home)
        const again = Reflect.construct(made.constructor, [home, structuredClone(made.getSharedMemory())])
        assert.equal(again.pointer, made.pointer)
        assert.equal(Reflect.construct(made.constructor, [home, made.pointer]).pointer, made.pointer)
        made.free()
        throwsError(() => made.free(), 'ERR_SABWAY_FREED', new RegExp(`${kind} at ${made.pointer}`))
        throwsError(
          () => Reflect.construct(made.constructor, [home, again.getSharedMemory()]),
          'ERR_SABWAY_FREED',
          /at \d+/,
        )
      }
    })

    it(`has a name of its own kind, which goes with it: a ${kind}`, () => {
      const { region } = new MemoryHeap({ size: SIZE })
      const made = region.getOrMake('x', () => make(region)) as ReturnType<typeof make>
      assert.deepEqual(region.list(), [{ name: 'x', kind }])
      const found = region.get('x') as ReturnType<typeof make>
      assert.equal(found.constructor, made.constructor)
      assert.equal(found.pointer, made.pointer)
      found.free()
      assert.equal(region.get('x'), undefined)
      const next = make(region)
      assert.equal(next.pointer, made.pointer, 'the control block is used again')
      assert.equal(region.has('x'), false)
      throwsError(() => region.set('x', made), 'ERR_SABWAY_FREED', /name/)
    })

    it(`leaves nothing that grows: a ${kind}`, async () => {
      const heap = new MemoryHeap({ size: SIZE })
      const burst = () => {
        for (let i = 0; i < 1000; i++) make(heap).free()
        return heap.stats().blocks
      }
      let most = 0
      // this thread's handles of maps are used again when the maps are collected
      await collectUntil(() => {
        const before = most
        most = Math.max(most, burst())
        return most === before
      }, 'no more blocks')
      assert.deepEqual(heap.check({ sweep: true }), [] as HeapBlock[])
    })
  }

  it('is freed by `using` where it was made, and not where it was opened', () => {
    const heap = new MemoryHeap({ size: SIZE })
    const made = new SharedMap(heap)
    new SharedMap(heap, made.getSharedMemory())[Symbol.dispose]()
    made.set('a', 1)
    made[Symbol.dispose]()
    throwsError(() => made.get('a'), 'ERR_SABWAY_FREED', /map/)
    made[Symbol.dispose]()
  })

  it('is not taken for one of another class, nor what is none', () => {
    const heap = new MemoryHeap({ size: SIZE })
    const map = new SharedMap(heap)
    throwsError(() => new SharedList(heap, map.getSharedMemory()), 'ERR_SABWAY_OTHER_KIND', /is a map, not a list/)
    for (const pointer of [0, 8, 64, map.pointer + 64, SIZE - 16, SIZE, 2 ** 32 - 16])
      throwsError(() => new SharedList(heap, pointer), 'ERR_SABWAY_WILD_POINTER', new RegExp(String(pointer)))
    throwsError(() => new SharedList({} as never), 'ERR_SABWAY_INVALID_TYPE', /region\.heap/)
    throwsError(
      () => new SharedList(heap, { bufferPosition: -1 } as never),
      'ERR_SABWAY_OUT_OF_RANGE',
      /bufferPosition/,
    )
  })

  it('is told of when it was forgotten, where that is asked for', async () => {
    const heap = new MemoryHeap({ size: SIZE })
    const told: Forgotten[] = []
    const pointers = (): number[] => {
      new SharedMap(heap).free()
      const opened = new SharedList(heap)
      const made = [new SharedString(heap).pointer, opened.pointer]
      void new SharedList(heap, opened.getSharedMemory())
      return made
    }
    pointers() // not asked for yet
    warnForgotten((forgotten) => told.push(forgotten))
    try {
      const forgotten = pointers()
      await collectUntil(() => told.length >= 2, 'both are collected')
      assert.deepEqual(
        [...told].sort((a, b) => a.name.localeCompare(b.name)),
        [
          { name: 'list', pointer: forgotten[1] },
          { name: 'string', pointer: forgotten[0] },
        ],
      )
    } finally {
      warnForgotten(false)
    }
    throwsError(() => warnForgotten('yes' as never), 'ERR_SABWAY_INVALID_TYPE', /handler/)
  })
})
