// Messages that no encoder wrote: bytes at random, and encoded values with some of their bytes
// changed. What a peer writes may cost an error of one code, and nothing else.
import assert from 'node:assert/strict'
import { Packr } from 'msgpackr'
import { type CodecName, SharedMemoryChannel } from 'sabway'
import { keep, takeAll } from '../support/channels.js'
import { assertError } from '../support/errors.js'
import { TABLE } from '../support/value-kinds.js'

const ROUNDS = 4000
const BYTES = 1 << 20

function pairOf(codec: CodecName) {
  const renderer = keep(new SharedMemoryChannel(BYTES, 4096, { codec } as never)) as SharedMemoryChannel<unknown>
  const native = keep(SharedMemoryChannel.attach(renderer.handle, { side: 'native' })) as SharedMemoryChannel<unknown>
  return {
    encoded(value: unknown): Uint8Array {
      renderer.trySend(value)
      return takeAll(native as SharedMemoryChannel)[0]!
    },
    /** What is received, or null: then the error was the right one. */
    decoded(bytes: Uint8Array): { message: unknown } | null {
      renderer.reserve(bytes.length)!.set(bytes)
      renderer.commit()
      try {
        return native.tryReceive()
      } catch (error) {
        assertError(error, 'ERR_SABWAY_NOT_DECODABLE', /./)
        return null
      }
    },
  }
}

function randomly(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PROTOTYPES = [Object, Array, Map, Set, Date, RegExp, Error, Function, Uint8Array].map(
  ({ prototype }) => prototype,
)
const builtIns = () => JSON.stringify(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String)))

/** A message of the codec 'msgpack' that holds this list. */
function listed(list: unknown, behind = 0): Uint8Array {
  const head = new Packr({ useRecords: false, useBigIntExtension: true, mapsAsObjects: false } as never).pack(list)
  return framed(head, behind)
}

function framed(head: Uint8Array, behind = 0): Uint8Array {
  const message = new Uint8Array(((4 + head.length + 7) & ~7) + behind)
  new DataView(message.buffer).setUint32(0, head.length, true)
  message.set(head, 4)
  return message
}

describe('hostile messages for the codec msgpack', () => {
  it('an extension of a type that no encoder writes, such as a time stamp, is refused', () => {
    const { decoded, encoded } = pairOf('msgpack')
    const honest = [...encoded([42, 42])]
    const at = honest.indexOf(42)
    for (const type of [0xff, 1, 5, 0x73]) {
      const list = honest.slice(4, 4 + honest[0]!)
      list.splice(at - 4, 1, 0xd6, type, 0, 0, 0, 1) // four bytes of that type
      assert.equal(decoded(framed(Uint8Array.from(list))), null, `type ${type}`)
    }
  })
})

for (const codec of ['msgpack', 'v8'] as const) {
  describe(`hostile messages for the codec ${codec}`, () => {
    it('random bytes, with and without a head that looks right', () => {
      const { decoded } = pairOf(codec)
      const before = builtIns()
      const random = randomly(1)
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = Uint8Array.from({ length: random(64) }, () => random(256))
        const head = codec === 'v8' ? [0xff, 15, ...bytes] : [0x90 + random(16), ...bytes]
        decoded(round % 2 === 0 ? bytes : framed(Uint8Array.from(head), random(3) * 8))
      }
      assert.equal(builtIns(), before)
    })

    it('values with some of their bytes changed, cut off or repeated', () => {
      const { decoded, encoded } = pairOf(codec)
      const before = builtIns()
      const seeds: Uint8Array[] = []
      for (const { make } of Object.values(TABLE)) {
        try {
          seeds.push(encoded(typeof make === 'string' ? new Function(`return ${make}`)() : make()))
        } catch {
          // It is refused.
        }
      }
      assert.ok(seeds.length > 60)
      const random = randomly(2)
      for (let round = 0; round < ROUNDS; round++) {
        const bytes = seeds[random(seeds.length)]!.slice()
        for (let change = random(4); change >= 0; change--) bytes[random(bytes.length)] = random(256)
        decoded(random(8) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes)
      }
      assert.equal(builtIns(), before)
      assert.deepEqual(decoded(seeds[0]!.slice()) !== null, true)
    })
  })
}

describe('a list that no encoder wrote', () => {
  const rows: [what: string, list: unknown, behind?: number][] = [
    ['no value', []],
    ['more than its value', [1, 2]],
    ['no list', 5],
    ['a Map', new Map([[1, 2]])],
    ['an array of a third level', [[[0]]]],
    ['an object of the reader', [[15, 'constructor']]],
    ['an object that is not there', [[15, 0]]],
    ['an object before the first', [[15, -1]]],
    [
      'half an object',
      [
        [2, 1],
        [15, 0.5],
      ],
    ],
    ['a class of the reader', [[10, 'constructor', 0]]],
    ['a view of no known type', [[10, 99, 0]]],
    ['a view longer than the message', [[10, 1, 1e9]]],
    ['a view a little longer than the message', [[10, 1, 16]], 8],
    ['a view of less than nothing', [[10, 1, -8]], 8],
    ['half a byte', [[10, 1, 0.5]], 8],
    ['NaN bytes', [[11, Number.NaN]], 8],
    ['a buffer that may grow to anything', [[11, 0, 2 ** 50]]],
    ['buffers that may grow to much', [[2, 3], ...Array(3).fill([11, 0, 2 ** 31])]],
    ['a buffer larger than it may be', [[11, 8, 4]], 8],
    ['a port', [[13, 1]]],
    ['a port of no number', [[13, 'x']]],
    ['an array longer than the list', [[2, 2 ** 31]]],
    ['an array of less than nothing', [[2, -1]]],
    ['a sparse array of no length', [[3, -1, 0]]],
    ['a sparse array longer than any', [[3, 2 ** 32, 0]]],
    ['a sparse array with a key that is its length', [[3, 4, 1], 'length', -1]],
    ['keys that are no text', [[0, 'a', 5], 1, 2]],
    ['keys that it does not have', [[0, 7]]],
    ['a key that is an object', [[1, 1], [0], 1]],
    ['a boxed object', [[8], [0]]],
    ['a boxed undefined', [[8], undefined]],
    ['an error of no class', [[9, 99, 0]]],
    ['an error whose name is an object', [[9, 0, 1], [0]]],
    ['a pattern that is none', [[7, 'g'], '(']],
    ['flags that are none', [[7, 'gg'], 'x']],
    ['a kind that is not known', [[99]]],
    ['a kind by name', [['constructor']]],
    ['a kind that is none', [[]]],
  ]
  for (const [what, list, behind] of rows) {
    it(`with ${what} is refused`, () => assert.equal(pairOf('msgpack').decoded(listed(list, behind)), null))
  }

  it('makes own properties of every key, and touches no prototype', () => {
    const { decoded } = pairOf('msgpack')
    const before = builtIns()
    for (const list of [
      [[0, '__proto__'], [0, 'polluted'], 1],
      [[1, 1], '__proto__', [0, 'polluted'], 1],
      [[3, 0, 1], '__proto__', [0, 'polluted'], 1],
    ]) {
      const { message } = decoded(listed(list))!
      assert.equal((message as { polluted?: unknown }).polluted, undefined)
      assert.deepEqual(Object.keys(message as object), ['__proto__'])
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.equal(builtIns(), before)
  })

  it('costs no more memory than its length explains', () => {
    const { decoded } = pairOf('msgpack')
    const nested = new Uint8Array(500_000).fill(0xc0)
    // arrays of arrays, each as long as what is left
    for (let i = 0; i < 2000; i++) nested.set([0xdd, 0, 7, 0, 0], i * 5)
    const before = process.memoryUsage()
    assert.equal(decoded(framed(nested)), null)
    assert.equal(decoded(listed(Array(50_000).fill([3, 1024, 0]))), null)
    const much = decoded(listed([[2, 50_000], ...Array(50_000).fill([3, 1024, 0])]))
    const { heapUsed, external } = process.memoryUsage()
    assert.equal((much!.message as unknown[]).length, 50_000)
    const grown = (heapUsed + external - before.heapUsed - before.external) / 1e6
    assert.ok(grown < 150, `${grown.toFixed()} MB`)
  })

  it('has no records of a peer, which would be kept for the messages of others', () => {
    const { decoded } = pairOf('msgpack')
    for (const bytes of [
      [0x92, 0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01, 0x40],
      [0x91, 0xc7, 1, 0x65, 0],
      [0x91, 0xd6, 0xff, 0, 0, 0, 0],
      [0x91, 0x81, 0xa1, 0x61, 1],
      [0x91, 0xc4, 1, 0],
      [0x91, 0xc1],
    ]) {
      assert.equal(decoded(framed(Uint8Array.from(bytes))), null)
    }
  })
})
