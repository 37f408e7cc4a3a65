// Steps and draws a simulation, frame by frame, and says what that takes.

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0

/**
 * What a frame takes, in milliseconds, as medians.
 * @typedef {object} Times
 * @property {number} frames that were drawn
 * @property {number} step from its beginning until all boids were moved, by the workers
 * @property {number} handOver what the page's thread spends on handing boids over
 * @property {number} draw what it spends on drawing
 * @property {number} frame from one drawn frame to the next
 */

/**
 * @param {import('./copies.mjs').Simulation} simulation
 * @param {(boids: import('./flock.mjs').Boids) => void} draw
 * @param {(times: Times) => void} show called now and then
 */
export function run(simulation, draw, show) {
  let running = true
  let frames = 0
  let last = performance.now()
  /** @type {{ step: number[], handOver: number[], draw: number[], frame: number[] }} */
  let times = { step: [], handOver: [], draw: [], frame: [] }
  const frame = () => {
    if (!running) return
    requestAnimationFrame(frame)
    if (!simulation.isDone()) return
    times.step.push(simulation.stats.step)
    times.handOver.push(simulation.stats.handOver)
    const { boids } = simulation
    simulation.begin() // the workers move them on while the page draws them
    const begun = performance.now()
    draw(boids)
    times.draw.push(performance.now() - begun)
    times.frame.push(begun - last)
    last = begun
    if (++frames % 30 !== 0) return
    show({
      frames,
      step: median(times.step),
      handOver: median(times.handOver),
      draw: median(times.draw),
      frame: median(times.frame),
    })
    times = { step: [], handOver: [], draw: [], frame: [] }
  }
  simulation.begin()
  requestAnimationFrame(frame)
  return {
    stop() {
      running = false
      simulation.stop()
    },
  }
}
