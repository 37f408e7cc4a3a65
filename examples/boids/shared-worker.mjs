// A worker that moves its part of the boids in shared memory, a step each time the page asks.
// 'sabway', with a bundler
import { defineObject, MemoryHeap, SharedStructArray } from '../../dist/browser.mjs'
import { BOID, now, partOf, WORLD } from './boids.mjs'
import { Flock } from './flock.mjs'

self.onmessage = ({ data: { shared, flocks: places, world: place, n, workers } }) => {
  const heap = new MemoryHeap(shared)
  const Boid = defineObject(BOID)
  const world = new (defineObject(WORLD))(heap, place)
  /** @type {SharedStructArray<typeof BOID>[]} */
  const flocks = places.map((/** @type {any} */ each) => new SharedStructArray(heap, Boid, each))
  const [even, odd] = flocks.map(({ columns }) => columns) // the shared memory itself
  const { tick, hawk, ended } = world
  const [from = 0, to = 0] = partOf(n, workers, flocks[0]?.length ?? 0)
  const model = new Flock()
  self.postMessage('ready')
  for (let seen = 0; ; ) {
    Atomics.wait(tick, 0, seen)
    seen = Atomics.load(tick, 0)
    const [boids, moved] = seen % 2 === 0 ? [odd, even] : [even, odd]
    if (boids === undefined || moved === undefined) return
    model.step(boids, moved, from, from, to, world.hunting ? hawk : null)
    ended[n] = now()
    world.atomicAdd('done', 1)
  }
}
