// The boids without shared memory: each step, the page posts all of them to each worker, and takes
// the moved ones from their answers.
import { BOIDS, partOf, scatter } from './boids.mjs'

/**
 * A simulation, of either kind: `begin` a step, and when it `isDone` draw it.
 * @typedef {object} Simulation
 * @property {import('./flock.mjs').Boids} boids as they are behind the last step that is done
 * @property {() => void} begin
 * @property {() => boolean} isDone
 * @property {(at: number[] | null) => void} chase where the hawk is, if it hunts
 * @property {{ handOver: number, step: number }} stats of the last step, in milliseconds: what the
 *   page's thread has spent on handing boids over; from `begin` until all boids were moved
 * @property {() => void} stop
 */

/**
 * @param {{ boids?: number, workers?: number }} [options]
 * @returns {Promise<Simulation>}
 */
export async function startCopies({ boids = BOIDS, workers = 2 } = {}) {
  const position = new Float32Array(2 * boids)
  const velocity = new Float32Array(2 * boids)
  scatter(position, velocity)
  const stats = { handOver: 0, step: 0 }
  let left = 0
  let began = 0
  /** @type {number[] | null} */
  let hawk = null
  const threads = Array.from(
    { length: workers },
    () => new Worker(new URL('copies-worker.mjs', import.meta.url), { type: 'module' }),
  )
  await Promise.all(
    threads.map(
      (thread, n) =>
        new Promise((resolve, reject) => {
          thread.onmessage = resolve
          thread.onerror = reject
          thread.postMessage({ n, workers })
        }),
    ),
  )
  for (const thread of threads) {
    thread.onmessage = (event) => {
      const begun = performance.now()
      const part = event.data // it is deserialized here
      const [from = 0] = partOf(part.n, workers, boids)
      position.set(part.position, 2 * from)
      velocity.set(part.velocity, 2 * from)
      stats.handOver += performance.now() - begun
      left--
      stats.step = performance.now() - began
    }
  }
  return {
    boids: { position, velocity },
    begin() {
      began = performance.now()
      left = workers
      threads.forEach((thread, n) => {
        thread.postMessage({ position, velocity, hawk, n, workers })
      })
      stats.handOver = performance.now() - began
    },
    isDone: () => left === 0,
    chase(at) {
      hawk = at
    },
    stats,
    stop() {
      for (const thread of threads) thread.terminate()
    },
  }
}
