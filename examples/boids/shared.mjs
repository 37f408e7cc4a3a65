// The boids in shared memory: workers move them, and the page draws them from the same bytes. No
// frame posts anything.
// 'sabway', with a bundler
import { defineObject, MemoryHeap, SharedStructArray } from '../../dist/browser.mjs'
import { BOID, BOIDS, now, scatter, WORLD } from './boids.mjs'

const ROOM = 16 << 20

/** @typedef {import('./copies.mjs').Simulation} Simulation */

/**
 * @param {{ boids?: number, workers?: number }} [options]
 * @returns {Promise<Simulation>}
 */
export async function startShared({ boids = BOIDS, workers = 2 } = {}) {
  const heap = new MemoryHeap({ size: ROOM })
  const Boid = defineObject(BOID)
  // One is read while the other is written, by turns.
  const flocks = [0, 1].map(() => new SharedStructArray(heap, Boid, { length: boids }))
  const columns = flocks.map((flock) => flock.columns)
  const world = new (defineObject(WORLD))(heap)
  const { tick } = world
  let shown = /** @type {import('./flock.mjs').Boids} */ (columns[0])
  scatter(shown.position, shown.velocity)
  const threads = Array.from({ length: workers }, (_, n) => {
    const thread = new Worker(new URL('shared-worker.mjs', import.meta.url), { type: 'module' })
    thread.postMessage({
      shared: heap.getSharedMemory(),
      flocks: flocks.map((flock) => flock.getSharedMemory()),
      world: world.getSharedMemory(),
      n,
      workers,
    })
    return thread
  })
  await Promise.all(
    threads.map(
      (thread) =>
        new Promise((resolve, reject) => {
          thread.onmessage = resolve
          thread.onerror = reject
        }),
    ),
  )
  const stats = { handOver: 0, step: 0 }
  return {
    get boids() {
      return shown
    },
    begin() {
      const begun = performance.now()
      world.done = 0
      world.began = now()
      Atomics.add(tick, 0, 1)
      Atomics.notify(tick, 0)
      stats.handOver = performance.now() - begun
    },
    isDone() {
      const begun = performance.now()
      if (world.atomicLoad('done') !== workers) return false
      stats.step = Math.max(...world.ended.subarray(0, workers)) - world.began
      shown = columns[Atomics.load(tick, 0) % 2] ?? shown
      stats.handOver += performance.now() - begun
      return true
    },
    chase(at) {
      // a page must not wait; another move of the pointer follows
      world.tryLock((fields) => {
        fields.hunting = at !== null
        if (at !== null) fields.hawk.set(at)
      })
    },
    stats,
    stop() {
      for (const thread of threads) thread.terminate()
      heap.region.close()
    },
  }
}
