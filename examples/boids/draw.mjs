// Boids as pixels, coloured by the direction in which they fly.

const BACKGROUND = 0xff1a1008 // alpha, blue, green, red
const DIRECTIONS = 64

/** A colour for each direction, as a pixel's word. */
const COLOURS = Uint32Array.from({ length: DIRECTIONS }, (_, i) => {
  const part = (/** @type {number} */ shift) => Math.round(150 + 105 * Math.cos(2 * Math.PI * (i / DIRECTIONS - shift)))
  return ((255 << 24) | (part(2 / 3) << 16) | (part(1 / 3) << 8) | part(0)) >>> 0
})

/** @param {HTMLCanvasElement} canvas */
export function drawerOn(canvas) {
  const { width, height } = canvas
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const image = context.createImageData(width, height)
  const pixels = new Uint32Array(image.data.buffer)
  /** @param {import('./flock.mjs').Boids} boids */
  return ({ position, velocity }) => {
    pixels.fill(BACKGROUND)
    for (let i = 0; i < position.length; i += 2) {
      const x = ((position[i] ?? 0) * width) | 0
      const y = ((position[i + 1] ?? 0) * height) | 0
      const angle = Math.atan2(velocity[i + 1] ?? 0, velocity[i] ?? 0) / (2 * Math.PI) + 1
      pixels[y * width + x] = COLOURS[((angle * DIRECTIONS) | 0) % DIRECTIONS] ?? 0
    }
    context.putImageData(image, 0, 0)
  }
}
