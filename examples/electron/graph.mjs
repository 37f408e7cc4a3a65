/** The last values as bars, scaled to the largest. */
export class Graph {
  #canvas
  /** @type {number[]} */
  #values = []

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas
  }

  /** @param {number} value */
  add(value) {
    const canvas = this.#canvas
    const context = canvas.getContext('2d')
    if (context === null) return
    const { clientWidth: width, clientHeight: height } = canvas
    Object.assign(canvas, { width, height }) // which clears it
    this.#values.push(value)
    if (this.#values.length > width / 6) this.#values.shift()
    const largest = Math.max(1, ...this.#values)
    context.fillStyle = '#4c9'
    this.#values.forEach((one, i) => {
      const tall = (one / largest) * (height - 4)
      context.fillRect(i * 6, height - tall, 5, tall)
    })
  }
}
