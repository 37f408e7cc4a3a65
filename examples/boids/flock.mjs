// The simulation: each boid flies as its neighbours do, towards them, and not into them. It works
// on arrays of numbers, x and y in turn, wherever they are. A step reads one set of them and writes
// another: what a step gives does not depend on how many workers do it, and no worker writes what
// another reads meanwhile.

/** @typedef {{ readonly position: Float32Array, readonly velocity: Float32Array }} Boids */

const CELLS = 150 // along each side of the unit square
const NEAR = 1 / CELLS
const TOO_NEAR = NEAR / 3
const NEIGHBOURS = 8 // that a boid looks at, at most
const SLOWEST = 0.0006
const FASTEST = 0.0018
const FEAR = 0.12

/** From -0.5 to 0.5: the square has no borders. @param {number} distance */
const around = (distance) => (distance > 0.5 ? distance - 1 : distance < -0.5 ? distance + 1 : distance)

/** @param {number} place */
const cellOf = (place) => Math.min(CELLS - 1, Math.max(0, (place * CELLS) | 0))

export class Flock {
  /** Where the boids of each cell begin in `#order`. */
  #begin = new Int32Array(CELLS * CELLS + 1)
  #order = new Int32Array(0)
  #pullX = 0
  #pullY = 0

  /** Sort all boids by their cells. @param {Float32Array} position */
  #sort(position) {
    const count = position.length / 2
    const begin = this.#begin
    if (this.#order.length !== count) this.#order = new Int32Array(count)
    const cells = new Int32Array(count)
    begin.fill(0)
    for (let i = 0; i < count; i++) {
      const cell = cellOf(position[2 * i + 1] ?? 0) * CELLS + cellOf(position[2 * i] ?? 0)
      cells[i] = cell
      begin[cell + 1] = (begin[cell + 1] ?? 0) + 1
    }
    for (let cell = 0; cell < CELLS * CELLS; cell++) begin[cell + 1] = (begin[cell + 1] ?? 0) + (begin[cell] ?? 0)
    const next = begin.slice()
    for (let i = 0; i < count; i++) {
      const cell = cells[i] ?? 0
      const at = next[cell] ?? 0
      next[cell] = at + 1
      this.#order[at] = i
    }
  }

  /**
   * Move the boids from number `from` to the one before `to`.
   * @param {Boids} boids all of them
   * @param {Boids} moved where they go, the first of them at index `first`
   * @param {number} first
   * @param {number} from
   * @param {number} to
   * @param {ArrayLike<number> | null} hawk
   */
  step({ position, velocity }, moved, first, from, to, hawk) {
    const { position: newPosition, velocity: newVelocity } = moved
    this.#sort(position)
    for (let i = from; i < to; i++) {
      const at = 2 * i
      const x = position[at] ?? 0
      const y = position[at + 1] ?? 0
      let vx = velocity[at] ?? 0
      let vy = velocity[at + 1] ?? 0
      this.#look(i, x, y, vx, vy, position, velocity)
      vx += this.#pullX
      vy += this.#pullY
      if (hawk !== null) {
        const dx = around(x - (hawk[0] ?? 0))
        const dy = around(y - (hawk[1] ?? 0))
        const far = dx * dx + dy * dy
        if (far < FEAR * FEAR && far > 0) {
          vx += (dx / far) * 4e-6
          vy += (dy / far) * 4e-6
        }
      }
      const speed = Math.sqrt(vx * vx + vy * vy) || SLOWEST
      const wanted = Math.min(FASTEST, Math.max(SLOWEST, speed)) / speed
      const into = at - 2 * from + 2 * first
      newVelocity[into] = vx *= wanted
      newVelocity[into + 1] = vy *= wanted
      newPosition[into] = (x + vx + 1) % 1
      newPosition[into + 1] = (y + vy + 1) % 1
    }
  }

  /**
   * How its neighbours change a boid's velocity: to #pullX and #pullY.
   * @param {number} i @param {number} x @param {number} y @param {number} vx @param {number} vy
   * @param {Float32Array} position @param {Float32Array} velocity
   */
  #look(i, x, y, vx, vy, position, velocity) {
    const begin = this.#begin
    const order = this.#order
    let seen = 0
    let sumX = 0
    let sumY = 0
    let sumVx = 0
    let sumVy = 0
    let awayX = 0
    let awayY = 0
    const cellX = cellOf(x)
    const cellY = cellOf(y)
    for (let row = -1; row <= 1 && seen < NEIGHBOURS; row++) {
      for (let column = -1; column <= 1 && seen < NEIGHBOURS; column++) {
        const cell = ((cellY + row + CELLS) % CELLS) * CELLS + ((cellX + column + CELLS) % CELLS)
        const end = begin[cell + 1] ?? 0
        for (let k = begin[cell] ?? 0; k < end && seen < NEIGHBOURS; k++) {
          const j = 2 * (order[k] ?? 0)
          if (j === 2 * i) continue
          const dx = around((position[j] ?? 0) - x)
          const dy = around((position[j + 1] ?? 0) - y)
          const far = dx * dx + dy * dy
          if (far > NEAR * NEAR) continue
          seen++
          sumX += dx
          sumY += dy
          sumVx += velocity[j] ?? 0
          sumVy += velocity[j + 1] ?? 0
          if (far < TOO_NEAR * TOO_NEAR) {
            awayX -= dx
            awayY -= dy
          }
        }
      }
    }
    const some = seen || 1
    this.#pullX = (sumVx / some - vx * (seen / some)) * 0.08 + (sumX / some) * 0.002 + awayX * 0.02
    this.#pullY = (sumVy / some - vy * (seen / some)) * 0.08 + (sumY / some) * 0.002 + awayY * 0.02
  }
}
