// What the codecs make of every kind of value, next to what structuredClone makes of it on the same
// Node: the same, or a refusal.
import assert from 'node:assert/strict'
import { types } from 'node:util'
import { runInNewContext, runInThisContext } from 'node:vm'
import { type CodecName, SharedMemoryChannel } from 'sabway'
import { keep } from '../support/channels.js'
import { throwsError } from '../support/errors.js'
import { detach, type Row, TABLE } from '../support/value-kinds.js'

const CODECS = ['v8', 'msgpack', 'structured'] as const

/** One way through a ring, there and then. */
function channelOf(codec: CodecName, bytes = 1 << 20): (value: unknown) => unknown {
  const renderer = keep(new SharedMemoryChannel<unknown>(bytes, bytes, { codec }) as never) as SharedMemoryChannel
  const native = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' }) as never) as SharedMemoryChannel
  return (value) => {
    assert.equal((renderer as SharedMemoryChannel<unknown>).trySend(value), true)
    return (native as SharedMemoryChannel<unknown>).tryReceive()!.message
  }
}

/**
 * What a value is made of, as text: kinds, own keys in their order, slots, and which objects are
 * one. Prototypes of classes too.
 */
function anatomy(root: unknown): string {
  const lines: string[] = []
  const numbers = new Map<object, number>()
  const todo: object[] = []
  const name = (value: unknown): string => {
    if (Object.is(value, -0)) return '-0'
    if (typeof value === 'string') return JSON.stringify(value)
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value !== 'object' || value === null) return String(value)
    if (!numbers.has(value)) {
      numbers.set(value, numbers.size)
      todo.push(value)
    }
    return `#${numbers.get(value)}`
  }
  lines.push(name(root))
  for (let value = todo.shift(); value !== undefined; value = todo.shift()) {
    const prototype = Object.getPrototypeOf(value)
    const parts: string[] = [prototype === null ? 'null' : String(prototype.constructor?.name)]
    let keys: PropertyKey[] = Reflect.ownKeys(value)
    if (ArrayBuffer.isView(value)) {
      parts.push(
        `${value.byteLength} bytes`,
        Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'),
      )
      keys = []
    } else if (types.isArrayBuffer(value)) {
      const { resizable, maxByteLength } = value as { resizable?: boolean; maxByteLength?: number }
      parts.push(Buffer.from(value as ArrayBuffer).toString('hex'), `${resizable} ${resizable && maxByteLength}`)
    } else if (types.isDate(value)) parts.push(`${Date.prototype.getTime.call(value)}`)
    else if (types.isRegExp(value)) parts.push(`${value.source} ${value.flags} ${value.lastIndex}`)
    else if (types.isBoxedPrimitive(value)) parts.push(name((value as { valueOf(): unknown }).valueOf()))
    else if (types.isMap(value))
      for (const [key, part] of value as Map<unknown, unknown>) parts.push(`${name(key)} => ${name(part)}`)
    else if (types.isSet(value)) for (const part of value as Set<unknown>) parts.push(name(part))
    else if (types.isNativeError(value)) {
      const { name: called, stack } = value as Error
      parts.push('error', called, String(stack))
      keys = keys.filter((key) => key !== 'stack' && key !== 'name').sort()
    } else if (Array.isArray(value)) parts.push('array')
    for (const key of keys) {
      const { value: part, get, enumerable, writable } = Object.getOwnPropertyDescriptor(value, key)!
      parts.push(
        `${String(key)}${enumerable ? '' : ' hidden'}${writable ? '' : ' fixed'}: ${get ? 'getter' : name(part)}`,
      )
    }
    lines.push(parts.join('; '))
  }
  return lines.join('\n')
}

/** What structuredClone makes of it, or null when it refuses. */
function cloned(make: () => unknown): { clone: unknown } | null {
  try {
    return { clone: structuredClone(make()) }
  } catch {
    return null
  }
}

function check(make: () => unknown, { refused, more }: Row): void {
  for (const codec of CODECS) {
    const through = channelOf(codec)
    if (more !== undefined) {
      const value = make()
      assert.equal(anatomy(through(value)), anatomy(value), codec)
      continue
    }
    const reference = cloned(make)
    if (refused !== undefined || reference === null) {
      throwsError(() => through(make()), 'ERR_SABWAY_NOT_ENCODABLE', /./)
      assert.equal(through('the next'), 'the next', `${codec} sent nothing of it`)
    } else assert.equal(anatomy(through(make())), anatomy(reference.clone), codec)
  }
}

const names = Object.keys(TABLE)

describe('what codecs make of', () => {
  it('a table of many kinds', () => assert.ok(names.length >= 80, `${names.length} kinds`))

  for (const name of names) {
    const row = TABLE[name]!
    const { make } = row
    it(`${name}: ${row.refused ? 'a refusal' : 'the same as structuredClone, or a refusal'}`, () => {
      check(typeof make === 'string' ? () => runInThisContext(make) : make, row)
    })
    if (typeof make === 'string') {
      it(`${name}, of another realm`, () => check(() => runInNewContext(make), row))
    }
  }
})

for (const codec of CODECS) {
  describe(`the codec ${codec}`, () => {
    it('carries what is 10,000 levels deep, of every kind that has a depth', () => {
      const through = channelOf(codec, 1 << 22)
      type Deep = { inside: unknown }
      const wraps: [(inside: unknown) => unknown, (value: never) => unknown][] = [
        [(inside) => ({ inside }), (value: Deep) => value.inside],
        [(inside) => [inside], (value: unknown[]) => value[0]],
        [(inside) => new Map([[1, inside]]), (value: Map<number, unknown>) => value.get(1)],
        [(inside) => new Map([[inside, 1]]), (value: Map<unknown, number>) => [...value.keys()][0]],
        [(inside) => new Set([inside]), (value: Set<unknown>) => [...value][0]],
        [(inside) => Object.assign([], { inside }), (value: Deep) => value.inside],
      ]
      for (const [wrap, unwrap] of wraps) {
        let value: unknown = 'the end'
        for (let i = 0; i < 10_000; i++) value = wrap(value)
        let copy = through(value)
        for (let i = 0; i < 10_000; i++) copy = unwrap(copy as never)
        assert.equal(copy, 'the end')
      }
    })

    it('carries a long chain whose links are also in a list', () => {
      const links = Array.from({ length: 10_000 }, (_, i) => ({ i, next: null as unknown }))
      links.forEach((link, i) => {
        link.next = links[i + 1] ?? null
      })
      const copy = channelOf(codec, 1 << 22)({ links }) as { links: typeof links }
      for (const [i, link] of copy.links.entries()) assert.equal(link.next, copy.links[i + 1] ?? null)
    })

    it('carries strings of 4 MiB, of one byte and of two, and says when one is too large', () => {
      const through = channelOf(codec, 1 << 24)
      for (const part of ['a', 'ä', '日', '\ud800']) {
        const text = part.repeat(2 ** 22)
        assert.ok(through(text) === text, part)
      }
      throwsError(() => channelOf(codec, 1 << 16)('x'.repeat(2 ** 20)), 'ERR_SABWAY_MESSAGE_TOO_LARGE', /./)
    })

    it('carries halves of surrogate pairs wherever they stand', () => {
      const through = channelOf(codec)
      const texts = [
        '\ud800',
        '\udc00',
        'a\udc00',
        'a\ud800',
        '\ud800a',
        '\udc00a',
        '\udc00\ud800',
        '\ud83d\ude00\ude00',
      ]
      for (const text of texts) {
        assert.ok(through(text) === text, JSON.stringify(text))
        assert.deepEqual(through({ [text]: [text] }), { [text]: [text] })
      }
    })

    it('copies what a view shows when it is sent, whatever memory it is in', () => {
      const through = channelOf(codec)
      for (const view of [
        new Uint8Array(new SharedArrayBuffer(8), 2, 3).fill(7),
        new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 5, 3).fill(7),
        Buffer.from([0, 7, 7, 7]).subarray(1),
      ]) {
        const copy = through(view) as Uint8Array
        assert.equal(anatomy(copy), anatomy(Uint8Array.of(7, 7, 7)))
        assert.equal(copy.buffer.byteLength, 3)
      }
    })

    it('refuses memory that a getter takes away after it was read', () => {
      const through = channelOf(codec)
      const whole = (bytes: Uint8Array<ArrayBuffer>): unknown => ({
        bytes,
        get later() {
          detach(bytes.buffer)
          return 1
        },
      })
      throwsError(() => through(whole(new Uint8Array(100))), 'ERR_SABWAY_NOT_ENCODABLE', /taken away|transferred/)
      throwsError(() => through([whole(new Uint8Array(100))]), 'ERR_SABWAY_NOT_ENCODABLE', /taken away|transferred/)
      assert.equal(through('the next'), 'the next')
    })

    it('calls a getter once', () => {
      let calls = 0
      const value = {
        get once() {
          calls++
          return calls
        },
      }
      assert.deepEqual(channelOf(codec)(value), { once: 1 })
    })
  })
}
