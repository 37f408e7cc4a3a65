// Objects with fields in shared memory: in one thread, in several, and in processes that are
// killed.
import assert from 'node:assert/strict'
import { defineObject, MemoryHeap, SharedObject, SharedStructArray } from 'sabway'
import { random } from '../support/bytes.js'
import { seed, times } from '../support/effort.js'
import { rejectsWith, throwsError } from '../support/errors.js'
import { itBlocking, itNative, mayBlock } from '../support/host.js'
import { Peer } from '../support/processes.js'
import { DEFINITION } from '../support/records.js'
import { closeLater } from '../support/regions.js'
import { Thread, tellsEnd } from '../support/threads.js'
import type { RecordTask } from '../workers/record.js'

function heapOf(share: 'threads' | 'processes' = 'threads'): MemoryHeap {
  const heap = new MemoryHeap({ size: 2 ** 22, share })
  closeLater(heap.region)
  return heap
}

/** Of each type that is one number: the least, the greatest, and what is just outside of them. */
const EDGES = {
  i8: [-128, 127, -129, 128],
  u8: [0, 255, -1, 256],
  i16: [-32768, 32767, -32769, 32768],
  u16: [0, 65535, -1, 65536],
  i32: [-(2 ** 31), 2 ** 31 - 1, -(2 ** 31) - 1, 2 ** 31],
  u32: [0, 2 ** 32 - 1, -1, 2 ** 32],
  i64: [-(2n ** 63n), 2n ** 63n - 1n, -(2n ** 63n) - 1n, 2n ** 63n],
  u64: [0n, 2n ** 64n - 1n, -1n, 2n ** 64n],
  pointer: [0, 2 ** 32 - 1, -1, 2 ** 32],
} as const
const FLOATS = { f32: Math.fround(0.1), f64: 0.1 } as const

const Unit = defineObject({ position: ['f32', 3], hp: 'i32', id: 'u64', mana: 'u8', team: 'u8', alive: 'bool' })
const ZERO = { position: [0, 0, 0], hp: 0, id: 0n, mana: 0, team: 0, alive: false }
const Counter = defineObject(DEFINITION)

describe('an object with fields', () => {
  for (const [type, [least, most, below, above]] of Object.entries(EDGES)) {
    it(`keeps each value of ${type}, and refuses others`, () => {
      const heap = heapOf()
      const One = defineObject({ before: 'u8', one: type as 'i32', behind: 'u8' })
      const made = new One(heap)
      const opened = new One(heap, made.getSharedMemory())
      for (const value of [least, most]) {
        made.one = value as number
        assert.equal(opened.one, value)
        assert.equal(opened.snapshot().one, value)
        assert.equal(made.atomicExchange('one', least as number), value)
        assert.equal(made.atomicCompareExchange('one', most as number, value as number), least)
        made.atomicStore('one', value as number)
        assert.equal(opened.atomicLoad('one'), value)
        made.lock((fields) => {
          fields.one = least as number
          assert.equal(fields.one, least)
          fields.one = value as number
        })
        assert.equal(opened.one, value)
      }
      const isBig = typeof most === 'bigint'
      const add = (by: number) => made.atomicAdd('one', (isBig ? BigInt(by) : by) as number)
      assert.equal(add(1), most)
      assert.equal(made.one, least, 'it wraps around')
      if (type !== 'u64') assert.equal(add(-1), least)
      for (const bad of [below, above]) {
        const outside = (act: () => unknown) => throwsError(act, 'ERR_SABWAY_OUT_OF_RANGE', /one/)
        made.one = most as number
        outside(() => {
          made.one = bad as number
        })
        outside(() => made.assign({ one: bad as number }))
        outside(() => made.atomicStore('one', bad as number))
        outside(() => made.atomicExchange('one', bad as number))
        outside(() => made.atomicCompareExchange('one', least as number, bad as number))
        outside(() => made.lock((fields) => (fields.one = bad as number)))
        outside(() => new One(heap, { values: { one: bad as number } }))
        assert.equal(made.one, most)
      }
      for (const wrong of ['1', null, undefined, {}, Symbol('x'), isBig ? 1 : 1n]) {
        throwsError(
          () => {
            made.one = wrong as number
          },
          'ERR_SABWAY_INVALID_TYPE',
          /one must be a (number|bigint)/,
        )
      }
      assert.deepEqual([made.before, made.one, made.behind], [0, most, 0])
    })
  }

  for (const [type, value] of Object.entries(FLOATS)) {
    it(`keeps each value of ${type}, and refuses what is no number`, () => {
      const heap = heapOf()
      const One = defineObject({ before: 'u8', one: type as 'f64' })
      const made = new One(heap, { values: { one: value } })
      for (const each of [value, 0, -0, Number.POSITIVE_INFINITY, Number.NaN, 1e-40]) {
        made.one = each
        const kept = type === 'f32' ? Math.fround(each) : each
        assert.ok(Object.is(made.one, kept))
        assert.ok(Object.is(made.snapshot().one, kept))
        assert.ok(Object.is(made.atomicExchange('one', 5), kept))
        made.lock((fields) => {
          fields.one = each
        })
        assert.ok(Object.is(made.atomicLoad('one'), kept))
        assert.ok(Object.is(made.atomicCompareExchange('one', each, 1.5), kept))
        assert.equal(made.atomicAdd('one', 0.25), 1.5)
        assert.equal(made.one, 1.75)
      }
      throwsError(
        () => {
          made.one = '1' as never
        },
        'ERR_SABWAY_INVALID_TYPE',
        /one must be a number, got '1'/,
      )
    })
  }

  it('has truth values and arrays, which are seen through typed arrays without a copy', () => {
    const heap = heapOf()
    const unit = new Unit(heap, { values: { position: [1, 2, 3], alive: true } })
    const other = new Unit(heap, unit.getSharedMemory())
    assert.deepEqual([unit.alive, unit.snapshot().alive], [true, true])
    throwsError(
      () => {
        unit.alive = 1 as never
      },
      'ERR_SABWAY_INVALID_TYPE',
      /alive must be true or false, got 1/,
    )
    assert.ok(unit.position instanceof Float32Array)
    assert.equal(unit.position, unit.position, 'it is made once')
    unit.position[1] = 7
    assert.deepEqual([...other.position], [1, 7, 3])
    other.assign({ position: new Float64Array([4, 5, 6]), alive: false })
    assert.deepEqual([[...unit.position], unit.alive], [[4, 5, 6], false])
    throwsError(
      () => {
        ;(unit as { position: unknown }).position = [1, 2, 3]
      },
      'ERR_SABWAY_INVALID_TYPE',
      /position\.set\(values\)/,
    )
    for (const [list, code] of [
      [[1, 2], 'ERR_SABWAY_OUT_OF_RANGE'],
      [[1, 2, '3'], 'ERR_SABWAY_INVALID_TYPE'],
      [5, 'ERR_SABWAY_INVALID_TYPE'],
      [null, 'ERR_SABWAY_INVALID_TYPE'],
    ] as const) {
      throwsError(() => unit.assign({ hp: 1, position: list as never }), code, /position/)
    }
    assert.deepEqual([unit.hp, ...unit.position], [0, 4, 5, 6], 'nothing was written')
  })

  it('is zero at first, also where an earlier one was', () => {
    const heap = heapOf()
    const first = new Unit(heap)
    first.assign({ position: [1, 2, 3], hp: 4, id: 5n, mana: 6, team: 7, alive: true })
    const { pointer } = first
    first.free()
    const second = new Unit(heap)
    assert.equal(second.pointer, pointer)
    assert.deepEqual(second.snapshot(), ZERO)
  })

  it('is the same with its fields in another order, and no other', () => {
    const heap = heapOf()
    const made = new Unit(heap, { values: { hp: 3 } })
    const Same = defineObject({ team: 'u8', hp: 'i32', alive: 'bool', position: ['f32', 3], mana: 'u8', id: 'u64' })
    assert.equal(new Same(heap, made.getSharedMemory()).hp, 3)
    for (const other of [
      { ...Unit.definition, hp: 'u32' },
      { ...Unit.definition, position: ['f32', 2] },
      { hp: 'i32' },
    ])
      throwsError(
        () => new (defineObject(other as never) as typeof Unit)(heap, made.pointer),
        'ERR_SABWAY_OTHER_KIND',
        /the fields of what is at \d+ are not those of this class/,
      )
    throwsError(() => new SharedStructArray(heap, Unit, made.getSharedMemory()), 'ERR_SABWAY_OTHER_KIND', /object/)
    assert.ok(made instanceof SharedObject)
    assert.deepEqual(Unit.definition.position, ['f32', 3])
  })

  it('refuses definitions that name no fields', () => {
    for (const [definition, code, text] of [
      [null, 'ERR_SABWAY_INVALID_TYPE', /a definition is an object such as/],
      [['i32'], 'ERR_SABWAY_INVALID_TYPE', /a definition is an object such as/],
      [{}, 'ERR_SABWAY_OUT_OF_RANGE', /1 to 1000 fields, got 0/],
      [Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, 'u8'])), 'ERR_SABWAY_OUT_OF_RANGE', /1001/],
      [{ hp: 'int' }, 'ERR_SABWAY_INVALID_TYPE', /the type of 'hp' must be one of i8.* got 'int'/],
      [{ hp: ['bool', 2] }, 'ERR_SABWAY_INVALID_TYPE', /a type of numbers, got 'bool'/],
      [{ hp: ['i32', 0] }, 'ERR_SABWAY_OUT_OF_RANGE', /the length of 'hp'/],
      [{ hp: ['i32', 1, 2] }, 'ERR_SABWAY_INVALID_TYPE', /hp/],
      [{ lock: 'i32' }, 'ERR_SABWAY_INVALID_ARGUMENT', /no field can be called 'lock'/],
      [{ toString: 'i32' }, 'ERR_SABWAY_INVALID_ARGUMENT', /toString/],
      [{ '': 'i32' }, 'ERR_SABWAY_INVALID_ARGUMENT', /1 to 100 characters/],
      [JSON.parse('{"__proto__": "i32"}'), 'ERR_SABWAY_INVALID_ARGUMENT', /__proto__/],
    ] as const)
      throwsError(() => defineObject(definition as never), code, text)
    const throwing = {
      get hp(): 'i32' {
        throw new Error('own')
      },
    }
    throwsError(() => defineObject(throwing), 'ERR_SABWAY_INVALID_ARGUMENT', /reading definition\.hp threw/)
  })

  it('has names that its own memory does not take', () => {
    const Odd = defineObject({
      at: 'i32',
      life: 'i32',
      views: 'i32',
      set: 'i32',
      length: 'i32',
      'a b': 'i32',
      next: 'i32',
    })
    const odd = new Odd(heapOf(), { values: { at: 1, life: 2, views: 3, set: 4, length: 5, 'a b': 6, next: 7 } })
    odd.lock((fields) => {
      fields.next = 8
    })
    assert.deepEqual(odd.snapshot(), { at: 1, life: 2, views: 3, set: 4, length: 5, 'a b': 6, next: 8 })
  })

  it('is found by its name, and shown with its fields', () => {
    const heap = heapOf()
    const unit = new Unit(heap, { values: { hp: 5, id: 2n ** 60n, position: [1, 2, 3] } })
    heap.region.set('unit', unit)
    assert.deepEqual(heap.region.list(), [{ name: 'unit', kind: 'object' }])
    const found = heap.region.get('unit') as InstanceType<typeof Unit>
    assert.ok(found instanceof Unit)
    assert.equal(found.hp, 5)
    const shown = {
      pointer: unit.pointer,
      id: String(2n ** 60n),
      position: [1, 2, 3],
      hp: 5,
      mana: 0,
      team: 0,
      alive: false,
    }
    assert.deepEqual(JSON.parse(JSON.stringify(unit)), shown)
    // Firefox names nothing of what it refuses.
    assert.throws(() => structuredClone(unit), /post its getSharedMemory\(\)|unsupported type for structured data/)
    unit.free()
    assert.deepEqual(JSON.parse(JSON.stringify(unit)), { pointer: unit.pointer })
    assert.equal(heap.region.get('unit'), undefined)
  })

  it('is gone for all threads once it is freed', () => {
    const heap = heapOf()
    const { blocks } = heap.stats()
    const unit = new Unit(heap)
    const other = new Unit(heap, unit.getSharedMemory())
    const shared = unit.getSharedMemory()
    unit.free()
    const uses: (() => unknown)[] = [
      () => other.hp,
      () => other.position,
      () => other.alive,
      () => other.id,
      () => other.mana,
      () => {
        other.hp = 1
      },
      () => {
        other.alive = true
      },
      () => other.assign({ hp: 1 }),
      () => other.snapshot(),
      () => other.lock(() => {}),
      () => other.tryLock(() => {}),
      () => other.atomicLoad('hp'),
      () => other.atomicStore('hp', 1),
      () => other.atomicAdd('hp', 1),
      () => other.atomicExchange('hp', 1),
      () => other.atomicCompareExchange('hp', 0, 1),
      () => other.free(),
      () => unit.hp,
      () => new Unit(heap, shared),
      () => new Unit(heap, unit.pointer),
    ]
    for (const use of uses) throwsError(use, 'ERR_SABWAY_FREED', /at \d+/)
    const next = new Unit(heap)
    assert.equal(next.pointer, unit.pointer)
    for (const use of uses.slice(0, -1)) throwsError(use, 'ERR_SABWAY_FREED', /at \d+/)
    next[Symbol.dispose]()
    next[Symbol.dispose]()
    // its control block stays, and the first block of the registry
    assert.ok(heap.stats().blocks <= blocks + 2)
    assert.deepEqual(heap.check({ sweep: true }), [])
  })

  it('has the types that its definition says', () => {
    const Typed = defineObject({ a: 'i32', b: 'i64', c: ['f32', 3], d: 'bool', e: 'string', f: 'pointer' })
    const typed = new Typed(heapOf(), { values: { b: 1n, c: [1, 2, 3] } })
    const read: [number, bigint, Float32Array, boolean, string, number] = [
      typed.a,
      typed.b,
      typed.c,
      typed.d,
      typed.e,
      typed.f,
    ]
    assert.deepEqual(read, [0, 1n, new Float32Array([1, 2, 3]), false, '', 0])
    const { c }: { c: number[] } = typed.snapshot()
    assert.equal(c.length, 3)
    for (const wrong of [
      // @ts-expect-error: not a bigint
      () => typed.assign({ b: 1 }),
      // @ts-expect-error: no such field
      () => typed.assign({ x: 1 }),
      // @ts-expect-error: not one number
      () => typed.atomicAdd('c', 1),
      // @ts-expect-error: no type
      () => defineObject({ a: 'int' }),
    ])
      assert.throws(wrong)
  })

  it('is of the class that extends it', () => {
    class Enemy extends defineObject({ hp: 'i32' }) {
      hit(by: number): number {
        return this.lock((fields) => (fields.hp -= by))
      }
    }
    const enemy = new Enemy(heapOf(), { values: { hp: 10 } })
    assert.equal(enemy.hit(3), 7)
    assert.equal(enemy.hp, 7)
  })
})

describe('a text of an object', () => {
  const Named = defineObject({ name: 'string', hp: 'i32', title: 'string' })
  const TEXTS = [
    '',
    'a',
    'Ada',
    'é',
    '日本',
    '\ud83d\ude00',
    'half \ud800',
    '\udc00',
    'nul \0',
    'x'.repeat(5000),
    '\u3042'.repeat(300),
  ]

  it('is every text that was written, in every thread', () => {
    const heap = heapOf()
    const made = new Named(heap, { values: { name: 'first', hp: 1 } })
    const opened = new Named(heap, made.getSharedMemory())
    assert.deepEqual([opened.name, opened.title, opened.hp], ['first', '', 1])
    for (const text of TEXTS) {
      made.name = text
      assert.equal(opened.name, text)
      assert.equal(opened.name, text, 'as it was read before')
      opened.assign({ title: `${text}!` })
      assert.deepEqual(made.snapshot(), { name: text, hp: 1, title: `${text}!` })
      made.lock((fields) => {
        assert.equal(fields.name, text)
        fields.name = `${text}?`
        assert.equal(fields.name, `${text}?`)
        assert.equal(opened.name, `${text}?`, 'a field shows what is being changed')
      })
      assert.equal(opened.name, `${text}?`)
    }
    assert.deepEqual(JSON.parse(JSON.stringify(made)).hp, 1)
    for (const bad of [5, null, undefined, {}])
      throwsError(
        () => {
          made.name = bad as never
        },
        'ERR_SABWAY_INVALID_TYPE',
        /name must be a string/,
      )
    throwsError(() => made.atomicLoad('name' as never), 'ERR_SABWAY_INVALID_ARGUMENT', /one number/)
  })

  it('is as before when a change fails, and no memory is lost either way', () => {
    const heap = heapOf()
    const named = new Named(heap, { values: { name: 'before', title: 'kept' } })
    const { blocks } = heap.stats()
    for (let round = 0; round < 100; round++) {
      assert.throws(() =>
        named.lock((fields) => {
          for (const text of TEXTS) fields.assign({ name: text, title: `${text}.` })
          throw new Error('in vain')
        }),
      )
      assert.deepEqual(named.snapshot(), { name: 'before', hp: 0, title: 'kept' })
      named.lock((fields) => {
        fields.title = 'x'
        fields.title = 'kept'
      })
      named.name = 'other'
      named.name = 'before'
    }
    assert.equal(heap.stats().blocks, blocks)
    assert.deepEqual(heap.check({ sweep: true }), [])
    named.lock(() => {
      throwsError(
        () => {
          named.name = 'outside'
        },
        'ERR_SABWAY_INVALID_STATE',
        /set the text of the fields that the change was given/,
      )
    })
    named.free()
    assert.equal(heap.stats().blocks, blocks - 3)
    throwsError(() => named.name, 'ERR_SABWAY_FREED', /at \d+/)
    throwsError(
      () => {
        named.name = 'x'
      },
      'ERR_SABWAY_FREED',
      /at \d+/,
    )
    assert.equal(heap.stats().blocks, blocks - 3)
  })

  for (const layout of ['rows', 'columns'] as const) {
    it(`is one of each object of an array in ${layout}`, () => {
      const heap = heapOf()
      const { blocks } = heap.stats()
      const array = new SharedStructArray(heap, Named, { length: 20, layout })
      for (let i = 0; i < 20; i++)
        array.at(i).assign({ name: `name ${i}`, hp: i, title: i % 2 === 0 ? '' : `title ${i}` })
      array.lock((objects) => {
        objects.at(3).name = 'third'
      })
      assert.deepEqual(array.snapshot(3), { name: 'third', hp: 3, title: 'title 3' })
      assert.deepEqual(
        array.snapshot().map(({ name }) => name),
        Array.from(array, ({ name }) => name),
      )
      assert.equal(array.at(19).title, 'title 19')
      throwsError(() => array.strided('name' as never), 'ERR_SABWAY_INVALID_ARGUMENT', /no text/)
      if (layout === 'columns') assert.deepEqual(Object.keys(array.columns), ['hp'])
      assert.deepEqual(heap.check({ sweep: true }), [])
      array.free()
      assert.ok(heap.stats().blocks <= blocks + 2)
    })
  }

  itNative(
    'is as before when a process is killed in the middle of a change, and read by others meanwhile',
    async () => {
      const heap = heapOf('processes')
      const named = new Named(heap, { values: { name: 'before' } })
      const { blocks } = heap.stats()
      for (let round = 0; round < 3; round++) {
        const other = new Peer({ shared: heap.region.token, pointer: named.pointer, changes: 'rename' })
        assert.equal(await other.next(), 'half')
        assert.equal(named.name, 'half done')
        await other.kill()
        assert.equal(named.snapshot().name, 'before')
        assert.equal(named.name, 'before')
      }
      assert.equal(heap.stats().blocks, blocks)
    },
  )

  itNative('belongs to the other fields in each snapshot, while two processes replace it', async () => {
    const heap = heapOf('processes')
    const named = new Named(heap, { values: { name: '0', title: '0' } })
    const count = times(2000)
    const task = { shared: heap.region.token, pointer: named.pointer, changes: 'names', count } as const
    const others = [new Peer(task), new Peer(task)]
    let all = others.length
    const ends = others.map((other) => other.next().finally(() => all--))
    while (all > 0) {
      const { name, hp, title } = named.snapshot()
      assert.deepEqual([name, title], [String(hp), String(hp)])
      assert.match(named.name, /^\d+$/)
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    assert.deepEqual(await Promise.all(ends), ['done', 'done'])
    assert.equal(named.name, String(2 * count))
  })
})

describe('a change under the lock of an object', () => {
  it('is made when it returns, and returned is what it returns', () => {
    const unit = new Unit(heapOf())
    const sum = unit.lock((fields) => {
      fields.assign({ hp: 1, mana: 2 })
      fields.position[2] = 3
      fields.position.set([4, 5])
      fields.alive = true
      fields.id += 1n
      assert.equal(fields.position.length, 3)
      assert.equal(fields.position[3], undefined)
      assert.equal(2 in fields.position, true)
      assert.equal(3 in fields.position, false)
      return [...fields.position].reduce((a, b) => a + b)
    })
    assert.equal(sum, 12)
    assert.deepEqual(unit.snapshot(), { position: [4, 5, 3], hp: 1, id: 1n, mana: 2, team: 0, alive: true })
    assert.equal(
      unit.tryLock((fields) => {
        fields.hp = 9
      }),
      true,
    )
    assert.equal(unit.hp, 9)
  })

  it('is undone when it throws, and what it threw is thrown', () => {
    const unit = new Unit(heapOf(), { values: { hp: 1, position: [1, 2, 3], id: 4n, team: 5 } })
    const before = unit.snapshot()
    const own = new Error('own')
    const change = () =>
      unit.lock((fields) => {
        fields.assign({ hp: 2, id: 9n, alive: true, mana: 255 })
        for (let n = 0; n < 3; n++) fields.position[n]! *= 2
        fields.hp++
        unit.team = 6 // not under the lock's care: it stays
        throw own
      })
    assert.throws(change, (error) => error === own)
    assert.deepEqual(unit.snapshot(), { ...before, team: 6 })
    assert.equal(
      unit.lock(({ hp }) => hp),
      1,
    )
  })

  it('is undone when it is async, which it must not be', () => {
    const unit = new Unit(heapOf())
    const slow = async (fields: { hp: number }) => {
      fields.hp = 5
    }
    throwsError(() => unit.lock(slow), 'ERR_SABWAY_INVALID_TYPE', /the change returned a promise/)
    assert.equal(unit.hp, 0)
    assert.equal(
      unit.tryLock(() => {}),
      true,
    )
  })

  it('is over with the call: its fields cannot be set later', () => {
    const unit = new Unit(heapOf())
    const kept = unit.lock((fields) => fields)
    assert.equal(kept.hp, 0)
    throwsError(
      () => {
        kept.hp = 1
      },
      'ERR_SABWAY_INVALID_STATE',
      /does not hold the lock any more/,
    )
    assert.equal(unit.hp, 0)
  })

  it('refuses values and elements that there are not, and is undone as a whole', () => {
    const unit = new Unit(heapOf())
    for (const [act, code, text] of [
      [(fields) => (fields.hp = 0.5), 'ERR_SABWAY_OUT_OF_RANGE', /hp must be an integer/],
      [(fields) => (fields.position[3] = 1), 'ERR_SABWAY_OUT_OF_RANGE', /the index in position/],
      [(fields) => (fields.position[0] = 'x' as never), 'ERR_SABWAY_INVALID_TYPE', /position must be a number/],
      [(fields) => fields.position.set([1, 2], 2), 'ERR_SABWAY_OUT_OF_RANGE', /offset/],
      [(fields) => fields.position.set(null as never), 'ERR_SABWAY_INVALID_TYPE', /position/],
      [(fields) => fields.assign({ nothing: 1 } as never), 'ERR_SABWAY_INVALID_ARGUMENT', /nothing/],
    ] as [(fields: Parameters<Parameters<typeof unit.lock>[0]>[0]) => unknown, string, RegExp][]) {
      throwsError(
        () =>
          unit.lock((fields) => {
            fields.mana = 1
            act(fields)
          }),
        code as 'ERR_SABWAY_OUT_OF_RANGE',
        text,
      )
      assert.deepEqual(unit.snapshot(), ZERO)
    }
  })

  it('writes as many values as there is room for in its undo log', () => {
    const heap = heapOf()
    const Wide = defineObject({ many: ['i32', 100] })
    const wide = new Wide(heap, { undo: 10 })
    const write = (count: number) =>
      wide.lock((fields) => {
        for (let round = 0; round < 2; round++) for (let i = 0; i < count; i++) fields.many[i] = i + 1 + round
      })
    write(10)
    throwsError(() => write(11), 'ERR_SABWAY_TOO_MANY_CHANGES', /10 values at most/)
    assert.deepEqual([...wide.many.subarray(0, 11)], [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0])
    const whole = new Wide(heap)
    whole.lock((fields) => fields.many.set(Array.from({ length: 100 }, (_, i) => i)))
    assert.equal(whole.many[99], 99)
  })

  it('is the only one: the lock is not recursive', async () => {
    const unit = new Unit(heapOf())
    unit.lock(() => {
      throwsError(() => unit.lock(() => {}), 'ERR_SABWAY_INVALID_STATE', /this thread holds the mutex/)
      assert.equal(
        unit.tryLock(() => {}),
        false,
      )
      throwsError(() => unit.free(), 'ERR_SABWAY_INVALID_STATE', /holds the lock/)
      unit.snapshot()
    })
    const later: number[] = []
    const first = unit.lockAsync((fields) => void later.push(++fields.hp))
    const second = unit.lockAsync((fields) => void later.push(++fields.hp))
    await Promise.all([first, second])
    assert.deepEqual(later, [1, 2])
    const inVain = unit.lockAsync((fields) => {
      fields.hp = 7
      throw new TypeError('own')
    })
    await assert.rejects(inVain, /own/)
    assert.equal(unit.hp, 2)
    assert.equal(
      unit.tryLock(() => {}),
      true,
    )
  })

  it('leaves a million random changes as a model has them', () => {
    const heap = heapOf()
    const next = random(seed())
    const Model = defineObject({ a: 'i8', b: 'u16', c: ['i32', 4], d: 'f64', e: 'u64', f: 'bool' })
    const object = new Model(heap)
    const model = { a: 0, b: 0, c: [0, 0, 0, 0], d: 0, e: 0n, f: false }
    type Target = { a: number; b: number; c: { [n: number]: number }; d: number; e: bigint; f: boolean }
    const write = (target: Target, choice: number, value: number) => {
      if (choice === 0) target.a = (value & 0xff) - 128
      else if (choice === 1) target.b = value & 0xffff
      else if (choice === 2) target.c[value & 3] = value | 0
      else if (choice === 3) target.d = value / 3
      else if (choice === 4) target.e = BigInt(value)
      else target.f = (value & 1) !== 0
    }
    const rounds = times(20_000)
    for (let round = 0; round < rounds; round++) {
      const steps = Array.from({ length: 1 + Math.floor(next() * 50) }, () => [
        Math.floor(next() * 6),
        Math.floor(next() * 2 ** 32),
      ])
      const way = next()
      if (way < 0.4) {
        for (const [choice, value] of steps) for (const target of [object, model]) write(target, choice!, value!)
      } else {
        const fails = way < 0.7
        const run = () =>
          object.lock((fields) => {
            for (const [choice, value] of steps) write(fields, choice!, value!)
            if (fails) throw new Error('in vain')
          })
        if (fails) assert.throws(run, /in vain/)
        else {
          run()
          for (const [choice, value] of steps) write(model, choice!, value!)
        }
      }
      if (round % 16 === 0) assert.deepEqual(object.snapshot(), model)
    }
    assert.deepEqual(object.snapshot(), model)
  })
})

type Start = (heap: MemoryHeap, task: Omit<RecordTask, 'shared'>) => Thread | Peer
const OTHERS: Record<string, Start> = {
  'a thread': (heap, task) => new Thread('record', { shared: heap.getSharedMemory(), ...task }),
  'a thread without the addon': (heap, task) =>
    new Thread('record', { shared: heap.getSharedMemory(), ...task }, { execArgv: ['--no-addons'] }),
  'another process': (heap, task) => new Peer({ shared: heap.region.token, ...task }),
}
const isProcess = (name: string) => name === 'another process'
/** In a page all threads are without the addon. */
const testOf = (name: string) => (name === 'a thread' ? it : itNative)
const sharedBy = (name: string) => heapOf(isProcess(name) ? 'processes' : 'threads')
const stop = (other: Thread | Peer) => (other instanceof Thread ? other.terminate() : other.kill())

describe('an object that several change', () => {
  for (const [name, start] of Object.entries(OTHERS)) {
    testOf(name)(`is changed as a whole by this thread and three times ${name}`, async () => {
      const heap = sharedBy(name)
      const counter = new Counter(heap)
      const count = times(2000)
      const others = [0, 1, 2].map(() => start(heap, { pointer: counter.pointer, changes: 'count', count }))
      for (let i = 0; i < count; i++) {
        const change = (fields: { a: number; b: number; c: { [n: number]: number } }) => {
          fields.a += 1
          fields.b += 1
          for (let n = 0; n < 3; n++) fields.c[n]! += 1
        }
        if (i % 2 === 0 || !mayBlock) await counter.lockAsync(change)
        else counter.lock(change)
        const { a, b, c } = counter.snapshot()
        assert.deepEqual([b, ...c], [a, a % 65536, a % 65536, a % 65536])
      }
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.equal(counter.a, 4 * count)
    })

    testOf(name)(`is added to without the lock by three times ${name}`, async () => {
      const heap = sharedBy(name)
      const counter = new Counter(heap)
      const count = times(20_000)
      const others = [0, 1, 2].map(() => start(heap, { pointer: counter.pointer, changes: 'add', count }))
      for (const other of others) assert.equal(await other.next(), 'done')
      assert.deepEqual([counter.hits, counter.sum], [3 * count, 1.5 * count])
    })

    // In a page a thread that closes itself goes on with the code that it is in.
    itNative(`is as before when ${name} ends in the middle of a change`, async () => {
      const heap = sharedBy(name)
      const counter = new Counter(heap, { values: { a: 5, b: 5, c: [5, 5, 5] } })
      const other = start(heap, { pointer: counter.pointer, changes: 'die' })
      assert.equal(await other.next(), 'half')
      const seen = await counter.lockAsync(({ a, c }) => [a, ...c])
      assert.deepEqual(seen, [5, 5, 5, 5])
      assert.deepEqual(counter.snapshot(), { a: 5, b: 5, c: [5, 5, 5], hits: 0, sum: 0 })
    })

    if (!tellsEnd(name)) continue
    testOf(name)(`is as before when ${name} is killed in the middle of a change, while others wait`, async () => {
      const heap = sharedBy(name)
      const counter = new Counter(heap, { values: { a: 5, b: 5, c: [5, 5, 5] } })
      const other = start(heap, { pointer: counter.pointer, changes: 'hang' })
      assert.equal(await other.next(), 'half')
      assert.equal(
        counter.tryLock(() => {}),
        false,
      )
      assert.equal(counter.a, 1005, 'a field shows what is being changed')
      await rejectsWith(
        counter.lockAsync(() => {}, { timeout: 5 }),
        'ERR_SABWAY_TIMEOUT',
        /within 5 ms/,
      )
      const waiting = counter.lockAsync((fields) => {
        const was = fields.a
        fields.a += 1
        fields.b += 1
        for (let n = 0; n < 3; n++) fields.c[n]! += 1
        return was
      })
      const counting = start(heap, { pointer: counter.pointer, changes: 'count', count: 20 })
      await stop(other)
      assert.ok((await waiting) >= 5)
      assert.equal(await counting.next(), 'done')
      assert.deepEqual(counter.snapshot(), { a: 26, b: 26, c: [26, 26, 26], hits: 0, sum: 0 })
    })

    if (!isProcess(name)) continue
    testOf(name)(`shows a snapshot from before, when ${name} was killed in the middle of a change`, async () => {
      const heap = sharedBy(name)
      const counter = new Counter(heap, { values: { a: 5, b: 5, c: [5, 5, 5] } })
      for (let round = 0; round < 3; round++) {
        const other = start(heap, { pointer: counter.pointer, changes: 'hang' })
        assert.equal(await other.next(), 'half')
        await stop(other)
        assert.deepEqual(counter.snapshot(), { a: 5, b: 5, c: [5, 5, 5], hits: 0, sum: 0 })
        assert.equal(counter.a, 5)
      }
      counter.free()
      assert.deepEqual(heap.check({ sweep: true }), [])
    })
  }

  itBlocking('is waited for in vain for as long as a call says', async () => {
    const heap = heapOf()
    const counter = new Counter(heap)
    const other = OTHERS['a thread']!(heap, { pointer: counter.pointer, changes: 'hang' })
    assert.equal(await other.next(), 'half')
    throwsError(() => counter.lock(() => {}, { timeout: 5 }), 'ERR_SABWAY_TIMEOUT', /within 5 ms/)
    await stop(other)
    assert.equal(await counter.lockAsync(({ a }) => a), 0)
  })
})
