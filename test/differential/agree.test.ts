// One script of calls on the native core, on the wasm core, and on both in turn: every call answers
// the same, wakes the same, and leaves the same bytes behind.
import assert from 'node:assert/strict'
import { random } from '../js/support/bytes.js'
import { seed, times } from '../js/support/effort.js'
import type { Transcript } from './calls.js'
import { Arena, type HostName, OBJECT_HOSTS, ObjectArena, type ObjectHostName, objectFunctions } from './hosts.js'
import { type ObjectHostFor, ObjectScript, PARTICIPANTS } from './object-script.js'
import { type HostFor, Script } from './script.js'

/** SABWAY_SEED=n repeats a run. */
const SEED = seed()
const ROUNDS = times(60)
/** With few pages slabs have no owner between two allocations; with many they keep theirs. */
const HEAPS = [
  { what: 'a small heap', pages: 24, rounds: times(30), operations: 700, checkpoints: 6 },
  { what: 'a heap whose slabs have owners', pages: 152, rounds: times(8), operations: 1500, checkpoints: 3 },
]
const PAGES = 19 // the layout's fixed part and two rings of 32 KiB

const sends = (name: string) => name.startsWith('sw_producer') || name === 'sw_channel_open_producer'

/** Which core executes which call. The first is what the others are compared with. */
const CASTS: Record<string, (seed: number) => HostFor> = {
  'the native core': () => () => 'native',
  'the wasm core': () => () => 'wasm',
  'a native producer and a wasm consumer':
    () =>
    ({ name }) =>
      sends(name) ? 'native' : 'wasm',
  'a wasm producer and a native consumer':
    () =>
    ({ name }) =>
      sends(name) ? 'wasm' : 'native',
  'a native renderer side and a wasm native side': () => bySide('native', 'wasm'),
  'a wasm renderer side and a native native side': () => bySide('wasm', 'native'),
  "the addon's core": () => () => 'addon',
  "the addon's core and the wasm core, a side each": () => bySide('addon', 'wasm'),
  "the wasm core and the addon's, a side each": () => bySide('wasm', 'addon'),
  "the addon's producers and wasm consumers":
    () =>
    ({ name }) =>
      sends(name) ? 'addon' : 'wasm',
  "wasm producers and the addon's consumers":
    () =>
    ({ name }) =>
      sends(name) ? 'wasm' : 'addon',
  'one after the other, call by call':
    () =>
    ({ number }) =>
      number % 2 === 0 ? 'native' : 'wasm',
  'either core at random, call by call': (seed) => {
    const next = random(seed)
    return () => (next() < 0.5 ? 'native' : 'wasm')
  },
}

/** The same of the objects; participants are endpoints. */
const OBJECT_CASTS: Record<string, (seed: number) => ObjectHostFor> = {
  'the native core': () => () => 'native',
  'the wasm core': () => () => 'wasm',
  'native and wasm participants in turn':
    () =>
    ({ endpoint }) =>
      OBJECT_HOSTS[endpoint % 2]!,
  'wasm and native participants in turn':
    () =>
    ({ endpoint }) =>
      OBJECT_HOSTS[(endpoint + 1) % 2]!,
  'one after the other, call by call':
    () =>
    ({ number }) =>
      OBJECT_HOSTS[number % 2]!,
  'either core at random, call by call': (seed) => {
    const next = random(seed)
    return () => (next() < 0.5 ? 'native' : 'wasm')
  },
}

function bySide(first: HostName, second: HostName): HostFor {
  return ({ endpoint }: { endpoint: number }) => (endpoint === 0 ? first : second)
}

/**
 * This process, with an unknown start time: endpoints are then told apart by the pid alone, on
 * every host.
 */
const IDENTITY = { pid: process.pid, startLow: 0, startHigh: 0 }

function same(expected: Transcript, got: Transcript, what: string): void {
  const differs = expected.lines.findIndex((line, i) => line !== got.lines[i])
  if (differs >= 0) {
    const before = expected.lines.slice(Math.max(0, differs - 5), differs)
    assert.fail(`${what}\n${before.join('\n')}\nexpected ${expected.lines[differs]}\ngot      ${got.lines[differs]}`)
  }
  assert.equal(got.lines.length, expected.lines.length, what)
  assert.equal(got.checkpoints.length, expected.checkpoints.length, what)
  expected.checkpoints.forEach(({ call, image }, i) => {
    const other = got.checkpoints[i]!.image
    if (image.equals(other)) return
    const at = image.findIndex((byte, k) => byte !== other[k])
    assert.fail(`${what}: after call ${call} byte 0x${at.toString(16)} is ${other[at]}, not ${image[at]}`)
  })
}

/**
 * All but the one that gives memory back to the system, which WebAssembly cannot: what is in the
 * memory then differs.
 */
const OBJECT_FUNCTIONS = objectFunctions.filter((name) => name !== 'sw_heap_trim')

/** How often each function was called, and did not fail. */
function count(transcript: Transcript, counts: Map<string, [number, number]>): void {
  for (const line of transcript.lines) {
    const [, name, result] = /^\d+ \d+ (\w+)\(.*\) = (\S+)/.exec(line) ?? []
    if (name === undefined) continue
    const pair = counts.get(name) ?? [0, 0]
    counts.set(name, [pair[0] + 1, pair[1] + (Number(result) < 0 ? 0 : 1)])
  }
}

describe('hosts agree', () => {
  it('on what there is to call', () => {
    const arena = new Arena(PAGES)
    const names = (host: HostName) => Object.keys(arena.host(host, 0).core).filter((name) => name.startsWith('sw_'))
    const listed = names('wasm').sort()
    for (const host of ['native', 'addon'] as const) assert.deepEqual(names(host).sort(), listed, host)
  })

  it('on the layout', () => {
    const arena = new Arena(PAGES)
    const [first, ...others] = (['native', 'wasm', 'addon'] as const).map((name) =>
      arena.host(name, 0).core.sw_layout_hash!(),
    )
    assert.deepEqual(others, [first, first])
    assert.notEqual(first, 0)
  })

  it(`on ${ROUNDS} scripts`, function () {
    const arena = new Arena(PAGES)
    let calls = 0
    let messages = 0
    for (let round = 0; round < ROUNDS; round++) {
      const seed = (SEED + round) >>> 0
      const transcripts = Object.entries(CASTS).map(([cast, hostFor]) => {
        return [cast, new Script(arena, seed, hostFor(seed), IDENTITY).run()] as const
      })
      const [[, expected], ...others] = transcripts as [[string, Transcript], ...[string, Transcript][]]
      for (const [cast, got] of others) same(expected, got, `SABWAY_SEED=${SEED}, round ${round}, ${cast}`)
      calls += expected.checkpoints.at(-1)!.call
      messages += expected.messages
    }
    const title = `SABWAY_SEED=${SEED}: ${calls} calls, ${messages} messages, ${Object.keys(CASTS).length} casts`
    this.test!.title += ` (${title})`
  })

  it('on what there is to call of objects', () => {
    const arena = new ObjectArena(HEAPS[0]!.pages, PARTICIPANTS)
    const names = (host: ObjectHostName) =>
      Object.keys(arena.host(host, 0).core).filter((name) => name.startsWith('sw_'))
    assert.deepEqual(names('native').sort(), names('wasm').sort())
  })

  for (const { what, pages, rounds, operations, checkpoints } of HEAPS) {
    it(`on ${rounds} scripts with objects in ${what}`, function () {
      const arena = new ObjectArena(pages, PARTICIPANTS)
      const counts = new Map<string, [number, number]>()
      const missing = () => OBJECT_FUNCTIONS.filter((name) => (counts.get(name)?.[1] ?? 0) === 0)
      // The rarest calls are in one script of ten: more scripts where none of these had one.
      const most = rounds < 30 ? rounds : 10 * rounds
      for (let round = 0; round < rounds || (round < most && missing().length > 0); round++) {
        const seed = (SEED + round) >>> 0
        const run = (cast: string) =>
          new ObjectScript(arena, seed, OBJECT_CASTS[cast]!(seed), IDENTITY, operations, checkpoints).run()
        const [first, ...others] = Object.keys(OBJECT_CASTS)
        const expected = run(first!)
        count(expected, counts)
        for (const cast of others) same(expected, run(cast), `SABWAY_SEED=${SEED}, round ${round}, ${cast}`)
      }
      const calls = [...counts.values()].reduce((sum, [all]) => sum + all, 0)
      this.test!.title += ` (SABWAY_SEED=${SEED}: ${calls} calls, ${Object.keys(OBJECT_CASTS).length} casts)`
      if (rounds < 30) return
      assert.deepEqual(missing(), [], 'functions that no script has called with success')
    })
  }
})
