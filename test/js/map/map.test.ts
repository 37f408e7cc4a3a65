// A map in a heap, used by one thread: what it gives, takes and refuses.
import assert from 'node:assert/strict'
import { ConcurrentHashMap, type ErrorCode, type MapKey, MemoryHeap, SharedMap, type SharedMapOptions } from 'sabway'
import { random } from '../support/bytes.js'
import { throwsError } from '../support/errors.js'
import { closeLater } from '../support/regions.js'

const MIB = 2 ** 20

/** With words behind the code's sentence, whichever they are unless the test says so. */
const refuses = (act: () => unknown, code: ErrorCode, words = /: ./): void => throwsError(act, code, words)

function heap(size = 64 * MIB): MemoryHeap {
  const made = new MemoryHeap({ size })
  closeLater(made.region)
  return made
}

const map = <K extends MapKey = MapKey, V = unknown>(options?: SharedMapOptions, size?: number): SharedMap<K, V> =>
  new SharedMap<K, V>(heap(size), options)

/** Of each kind, also the ones that look alike. */
const KEYS: readonly MapKey[] = [
  ...[
    '',
    'a',
    'A',
    '1',
    'ü',
    'ue',
    '日本語',
    '\ud800',
    '\udfff!',
    '😀',
    'x'.repeat(127),
    'x'.repeat(128),
    'y'.repeat(100_000),
  ],
  ...[0, 1, -1, 0.1, 2 ** 53, -(2 ** 31), Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE],
  ...[0n, 1n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 200n, -(2n ** 1000n)],
  ...[[], [1], [1, 0], [0, 1], Array.from({ length: 5000 }, (_, i) => i & 255)].map((list) => new Uint8Array(list)),
]

const VALUES: readonly unknown[] = [
  ...[0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, 1n, -(2n ** 63n), 2n ** 64n, -(2n ** 500n) + 7n],
  ...[true, false, null, '', 'text', '\ud800x', '\u0000', 'é'.repeat(5000), 'z'.repeat(300_000)],
  ...[new Uint8Array(), new Uint8Array([1, 2, 3]), new Uint8Array(100_000).fill(9)],
]

describe('a map', () => {
  it('has keys of all kinds, each for itself', () => {
    const m = map()
    for (const [i, key] of KEYS.entries()) m.set(key, i)
    for (const [i, key] of KEYS.entries()) assert.equal(m.get(key), i, `key ${i}`)
    assert.equal(m.size, KEYS.length)
    assert.equal(m.length, KEYS.length)
    const keys = [...m.keys()]
    for (const key of KEYS) assert.ok(keys.some((each) => same(each, key)))
    for (const key of KEYS) assert.ok(m.has(key) && m.delete(key) && !m.has(key) && !m.delete(key))
    assert.equal(m.size, 0)
    m.check()
  })

  it('takes the numbers for one key that a Map takes for one', () => {
    const m = map()
    m.set(-0, 'zero')
    assert.equal(m.get(0), 'zero')
    assert.ok(Object.is([...m.keys()][0], 0))
    assert.equal(m.get('0'), undefined)
    assert.equal(m.get(0n), undefined)
  })

  it('gives values back as they were', () => {
    for (const key of [1, 'key']) {
      const m = map()
      for (const value of VALUES) {
        m.set(key, value)
        assert.deepStrictEqual(m.get(key), value)
        assert.deepStrictEqual([...m.values()], [value])
        assert.ok(m.compareAndSet(key, value, 'other'))
        assert.equal(m.get(key), 'other')
      }
    }
  })

  it('has values of a codec, also for those that open it', () => {
    const value = { list: [1, 'two', { three: 3n }], date: new Date(5), map: new Map([[1, 2]]) }
    for (const codec of ['structured', 'msgpack'] as const) {
      const m = map<string, object>({ codec })
      m.set('a', value)
      assert.deepStrictEqual(m.get('a'), value)
      assert.deepStrictEqual(new SharedMap(m.heap, m.getSharedMemory()).get('a'), value)
      m.set('text', 'as it is' as never)
      assert.equal(m.get('text'), 'as it is')
      refuses(() => m.set('b', undefined as never), 'ERR_SABWAY_INVALID_TYPE')
      refuses(
        () =>
          new SharedMap(m.heap, m.getSharedMemory(), {
            codec: { name: 'x', encode: () => new Uint8Array(), decode: () => 1 as never },
          }),
        'ERR_SABWAY_INVALID_ARGUMENT',
      )
    }
    const own = {
      name: 'points',
      encode: ({ x, y }: { x: number; y: number }) => new Uint8Array([x, y]),
      decode: ([x, y]: Uint8Array) => ({ x, y }),
    }
    const m = map<string, { x: number; y: number }>({ codec: own as never })
    m.set('p', { x: 1, y: 2 })
    assert.deepEqual(m.get('p'), { x: 1, y: 2 })
    const other = new SharedMap(m.heap, m.getSharedMemory())
    refuses(() => other.get('p'), 'ERR_SABWAY_NOT_DECODABLE')
    assert.deepEqual(new SharedMap(m.heap, m.getSharedMemory(), { codec: own as never }).get('p'), { x: 1, y: 2 })
  })

  it('does a million random operations as a Map does', () => {
    const h = heap(256 * MIB)
    const m = new SharedMap<MapKey, unknown>(h)
    const expected = new Map<MapKey, unknown>()
    const next = random(12)
    const below = (n: number) => Math.floor(next() * n)
    const KINDS: ((i: number) => MapKey)[] = [(i) => i, (i) => `key ${i}`, (i) => BigInt(i), (i) => i / 7]
    for (let i = 0; i < 1_000_000; i++) {
      // of few keys for a while, then of many: it fills and empties
      const key = KINDS[below(4)]!(below(i % 200_000 < 100_000 ? 50 : 20_000))
      const what = below(8)
      if (what < 3) {
        const value = what === 0 ? `value ${i}` : i
        m.set(key, value)
        expected.set(key, value)
      } else if (what < 5) {
        assert.equal(m.delete(key), expected.delete(key))
      } else if (what === 5) {
        assert.equal(m.has(key), expected.has(key))
      } else if (what === 6) {
        const change = (value: unknown) => (value === undefined ? i : undefined)
        m.update(key, change)
        if (expected.has(key)) expected.delete(key)
        else expected.set(key, i)
      } else {
        assert.equal(m.get(key), expected.get(key))
      }
    }
    assert.equal(m.size, expected.size)
    assert.deepEqual(new Map(m), expected)
    m.check()
    h.region.set('map', m)
    assert.deepEqual(h.check({ sweep: true }), [])
    m.free()
    // what is left are control blocks, and this thread's handles
    assert.ok(h.stats().blocks < 10)
  })

  it('changes a value by what it was', () => {
    const m = map<string, number>()
    assert.equal(
      m.update('a', (value) => (value ?? 10) + 1),
      11,
    )
    assert.equal(
      m.update('a', (value) => value! + 1),
      12,
    )
    assert.equal(
      m.update('none', () => undefined),
      undefined,
    )
    assert.equal(
      m.update('a', () => undefined),
      undefined,
    )
    assert.ok(!m.has('a') && !m.has('none'))
    // a change that uses the map itself, and one that finds it changed
    m.set('a', 1)
    let calls = 0
    const value = m.update('a', (old) => {
      if (calls++ === 0) m.set('a', 100)
      m.set('b'.repeat(300), 5)
      return old! + 1
    })
    assert.deepEqual([value, calls, m.get('a')], [101, 2, 101])
    refuses(() => m.update('a', 5 as never), 'ERR_SABWAY_INVALID_TYPE')
    assert.throws(
      () =>
        m.update('a', () => {
          throw new RangeError('of the program')
        }),
      RangeError,
    )
    assert.equal(m.get('a'), 101)
  })

  it('sets where the value is the expected one', () => {
    const m = map<string, unknown>()
    assert.ok(!m.compareAndSet('a', 1, 2))
    assert.ok(m.compareAndSet('a', undefined, 1))
    assert.ok(!m.compareAndSet('a', undefined, 2))
    assert.ok(!m.compareAndSet('a', '1', 2) && !m.compareAndSet('a', 1n, 2))
    assert.ok(m.compareAndSet('a', 1, 'text'))
    assert.ok(m.compareAndSet('a', 'text', undefined))
    assert.ok(!m.has('a') && m.compareAndSet('a', undefined, undefined))
    m.set('a', { length: 1 }.length)
    assert.equal(m.getOrInsert('a', 5), 1)
    assert.equal(m.getOrInsert('b', 5), 5)
    assert.equal(
      m.getOrInsertComputed('c', (key) => `${key}!`),
      'c!',
    )
    assert.equal(m.putIfAbsent('c', 1), 'c!')
    assert.equal(m.putIfAbsent('d', 1), undefined)
    assert.ok(m.replace('d', 2) && !m.replace('e', 2) && !m.has('e'))
    assert.equal(
      m.computeIfAbsent('f', () => 6),
      6,
    )
  })

  it('adds to numbers of 32 bits, doubles and integers of 64 bits', () => {
    const u32 = map<string | number, number>({ numeric: 'u32' })
    assert.deepEqual([u32.add('a'), u32.add('a', 5), u32.add('a', -7), u32.add(1, 2 ** 32 + 3)], [1, 6, 2 ** 32 - 1, 3])
    refuses(() => u32.set('a', -1), 'ERR_SABWAY_OUT_OF_RANGE')
    refuses(() => u32.add('a', 0.5), 'ERR_SABWAY_OUT_OF_RANGE')
    const f64 = map<string | number, number>({ numeric: 'f64' })
    assert.deepEqual([f64.add('a', 0.25), f64.add(7, 1), f64.add(7)], [0.25, 1, 2])
    assert.ok(Number.isNaN(f64.add('a', Number.NaN)) && Number.isNaN(f64.get('a')))
    refuses(() => f64.set('a', 'text' as never), 'ERR_SABWAY_INVALID_TYPE')
    const i64 = map<string | number, bigint>({ numeric: 'i64' })
    assert.deepEqual(
      [i64.add('a'), i64.add('a', 2n ** 63n - 1n), i64.get('a'), i64.add(3, -4n)],
      [1n, -(2n ** 63n), -(2n ** 63n), -4n],
    )
    refuses(() => i64.set('a', 2n ** 63n), 'ERR_SABWAY_OUT_OF_RANGE')
    refuses(() => i64.add('a', 1 as never), 'ERR_SABWAY_INVALID_TYPE')
    refuses(() => map().add('a', 1), 'ERR_SABWAY_INVALID_STATE')
  })

  it('allocates nothing for a change of a number', () => {
    const m = map<number, number>({ numeric: 'f64' })
    const h = m.heap as MemoryHeap
    for (let i = 0; i < 1000; i++) m.set(i, i)
    for (let i = 0; i < 1000; i++) m.add(i)
    const { blocks } = h.stats()
    for (let i = 0; i < 10_000; i++) {
      m.add(i % 1000)
      if (i % 100 === 0) assert.equal(h.stats().blocks, blocks)
    }
  })

  it('walks over entries while it is changed', () => {
    const m = map<number, number>()
    for (let i = 0; i < 2000; i++) m.set(i, i)
    const seen = new Set<number>()
    for (const [key, value] of m) {
      assert.ok(!seen.has(key), `${key} twice`)
      seen.add(key)
      assert.ok(value === key || value === -1)
      if (key % 2 === 0) m.delete(key + 1)
      if (key % 10 === 0) m.set(key + 2, -1)
      if (m.size < 5000) m.set(10_000 + key, 10_000 + key)
    }
    for (let i = 0; i < 2000; i += 2) assert.ok(seen.has(i), `${i} was left out`)
    // what this object has deleted does not come any more
    m.clear()
    for (let i = 0; i < 100; i++) m.set(i, i)
    let count = 0
    for (const [key] of m) {
      count++
      for (let i = 0; i < 100; i++) if (i !== key) m.delete(i)
    }
    assert.equal(count, 1)
    const got: unknown[] = []
    m.forEach(function (this: unknown, value, key, whole) {
      got.push(this, value, whole === m, key)
    }, 'self')
    assert.equal(got.length, 4)
    assert.deepEqual(got.slice(0, 1).concat(got.slice(2, 3)), ['self', true])
  })

  it('gives and takes several', () => {
    const m = map<string, number>()
    m.setAll([
      ['a', 1],
      ['b', 2],
    ]).setAll(new Map([['c', 3]]))
    assert.deepEqual(m.getAll(['a', 'x', 'c']), [1, undefined, 3])
    assert.deepEqual(m.getAll(new Set(['b'])), [2])
    refuses(() => m.setAll([1] as never), 'ERR_SABWAY_INVALID_TYPE')
    refuses(() => m.getAll(5 as never), 'ERR_SABWAY_INVALID_TYPE')
    m.clear()
    assert.deepEqual([...m], [])
  })

  it('keeps at most so many entries, of which the used ones stay', () => {
    const m = map<number | string, number>({ maxEntries: 100, evict: 'lru' })
    for (let i = 0; i < 100; i++) m.set(i, i)
    for (let i = 0; i < 20; i++) m.get(i)
    for (let i = 100; i < 150; i++) {
      m.set(i, i)
      assert.equal(m.size, 100)
    }
    let kept = 0
    for (let i = 0; i < 20; i++) kept += Number(m.has(i))
    assert.ok(kept >= 17, `${kept} of 20`)
    for (let i = 0; i < 10_000; i++) m.set(`text ${i}`, i)
    assert.equal(m.size, 100)
    assert.equal([...m].length, 100)
    refuses(() => map({ evict: 'lru' }), 'ERR_SABWAY_INVALID_ARGUMENT')
    refuses(() => map({ maxEntries: 0 }), 'ERR_SABWAY_OUT_OF_RANGE')
    refuses(() => map({ maxEntries: 5, evict: 'fifo' as never }), 'ERR_SABWAY_INVALID_ARGUMENT')
  })

  it('lets entries go when their time is over', () => {
    const m = map<string, number>({ ttl: Number.POSITIVE_INFINITY })
    m.set('stays', 1).set('goes', 2, { ttl: 0 }).set('later', 3, { ttl: 1e9 })
    assert.deepEqual(m.getAll(['stays', 'goes', 'later']), [1, undefined, 3])
    assert.ok(!m.has('goes') && !m.replace('goes', 5) && !m.delete('goes'))
    assert.deepEqual([...m.keys()].sort(), ['later', 'stays'])
    assert.equal(m.putIfAbsent('goes', 7), undefined)
    assert.equal(m.get('goes'), 7)
    m.set('goes', 8, { ttl: 0 })
    assert.equal(m.prune(), 1)
    assert.equal(m.size, 2)
    const other = new SharedMap<string, number>(m.heap, { ttl: 0 })
    other.set('a', 1)
    assert.equal(other.get('a'), undefined)
    refuses(() => map<string, number>().set('a', 1, { ttl: 5 }), 'ERR_SABWAY_INVALID_ARGUMENT')
    refuses(() => m.set('a', 1, { ttl: -5 }), 'ERR_SABWAY_OUT_OF_RANGE')
  })

  it('says so when it was freed, also to others', () => {
    const m = map<string, number>()
    m.set('a', 1)
    const other = new SharedMap<string, number>(m.heap, m.getSharedMemory())
    const shared = m.getSharedMemory()
    m.free()
    const next = new SharedMap<string, number>(m.heap)
    for (const each of [m, other]) {
      const calls = [
        () => each.get('a'),
        () => each.get(1 as never),
        () => each.set('a', 1),
        () => each.set(1 as never, 1),
        () => each.has('a'),
        () => each.delete('a'),
        () => each.size,
        () => each.clear(),
        () => [...each],
        () => each.update('a', () => 1),
        () => each.free(),
      ]
      for (const call of calls) refuses(call, 'ERR_SABWAY_FREED')
    }
    refuses(() => new SharedMap(m.heap, shared), 'ERR_SABWAY_FREED')
    assert.equal(next.size, 0)
    assert.deepEqual(m.toJSON(), { pointer: m.pointer })
  })

  it('refuses what is no key, no value and no option', () => {
    const m = map<never, never>()
    for (const key of [undefined, null, true, {}, [], Symbol('x'), new Float64Array(1), () => 1]) {
      refuses(() => m.get(key as never), 'ERR_SABWAY_INVALID_TYPE')
      refuses(() => m.set(key as never, 1 as never), 'ERR_SABWAY_INVALID_TYPE')
    }
    for (const value of [undefined, {}, [], Symbol('x'), () => 1])
      refuses(() => m.set('a' as never, value as never), 'ERR_SABWAY_INVALID_TYPE')
    refuses(() => m.get('x'.repeat(2 ** 24 + 1) as never), 'ERR_SABWAY_OUT_OF_RANGE')
    refuses(() => map({ nummeric: 'u32' } as never), 'ERR_SABWAY_INVALID_ARGUMENT')
    refuses(() => map({ numeric: 'u64' } as never), 'ERR_SABWAY_INVALID_ARGUMENT')
    refuses(() => map({ numeric: 'u32', codec: 'msgpack' }), 'ERR_SABWAY_INVALID_ARGUMENT')
    refuses(() => new SharedMap({} as never), 'ERR_SABWAY_INVALID_TYPE')
  })

  it('says that the heap is full, and loses nothing', () => {
    const m = map<number, string>(undefined, 2 * MIB)
    let count = 0
    refuses(() => {
      for (;;) m.set(count, 'x'.repeat(1000)) && count++
    }, 'ERR_SABWAY_HEAP_FULL')
    assert.equal(m.size, count)
    for (let i = 0; i < count; i++) assert.equal(m.get(i)?.length, 1000)
    m.clear()
    m.set(1, 'y')
    assert.equal(m.get(1), 'y')
  })

  it('has a name in the directory', () => {
    const h = heap()
    const m = h.region.getOrMake('scores', () => new SharedMap<string, number>(h)) as SharedMap<string, number>
    m.set('a', 1)
    const again = h.region.get('scores') as SharedMap<string, number>
    assert.equal(again.get('a'), 1)
    assert.deepEqual(h.region.list(), [{ name: 'scores', kind: 'map' }])
  })
})

describe('a ConcurrentHashMap', () => {
  it('is a map with the options of its name', () => {
    const h = heap()
    const m = new ConcurrentHashMap<string, number>(h, { initialCapacity: 1000, concurrencyLevel: 16 })
    m.setAll([
      ['a', 1],
      ['b', 2],
    ])
    assert.deepEqual(m.getAll(['a', 'b', 'c']), [1, 2, undefined])
    assert.equal(new SharedMap<string, number>(h, m.getSharedMemory()).get('b'), 2)
    assert.equal(new ConcurrentHashMap<string, number>(h, m.getSharedMemory()).size, 2)
    assert.equal(Object.prototype.toString.call(m), '[object ConcurrentHashMap]')
    refuses(() => new ConcurrentHashMap(h, { concurrencyLevel: 0 }), 'ERR_SABWAY_OUT_OF_RANGE')
    refuses(() => new ConcurrentHashMap(h, { capacity: 5 } as never), 'ERR_SABWAY_INVALID_ARGUMENT')
  })
})

const same = (a: MapKey, b: MapKey): boolean =>
  a instanceof Uint8Array && b instanceof Uint8Array
    ? a.length === b.length && a.every((byte, i) => byte === b[i])
    : Object.is(a, b)
