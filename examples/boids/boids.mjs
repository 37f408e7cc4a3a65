// What the page and its workers share: the boids, and what a worker tells of its work.

export const BOIDS = 50_000
export const MOST_WORKERS = 16

/** One boid: where it is in the unit square, and how far it flies in a step. */
export const BOID = /** @type {const} */ ({ position: ['f32', 2], velocity: ['f32', 2] })

/**
 * All else. The boids flee from `hawk` while it is `hunting`. Workers wait for `tick`. Times are
 * milliseconds since 1970: when the last step began, and when each worker had done its part of it.
 */
export const WORLD = /** @type {const} */ ({
  hawk: ['f32', 2],
  hunting: 'bool',
  tick: ['i32', 1],
  done: 'i32',
  began: 'f64',
  ended: ['f64', MOST_WORKERS],
})

export const now = () => performance.timeOrigin + performance.now()

/**
 * The boids of worker number `n`: [first, behind the last].
 * @param {number} n
 * @param {number} workers
 * @param {number} boids
 */
export const partOf = (n, workers, boids) => [
  Math.floor((n * boids) / workers),
  Math.floor(((n + 1) * boids) / workers),
]

/** Boids at random places. @param {Float32Array} position @param {Float32Array} velocity */
export function scatter(position, velocity) {
  for (let i = 0; i < position.length; i++) {
    position[i] = Math.random()
    velocity[i] = (Math.random() - 0.5) * 0.002
  }
}
