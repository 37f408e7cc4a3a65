// A C program, threads and a process of JavaScript that change the same objects at once: the native
// core and the WebAssembly core, in the middle of each other's calls.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { defineObject, MemoryHeap, Region, SharedMap } from 'sabway'
import { endContainers, makeContainers } from '../support/containers.js'
import { times } from '../support/effort.js'
import { program } from '../support/paths.js'
import { Peer } from '../support/processes.js'
import { DEFINITION } from '../support/records.js'
import { closeLater } from '../support/regions.js'
import { Thread } from '../support/threads.js'
import { until } from '../support/wait.js'
import type { ContainersDone } from '../workers/containers.js'

interface ProgramDone extends ContainersDone {
  counted: number
  changed: number
}

const started: ChildProcess[] = []

/** It has begun when this resolves, to what ends it and tells what it has done. */
async function begin(token: string, number: number): Promise<() => Promise<ProgramDone>> {
  const child = spawn(program('mixed'), [token, `${number}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  started.push(child)
  const closed = once(child, 'close')
  const lines: string[] = []
  createInterface(child.stdout!).on('line', (line) => lines.push(line))
  await until(() => lines.length > 0 || child.exitCode !== null, 'its first line')
  return async () => {
    child.stdin!.end()
    const [code] = await closed
    assert.deepEqual([code, lines.shift()], [0, 'begun'])
    return JSON.parse(lines.shift()!) as ProgramDone
  }
}

describe('objects that C and JavaScript change at once', () => {
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })

  it('are whole, and lose nothing', async () => {
    const region = closeLater(Region.create({ size: 2 ** 26, share: 'processes' }))
    const heap = new MemoryHeap(region.token)
    closeLater(heap.region)
    const made = makeContainers(heap)
    const map = new SharedMap<number, number>(heap, { numeric: 'f64' })
    const Counter = defineObject(DEFINITION)
    const record = new Counter(heap)
    const { string, vector, wide, list } = made
    for (const [name, object] of Object.entries({ string, vector, wide, list, map, record }))
      heap.region.set(name, object)

    const turns = times(30_000)
    const shared = heap.getSharedMemory()
    const containers = made.pointers
    const programs = [await begin(region.token, 1), await begin(region.token, 2)]
    const threads = [3, 4].map((number) => new Thread('containers', { shared, containers, number, turns }))
    const process = new Peer({ shared: region.token, containers, number: 5, turns })
    const adds = new Thread('map', { shared, map: map.getSharedMemory(), uses: 'add', count: turns, mark: 1 })
    const changes = times(10_000)
    const counts = new Thread('record', { shared, pointer: record.pointer, changes: 'count', count: changes })

    const all: ContainersDone[] = []
    for (const each of [...threads, process]) {
      assert.equal(await each.next(), 'begun')
      all.push(await each.next<ContainersDone>())
    }
    assert.equal(await adds.next(), 'done')
    assert.equal(await counts.next(), 'done')
    const done = await Promise.all(programs.map((end) => end()))
    const sum = (of: keyof ContainersDone) => [...all, ...done].reduce((total, each) => total + each[of], 0)
    assert.equal(vector.length, 1 + sum('pushed') - sum('popped'))
    assert.equal(vector.get(0), sum('added'))
    assert.ok(done.every(({ set }) => set > 0))
    const counted = done.reduce((total, each) => total + each.counted, turns)
    assert.equal(
      [...map.values()].reduce((total, each) => total + each),
      counted,
    )
    const changed = done.reduce((total, each) => total + each.changed, changes)
    const { a, b, c } = record.snapshot()
    assert.deepEqual([a, b, ...c], [changed, changed, ...Array(3).fill(changed % 65536)])
    map.free()
    record.free()
    endContainers(made, 0)
    heap.check()
  })
})
