// The same worker without shared memory: it is sent all boids, and posts back those that it has
// moved.
import { partOf } from './boids.mjs'
import { Flock } from './flock.mjs'

const model = new Flock()

self.onmessage = ({ data: { position, velocity, hawk, n, workers } }) => {
  if (position === undefined) {
    self.postMessage('ready')
    return
  }
  const [from = 0, to = 0] = partOf(n, workers, position.length / 2)
  const part = { n, position: new Float32Array(2 * (to - from)), velocity: new Float32Array(2 * (to - from)) }
  model.step({ position, velocity }, part, 0, from, to, hawk)
  self.postMessage(part, { transfer: [part.position.buffer, part.velocity.buffer] })
}
