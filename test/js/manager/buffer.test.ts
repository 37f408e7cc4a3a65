// A buffer with a header and a checksum: what is written is read, and every flipped bit shows.
import assert from 'node:assert/strict'
import { crc32c, MemoryHeap, SharedMemoryBuffer } from 'sabway'
import { integers } from '../support/bytes.js'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'

const HEADER = 32
const bytesOf = (buffer: SharedMemoryBuffer): Uint8Array =>
  buffer.memory instanceof SharedArrayBuffer ? new Uint8Array(buffer.memory) : (buffer.memory as Uint8Array)

/** The checksum as the addon sums it, over the whole memory. */
function checksumOf(buffer: SharedMemoryBuffer): number {
  const whole = bytesOf(buffer).slice(0, HEADER + buffer.getSize())
  new Uint32Array(whole.buffer, 0, 8)[4] = 0
  return crc32c(whole)
}

describe('a SharedMemoryBuffer', () => {
  it('has a header, which is as the program says', () => {
    const plain = new SharedMemoryBuffer(1024)
    assert.deepEqual(plain.getHeader(), {
      magic: 0x46554253,
      version: 1,
      size: 1024,
      flags: 0,
      checksum: checksumOf(plain),
    })
    assert.ok(plain.validateHeader())
    const own = new SharedMemoryBuffer(10, { magic: 0xdeadbeef, version: 7, flags: 0xffff_ffff, size: 10 })
    assert.equal(own.getHeader().magic, 0xdeadbeef)
    assert.equal(own.getHeader().flags, 0xffff_ffff)
    assert.ok(own.validateHeader())
    own.setHeader({ version: 8, flags: 5 })
    assert.deepEqual(
      { ...own.getHeader(), checksum: 0 },
      { magic: 0xdeadbeef, version: 8, size: 10, flags: 5, checksum: 0 },
    )
    assert.equal(own.getHeader().checksum, checksumOf(own))
    assert.ok(own.validateHeader())
    own.setHeader({ checksum: own.getHeader().checksum ^ 1 })
    assert.equal(own.validateHeader(), false)
    assert.equal(new SharedMemoryBuffer(10, { checksum: 3 }).getHeader().checksum, 3)
  })

  it('gives back what was written, and its checksum is that of the whole', () => {
    const next = integers(5)
    for (const size of [1, 3, 4, 100, 70_000, 200_001]) {
      const buffer = new SharedMemoryBuffer(size)
      const like = new Uint8Array(size)
      let used = 0
      for (let turn = 0; turn < 60; turn++) {
        const offset = next() % (size + 1)
        const length = next() % (Math.min(size - offset, turn % 10 === 0 ? size : 300) + 1)
        if (next() % 4 !== 0) {
          const data = Uint8Array.from({ length }, () => next())
          assert.equal(buffer.write(data, offset), length)
          like.set(data, offset)
          if (length > 0) used = Math.max(used, offset + length)
        } else {
          buffer.clear(offset, length)
          like.fill(0, offset, offset + length)
          if (offset < used && offset + length >= used) used = offset
        }
        assert.equal(buffer.getHeader().checksum, checksumOf(buffer))
        assert.equal(buffer.getAvailableSpace(), size - used)
        assert.equal(buffer.isEmpty(), used === 0)
        assert.equal(buffer.isFull(), used === size)
      }
      assert.equal(Buffer.compare(buffer.read(0, size), like), 0)
      assert.ok(buffer.validateHeader())
      buffer.clear(0, size)
      assert.ok(buffer.isEmpty() && buffer.validateHeader())
      assert.equal(buffer.getSize(), size)
    }
  })

  it('shows every flipped bit of header and data', () => {
    const buffer = new SharedMemoryBuffer(100, { flags: 9 })
    buffer.write(new Uint8Array([1, 2, 3, 250]), 40)
    const bytes = bytesOf(buffer)
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(buffer.validateHeader(), false, `bit ${bit}`)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
    }
    assert.ok(buffer.validateHeader())
  })

  it('shows a write that was broken off', () => {
    const buffer = new SharedMemoryBuffer(50)
    buffer.write(new Uint8Array(50).fill(3), 0)
    bytesOf(buffer).set([1, 2, 3], HEADER + 7)
    assert.equal(buffer.validateHeader(), false)
  })

  it('refuses what is beyond its bounds, and is as it was', () => {
    const buffer = new SharedMemoryBuffer(16)
    const before = buffer.getHeader()
    throwsError(() => buffer.write(new Uint8Array(17), 0), 'ERR_SABWAY_OUT_OF_RANGE', /17 bytes from byte 0/)
    throwsError(() => buffer.write(new Uint8Array(1), 16), 'ERR_SABWAY_OUT_OF_RANGE', /more than the 0/)
    throwsError(() => buffer.write(new Uint8Array(1), -1), 'ERR_SABWAY_OUT_OF_RANGE', /offset/)
    throwsError(() => buffer.write([1] as never, 0), 'ERR_SABWAY_INVALID_TYPE', /Uint8Array/)
    throwsError(() => buffer.read(10, 7), 'ERR_SABWAY_OUT_OF_RANGE', /7 bytes from byte 10/)
    throwsError(() => buffer.read(1.5, 1), 'ERR_SABWAY_OUT_OF_RANGE', /offset/)
    throwsError(() => buffer.clear(0, 17), 'ERR_SABWAY_OUT_OF_RANGE', /17 bytes/)
    throwsError(() => buffer.setHeader({ size: 8 }), 'ERR_SABWAY_INVALID_ARGUMENT', /size is 16/)
    throwsError(() => buffer.setHeader({ magic: 8 }), 'ERR_SABWAY_INVALID_ARGUMENT', /magic is 0x46554253/)
    throwsError(() => buffer.setHeader({ flags: -1 }), 'ERR_SABWAY_OUT_OF_RANGE', /flags/)
    throwsError(() => buffer.setHeader({ flag: 1 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /'flags'\?/)
    throwsError(() => new SharedMemoryBuffer(0), 'ERR_SABWAY_OUT_OF_RANGE', /size/)
    throwsError(() => new SharedMemoryBuffer(8, { size: 9 }), 'ERR_SABWAY_INVALID_ARGUMENT', /size is 8/)
    assert.equal(buffer.write(new Uint8Array(0), 16), 0)
    assert.deepEqual(buffer.getHeader(), before)
  })

  it('is opened in the memory of another, or made in memory that is there', () => {
    const heap = new MemoryHeap({ size: 2 ** 24 })
    closeLater(heap.region)
    const block = heap.allocUI8(1000)
    block.data.fill(7)
    const made = SharedMemoryBuffer.over(block.data, { version: 3 })
    assert.equal(made.getSize(), 1000 - HEADER)
    assert.deepEqual([...made.read(0, 3)], [0, 0, 0])
    made.write(new Uint8Array([5, 6]), 0)
    const seen = SharedMemoryBuffer.open(heap.getSharedAlloc(block.getSharedMemory()).data)
    assert.deepEqual([...seen.read(0, 3)], [5, 6, 0])
    assert.ok(seen.validateHeader())
    seen.write(new Uint8Array([9]), 100)
    assert.ok(made.validateHeader())
    assert.equal(SharedMemoryBuffer.open(block.data, { version: 3 }).getSize(), 968)
    throwsError(
      () => SharedMemoryBuffer.open(block.data, { version: 4 }),
      'ERR_SABWAY_LAYOUT_MISMATCH',
      /version is 3, not 4/,
    )
    throwsError(
      () => SharedMemoryBuffer.open(block.data, { magic: 4 }),
      'ERR_SABWAY_INVALID_ARGUMENT',
      /magic is 0x46554253/,
    )
    throwsError(() => SharedMemoryBuffer.open(new SharedArrayBuffer(64)), 'ERR_SABWAY_INVALID_ARGUMENT', /magic is 0x0/)
    throwsError(() => SharedMemoryBuffer.over(new SharedArrayBuffer(32)), 'ERR_SABWAY_OUT_OF_RANGE', /more than 32/)
    throwsError(() => SharedMemoryBuffer.over(block.data.subarray(1)), 'ERR_SABWAY_OUT_OF_RANGE', /multiple of 4/)
    throwsError(() => SharedMemoryBuffer.open({} as never), 'ERR_SABWAY_INVALID_TYPE', /SharedArrayBuffer/)
  })

  it('keeps its checksum while threads write to different bytes', async () => {
    const buffer = new SharedMemoryBuffer(4000)
    const threads = [0, 1, 2, 3].map((number) => new Thread('pools', { does: 'write', memory: buffer.memory, number }))
    for (const thread of threads) {
      await thread.next()
      assert.equal(await thread.ended(), 0)
    }
    assert.ok(buffer.validateHeader())
    assert.equal(buffer.getHeader().checksum, checksumOf(buffer))
    for (let number = 0; number < 4; number++)
      assert.deepEqual(buffer.read(1000 * number, 1000), new Uint8Array(1000).fill(number + 1))
    assert.ok(buffer.isFull())
  })
})
