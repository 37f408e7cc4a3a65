// The heap of a region, used by one thread: what it gives, takes back and refuses.
import assert from 'node:assert/strict'
import {
  AllocatedMemory,
  createPointer,
  getPointer,
  type Heap,
  MemoryHeap,
  Mutex,
  Region,
  SharedMemoryChannel,
} from 'sabway'
import { random } from '../support/bytes.js'
import { keep } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { closeLater, ownChannel } from '../support/regions.js'

const MIB = 2 ** 20
const heap = (size = 8 * MIB): MemoryHeap => {
  const made = new MemoryHeap({ size })
  closeLater(made.region)
  return made
}

/** Do no two blocks overlap, and does each lie in the memory? */
function assertApart(heap: Heap, pointers: readonly number[]): void {
  const sorted = [...pointers].sort((a, b) => a - b)
  sorted.forEach((pointer, i) => {
    const end = pointer + heap.usableSize(pointer)
    assert.ok(end <= (sorted[i + 1] ?? heap.buffer.byteLength), `${pointer} ends at ${end}`)
  })
}

describe('a heap', () => {
  it('gives blocks of every size, which do not overlap, and takes them back', () => {
    const h = heap()
    const sizes = [1, 15, 16, 17, 63, 64, 100, 1000, 1024, 1025, 4096, 4097, 8192, 8193, 100_000, MIB]
    const pointers = sizes.map((bytes) => h.alloc(bytes))
    pointers.forEach((pointer, i) => {
      assert.equal(pointer % 16, 0)
      assert.ok(h.usableSize(pointer) >= sizes[i]!)
    })
    assertApart(h, pointers)
    h.check()
    assert.equal(h.stats().blocks, sizes.length)
    for (const pointer of pointers) h.free(pointer)
    h.check()
    assert.equal(h.stats().blocks, 0)
    assert.equal(h.currentUsed, 0)
  })

  it('aligns a block as it is asked to', () => {
    const h = heap()
    for (let align = 1; align <= 2 ** 16; align *= 2) {
      for (const bytes of [1, 200, 5000, 20_000])
        assert.equal(h.alloc(bytes, { align }) % align, 0, `${bytes} at ${align}`)
    }
    h.check()
  })

  it('keeps what is in a block that gets longer or shorter', () => {
    const h = heap()
    let pointer = h.alloc(10)
    const bytes = () => new Uint8Array(h.buffer, pointer, 10)
    for (let i = 0; i < 10; i++) bytes()[i] = i
    const other = h.alloc(10)
    for (const size of [100, 5000, 100_000, MIB, 50_000, 10]) {
      pointer = h.realloc(pointer, size)
      assert.ok(h.usableSize(pointer) >= size)
      assert.deepEqual([...bytes()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }
    h.free(pointer)
    h.free(other)
    h.check()
    assert.equal(h.stats().blocks, 0)
  })

  it('says what was asked for and what is left when it is full', () => {
    const h = heap(2 * MIB)
    throwsError(
      () => h.alloc(10 * MIB),
      'ERR_SABWAY_HEAP_FULL',
      /10485760 bytes were asked for; of \d+ bytes 0 are in use/,
    )
    const pointers: number[] = []
    const filling = () => {
      for (;;) pointers.push(h.alloc(1000))
    }
    throwsError(filling, 'ERR_SABWAY_HEAP_FULL', /1000 bytes were asked for; of \d+ bytes \d+ are in use/)
    assert.ok(pointers.length > 500, `${pointers.length} blocks`)
    h.free(pointers.pop()!)
    pointers.push(h.alloc(1000))
    for (const pointer of pointers) h.free(pointer)
    h.check()
    assert.equal(h.stats().blocks, 0)
    h.free(h.alloc(700_000)) // in one piece again
  })

  it('finds bad pointers, and what they would have destroyed is as it was', () => {
    const h = heap()
    const small = h.alloc(64)
    const large = h.alloc(50_000)
    for (const wild of [small + 16, large + 16, large + 8192, 16, h.buffer.byteLength - 16, 0xffff_fff0, 1]) {
      throwsError(
        () => h.free(wild),
        'ERR_SABWAY_WILD_POINTER',
        /a pointer is what an allocation of this heap returned/,
      )
      throwsError(() => h.usableSize(wild), 'ERR_SABWAY_WILD_POINTER', /\d/)
      throwsError(() => h.realloc(wild, 10), 'ERR_SABWAY_WILD_POINTER', /\d/)
    }
    h.check()
    for (const pointer of [small, large]) {
      h.free(pointer)
      assert.throws(
        () => h.free(pointer),
        ({ code }: { code: string }) => code === 'ERR_SABWAY_DOUBLE_FREE' || code === 'ERR_SABWAY_WILD_POINTER',
      )
    }
    h.check()
  })

  it('finds that a small block is freed twice', () => {
    const h = heap()
    const [first, second] = [h.alloc(64), h.alloc(64)]
    h.free(first)
    throwsError(() => h.free(first), 'ERR_SABWAY_DOUBLE_FREE', new RegExp(`${first}`))
    h.free(second)
  })

  it('walks its blocks, also when others are made and freed meanwhile', () => {
    const h = heap()
    const pointers = Array.from({ length: 300 }, (_, i) => h.alloc(10 + 100 * i))
    const walked = [...h.walk()]
    assert.deepEqual(walked.map(({ pointer }) => pointer).sort(), [...pointers].sort())
    for (const { pointer, bytes } of walked) assert.equal(bytes, h.usableSize(pointer))
    let steps = 0
    for (const { pointer } of h.walk()) {
      steps++
      h.stats() // uses the same scratch
      h.free(pointer)
    }
    assert.equal(steps, 300)
    assert.equal(h.stats().blocks, 0)
  })

  it('gives memory back to the system, and can use it again', () => {
    const h = heap(64 * MIB)
    const pointer = h.alloc(32 * MIB)
    new Uint8Array(h.buffer, pointer, 32 * MIB).fill(1)
    h.free(pointer)
    const taken = h.trim()
    assert.ok(taken === 0 || taken >= 32 * MIB, `${taken} bytes`) // 0: where this thread cannot
    const again = h.alloc(32 * MIB)
    new Uint8Array(h.buffer, again, 32 * MIB).fill(2)
    h.check()
  })

  it('tells what is in it', () => {
    const h = heap()
    const { total, free } = h.stats()
    assert.ok(total > 6 * MIB && total < 8 * MIB, `${total}`)
    assert.equal(free, total)
    const pointer = h.alloc(MIB)
    const { used, blocks, pages, highWater, owners, largest } = h.stats()
    assert.equal(used, h.usableSize(pointer))
    assert.equal(blocks, 1)
    assert.equal(pages, h.totalAllocated)
    assert.ok(pages >= MIB && highWater >= pages)
    assert.deepEqual(Object.values(owners), [used])
    assert.ok(largest <= total - MIB)
    h.free(pointer)
    assert.equal(h.currentUsed, 0)
    assert.equal(h.stats().highWater, highWater)
  })

  it('serves any mix of calls as a list of blocks would', () => {
    const h = heap(16 * MIB)
    const next = random(17)
    const blocks: { pointer: number; bytes: number; mark: number }[] = []
    const below = (most: number) => Math.floor(next() * most)
    const size = () => (next() < 0.9 ? 1 + below(600) : 1 + below(60_000))
    const fill = (block: { pointer: number; bytes: number; mark: number }) =>
      new Uint8Array(h.buffer, block.pointer, block.bytes).fill(block.mark)
    for (let step = 0; step < 20_000; step++) {
      const at = below(blocks.length)
      const choice = next()
      if (blocks.length < 10 || (choice < 0.45 && blocks.length < 500)) {
        const bytes = size()
        const block = { pointer: h.alloc(bytes), bytes, mark: step & 255 }
        fill(block)
        blocks.push(block)
      } else if (choice < 0.6) {
        const block = blocks[at]!
        const before = block.bytes
        block.bytes = size()
        const kept = Math.min(before, block.bytes)
        block.pointer = h.realloc(block.pointer, block.bytes)
        assert.ok(
          new Uint8Array(h.buffer, block.pointer, kept).every((byte) => byte === block.mark),
          `step ${step}`,
        )
        fill(block)
      } else {
        const { pointer, bytes, mark } = blocks.splice(at, 1)[0]!
        assert.ok(
          new Uint8Array(h.buffer, pointer, bytes).every((byte) => byte === mark),
          `step ${step}`,
        )
        h.free(pointer)
      }
    }
    h.check()
    assert.equal(h.stats().blocks, blocks.length)
    assertApart(
      h,
      blocks.map(({ pointer }) => pointer),
    )
  })

  it('is that of its region', () => {
    const region = Region.create({ size: 4 * MIB })
    closeLater(region)
    assert.equal(region.heap, region.heap)
    const pointer = region.heap.alloc(100)
    assert.equal(new MemoryHeap(region).usableSize(pointer), region.heap.usableSize(pointer))
    assert.equal(new MemoryHeap(region).region, region)
  })

  it('ends with its region', () => {
    const h = heap()
    const memory = h.allocUI32(4)
    h.region.close()
    for (const act of [() => h.alloc(1), () => memory.free(), () => h.stats(), () => h.check(), () => [...h.walk()]]) {
      throwsError(act, 'ERR_SABWAY_CLOSED', /the region of this heap was closed/)
    }
    assert.equal(memory.data[0], 0) // the memory itself stays as long as it can be reached
  })

  it('refuses what is no size, pointer or alignment', () => {
    const h = heap()
    for (const odd of [0, -1, 1.5, Number.NaN, 2 ** 32]) {
      throwsError(() => h.alloc(odd), 'ERR_SABWAY_OUT_OF_RANGE', /bytes must be an integer from 1 to 4294967295/)
    }
    throwsError(() => h.alloc('1' as never), 'ERR_SABWAY_INVALID_TYPE', /bytes must be a number, got '1'/)
    throwsError(() => h.free(-16), 'ERR_SABWAY_OUT_OF_RANGE', /pointer must be/)
    throwsError(() => h.alloc(1, { align: 3 }), 'ERR_SABWAY_INVALID_ARGUMENT', /a power of two, got 3/)
    throwsError(() => h.alloc(1, { align: 2 ** 31 }), 'ERR_SABWAY_OUT_OF_RANGE', /align must be/)
    throwsError(() => h.alloc(1, { aling: 8 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /did you mean 'align'/)
    throwsError(() => h.check({ sweep: 1 as never }), 'ERR_SABWAY_INVALID_TYPE', /sweep must be true or false/)
    throwsError(() => h.addOnGrowBufferHandlers(1 as never), 'ERR_SABWAY_INVALID_TYPE', /handler must be a function/)
  })

  it('is joined once by a thread, however it is used', () => {
    const { Instance } = WebAssembly
    let made = 0
    const h = heap()
    const memory = h.allocUI32(1)
    WebAssembly.Instance = class extends Instance {
      constructor(...args: ConstructorParameters<typeof Instance>) {
        super(...args)
        made++
      }
    }
    try {
      h.region.set('a', memory)
      assert.ok(h.region.has('a'))
      h.region.heap.free(h.region.heap.alloc(1))
      assert.equal(made, 0)
    } finally {
      WebAssembly.Instance = Instance
    }
  })

  it('has names of any characters', () => {
    const { region } = heap()
    for (const name of ['\u0001', 'line\nline', ' %41 ', '\u00e4\u20ac\u{1f600}']) {
      region.set(name, region.heap.allocUI8(1))
      assert.deepEqual(region.list(), [{ name, kind: 'memory' }])
      assert.ok(region.delete(name))
    }
  })

  it('refuses to do anything where its own words make no sense', () => {
    const h = heap()
    const pointer = h.alloc(64)
    const words = new Int32Array(h.buffer)
    const map = words.indexOf(h.alloc(64) & ~8191) // the handle's `begin`
    assert.ok(map > 0)
    const handle = words.slice(map, map + 8)
    words.fill(-4, map + 3, map + 6) // where its tables are: outside the memory
    for (const call of [() => h.free(pointer), () => h.alloc(64), () => h.usableSize(pointer)])
      throwsError(call, 'ERR_SABWAY_CORRUPT', /this thread's own part of the region was overwritten/)
    words.set(handle, map)
    h.free(pointer)
    h.check()
  })

  it('takes the calls of heaps that are several buffers', () => {
    const h = heap()
    h.addOnGrowBufferHandlers(() => assert.fail('there is no other buffer'))
    h.addSharedBuffer({ bufferPosition: 0, buffer: h.buffer })
    for (const data of [undefined, null, 1, 'a']) {
      throwsError(() => h.addSharedBuffer(data as never), 'ERR_SABWAY_INVALID_TYPE', /data must be an object/)
      throwsError(
        () => h.addOnGrowBufferHandlers(data as never),
        'ERR_SABWAY_INVALID_TYPE',
        /handler must be a function/,
      )
    }
  })

  it('has pointers beyond 2 GiB, which all that takes one takes', () => {
    const h = heap(2 ** 32)
    const { region } = h
    const large = h.alloc(2.5 * 2 ** 30)
    const memory = h.allocUI32(4)
    assert.ok(memory.pointer > 2 ** 31)
    memory.data[3] = 5
    region.set('far', memory)
    const found = region.get('far') as AllocatedMemory
    assert.equal(found.pointer, memory.pointer)
    assert.equal(found.data[3], 5)
    assert.ok([...h.walk()].some(({ pointer }) => pointer === memory.pointer))
    const again = h.realloc(memory.pointer, 5000)
    assert.equal(new Uint32Array(h.buffer, again, 4)[3], 5)
    h.free(again)
    const mutex = new Mutex(h)
    assert.ok(mutex.pointer > 2 ** 31)
    new Mutex(h, mutex.getSharedMemory()).tryLock()!.release()
    mutex.free()
    const channel = keep(new SharedMemoryChannel(4096, 4096, { region }))
    assert.ok(channel.handle.channel! > 2 ** 31)
    const native = keep(SharedMemoryChannel.attach(structuredClone(channel.handle), { side: 'native' }))
    channel.send(new Uint8Array([1, 2, 3]))
    assert.deepEqual([...native.tryReceive()!.message], [1, 2, 3])
    channel.cleanup()
    native.cleanup()
    h.free(large)
    h.check()
  })

  it('is not there in a region that was made for one channel', () => {
    const { memory } = ownChannel().handle
    const region = closeLater(Region.open({ sabway: 'region', memory }))
    throwsError(() => region.heap, 'ERR_SABWAY_UNSUPPORTED', /made for one channel.* make it with Region\.create/)
    throwsError(() => new MemoryHeap(region), 'ERR_SABWAY_UNSUPPORTED', /Region\.create/)
    throwsError(() => region.set('x', {}), 'ERR_SABWAY_INVALID_TYPE', /in the heap/)
    throwsError(() => region.get('x'), 'ERR_SABWAY_UNSUPPORTED', /Region\.create/)
  })
})

describe('a block of memory', () => {
  it('is zeroed, and seen as arrays of any type', () => {
    const h = heap()
    const dirty = h.allocUI8(64)
    dirty.data.fill(255)
    dirty.free()
    const memory = h.allocUI32(16)
    assert.deepEqual([...memory.data], new Array(16).fill(0))
    memory.getArray(Float32Array, 4, 2)[0] = 1.5
    assert.equal(memory.data[4], 0x3fc0_0000)
    assert.equal(memory.getArray(Uint8Array, 0, 64).length, 64)
    assert.equal(memory.getArray(Uint8Array, 60).length, 4)
    assert.equal(memory.getArray(Uint8Array, 64).length, 0)
    throwsError(() => memory.getArray(Float64Array, 4, 5), 'ERR_SABWAY_OUT_OF_RANGE', /length must be .* 0 to 4, got 5/)
    throwsError(() => memory.getArray(Array as never, 0, 1), 'ERR_SABWAY_INVALID_TYPE', /a class of typed arrays/)
  })

  it('has arrays of the type that was asked for', () => {
    const h = heap()
    const kinds = [
      [h.allocUI8(3), Uint8Array],
      [h.allocI8(3), Int8Array],
      [h.allocUI16(3), Uint16Array],
      [h.allocI16(3), Int16Array],
      [h.allocUI32(3), Uint32Array],
      [h.allocI32(3), Int32Array],
      [h.allocF32(3), Float32Array],
      [h.allocF64(3), Float64Array],
    ] as const
    for (const [memory, type] of kinds) {
      assert.ok(memory.data instanceof type)
      assert.equal(memory.data.length, 3)
      memory.data[2] = 7
      const again = new AllocatedMemory(h, memory.getSharedMemory(), type as never) as typeof memory
      assert.equal(again.data[2], 7)
      assert.ok(again.data.length >= 3)
      memory.free()
    }
    assert.equal(h.stats().blocks, 0)
  })

  it('is named by a pointer, or by its two parts', () => {
    const h = heap()
    const memory = h.allocUI32(2)
    memory.data[1] = 9
    const { bufferPosition, bufferByteOffset, pointer } = memory
    assert.deepEqual(memory.getSharedMemory(), { bufferPosition, bufferByteOffset })
    assert.deepEqual(getPointer(pointer), { bufferPosition, bufferByteOffset })
    assert.equal(createPointer(bufferPosition, bufferByteOffset), pointer)
    assert.equal(new AllocatedMemory(h, pointer).data[1], 9)
    assert.equal(h.getSharedAlloc(memory.getSharedMemory()).data[1], 9)
    assert.deepEqual(structuredClone(memory.getSharedMemory()), memory.getSharedMemory())
    assert.equal(JSON.stringify(memory), `{"pointer":${pointer},"bytes":8}`)
    for (const largest of [0xffff_ffff, 0x8000_0000]) {
      const parts = getPointer(largest)
      assert.equal(createPointer(parts.bufferPosition, parts.bufferByteOffset), largest)
    }
    throwsError(() => createPointer(4096, 0), 'ERR_SABWAY_OUT_OF_RANGE', /bufferPosition must be .* 0 to 4095/)
    throwsError(() => createPointer(0, 2 ** 20), 'ERR_SABWAY_OUT_OF_RANGE', /bufferByteOffset/)
    throwsError(() => getPointer(-1), 'ERR_SABWAY_OUT_OF_RANGE', /pointer/)
    throwsError(() => new AllocatedMemory(h, 12_345), 'ERR_SABWAY_WILD_POINTER', /12345/)
    throwsError(() => new AllocatedMemory(h, [] as never), 'ERR_SABWAY_INVALID_TYPE', /getSharedMemory\(\)/)
  })

  it('is found by a sweep when no name leads to it', () => {
    const h = heap()
    const named = h.allocUI32(4)
    h.region.set('kept', named)
    for (let i = 0; i < 100; i++) h.region.set(`n${i}`, h.allocUI8(20))
    assert.deepEqual(h.check({ sweep: true }), [])
    const lost = h.alloc(3000)
    assert.deepEqual(h.check({ sweep: true }), [{ pointer: lost, bytes: h.usableSize(lost) }])
    assert.deepEqual(h.check(), [])
    h.free(lost)
    for (let i = 0; i < 100; i++) h.region.delete(`n${i}`)
    assert.equal(h.check({ sweep: true }).length, 100)
  })
})
