// Strings of a heap, used by one thread: every text comes back, and what is refused.
import assert from 'node:assert/strict'
import { MemoryHeap, SharedList, SharedString } from 'sabway'
import { integers } from '../support/bytes.js'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20
const heap = (size = 16 * MIB): MemoryHeap => {
  const made = new MemoryHeap({ size })
  closeLater(made.region)
  return made
}

/** A text of those units: of ASCII, of two bytes, of any, of surrogates in any order. */
function randomText(next: () => number, length: number): string {
  const kinds = [
    () => next() % 0x80,
    () => 0x80 + (next() % 0x780),
    () => next() % 0x10000,
    () => 0xd800 + (next() % 0x800),
  ]
  const kind = kinds[next() % kinds.length]!
  const units = Array.from({ length }, () => (next() % 8 === 0 ? kinds[next() % kinds.length]! : kind)())
  let text = ''
  for (let i = 0; i < units.length; i += 1000) text += String.fromCharCode(...units.slice(i, i + 1000))
  return text
}

describe('a shared string', () => {
  it('gives every text back as it was', () => {
    const h = heap()
    const [writer, next] = [new SharedString(h), integers(3)]
    const reader = new SharedString(h, writer.getSharedMemory())
    assert.equal(reader.value, '')
    for (let i = 0; i < 20_000; i++) {
      const text = randomText(next, i % 500 === 0 ? next() % 20_000 : next() % 300)
      writer.value = text
      assert.equal(reader.value, text)
      assert.equal(writer.value, text)
    }
    const edges = [
      '\0',
      '\ud83d',
      '\ude00',
      '\ude00\ud83d',
      '😀',
      'a\ud83d',
      '\ud83d\ud83d\ude00',
      '\ufeffx',
      '\uffff',
      '',
    ]
    for (const text of edges) {
      writer.value = text
      assert.equal(reader.value, text)
    }
    writer.free()
    assert.equal(h.check({ sweep: true }).length, 0)
  })

  for (const letter of ['x', 'é', '😀', '\udead']) {
    it(`has room for 16 MiB of ${JSON.stringify(letter)}`, () => {
      const h = heap(256 * MIB)
      const text = letter.repeat((16 * MIB) / letter.length)
      const string = new SharedString(h, text)
      assert.ok(new SharedString(h, string.pointer).value === text)
      string.value = 'short'
      assert.ok(h.currentUsed < MIB)
    })
  }

  it('gives the same text without reading it again until it is replaced', () => {
    const h = heap()
    const string = new SharedString(h, 'first')
    const other = new SharedString(h, string.getSharedMemory())
    assert.equal(other.value, 'first')
    string.value = 'second'
    assert.equal(other.value, 'second')
    string.value = 'second'
    assert.equal(other.value, 'second')
  })

  it('is replaced by compareAndSet when it is what was expected', () => {
    const string = new SharedString(heap(), 'a')
    assert.equal(string.compareAndSet('b', 'c'), false)
    assert.equal(string.value, 'a')
    assert.equal(string.compareAndSet('a', 'x'.repeat(5000)), true)
    assert.equal(string.compareAndSet('x'.repeat(5000), ''), true)
    assert.equal(string.compareAndSet('', '\ud800'), true)
    assert.equal(string.value, '\ud800')
  })

  it('is updated by a function, which is called again when another was first', () => {
    const h = heap()
    const string = new SharedString(h, '1')
    const other = new SharedString(h, string.getSharedMemory())
    let calls = 0
    const text = string.update((before) => {
      if (calls++ === 0) other.value = '10'
      return `${Number(before) + 1}`
    })
    assert.equal(text, '11')
    assert.equal(string.value, '11')
    assert.equal(calls, 2)
    assert.throws(
      () =>
        string.update(() => {
          throw new TypeError('own')
        }),
      TypeError,
    )
    assert.equal(other.value, '11')
  })

  it('leaves nothing in the heap, and is refused, once it was freed', () => {
    const h = heap()
    const string = new SharedString(h, 'text')
    const other = new SharedString(h, string.getSharedMemory())
    assert.equal(other.value, 'text')
    const used = h.stats().blocks
    string.free()
    assert.equal(h.stats().blocks, used - 1)
    for (const again of [false, true]) {
      for (const each of [string, other]) {
        throwsError(() => each.value, 'ERR_SABWAY_FREED', /string/)
        throwsError(() => (each.value = 'x'), 'ERR_SABWAY_FREED', /string/)
        throwsError(() => (each.value = 'x'.repeat(1000)), 'ERR_SABWAY_FREED', /string/)
        throwsError(() => each.compareAndSet('text', 'x'), 'ERR_SABWAY_FREED', /string/)
        throwsError(() => each.free(), 'ERR_SABWAY_FREED', /string/)
      }
      throwsError(() => new SharedString(h, string.getSharedMemory()), 'ERR_SABWAY_FREED', /string/)
      if (!again) assert.equal(new SharedString(h, 'next').pointer, string.pointer)
    }
    assert.equal(new SharedString(h, string.pointer).value, 'next')
    assert.equal(h.check({ sweep: true }).length, 0)
  })

  it('is freed by `using` where it was made', () => {
    const h = heap()
    const string = new SharedString(h, 'text')
    new SharedString(h, string.getSharedMemory())[Symbol.dispose]()
    assert.equal(string.value, 'text')
    string[Symbol.dispose]()
    throwsError(() => string.value, 'ERR_SABWAY_FREED', /string/)
    string[Symbol.dispose]()
  })

  it('has a name in the directory', () => {
    const h = heap()
    h.region.set('greeting', new SharedString(h.region, 'hello'))
    const found = h.region.get('greeting')
    assert.ok(found instanceof SharedString)
    assert.equal(`${found}`, 'hello')
    assert.equal(h.region.list().find(({ name }) => name === 'greeting')?.kind, 'string')
  })

  it('is told from other containers, and from blocks', () => {
    const h = heap()
    throwsError(() => new SharedString(h, new SharedList(h).pointer), 'ERR_SABWAY_OTHER_KIND', /list/)
    throwsError(() => new SharedString(h, 5 as never), 'ERR_SABWAY_WILD_POINTER', /5/)
    throwsError(() => new SharedString(h, null as never), 'ERR_SABWAY_INVALID_TYPE', /value must be a string/)
    const string = new SharedString(h)
    throwsError(() => (string.value = 5 as never), 'ERR_SABWAY_INVALID_TYPE', /value must be a string, got 5/)
    throwsError(() => string.compareAndSet(5 as never, ''), 'ERR_SABWAY_INVALID_TYPE', /expected must be a string/)
    throwsError(() => string.update(() => 5 as never), 'ERR_SABWAY_INVALID_TYPE', /what change returns must be/)
  })

  it('stays as it is when the heap is full', () => {
    const string = new SharedString(heap(4 * MIB), 'text')
    throwsError(() => (string.value = 'x'.repeat(8 * MIB)), 'ERR_SABWAY_HEAP_FULL', /8388608 bytes were asked for/)
    assert.equal(string.value, 'text')
  })

  it('is refused when its region was closed', () => {
    const h = heap()
    const string = new SharedString(h, 'text')
    assert.equal(string.value, 'text')
    h.region.close()
    throwsError(() => string.value, 'ERR_SABWAY_CLOSED', /closed/)
    throwsError(() => (string.value = ''), 'ERR_SABWAY_CLOSED', /closed/)
  })
})
