// The field: this player, the others, and the star that is to be had.
import { starAt } from './game.mjs'

/**
 * A colour of its own for each id.
 * @param {string} id
 */
export function colourOf(id) {
  let hash = 0
  for (const letter of id) hash = (Math.imul(hash, 31) + (letter.codePointAt(0) ?? 0)) | 0
  return `hsl(${(hash >>> 0) % 360} 75% 62%)`
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} id
 */
export function drawerOn(canvas, id) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const { width, height } = canvas
  const disc = (/** @type {import('./game.mjs').Point} */ { x, y }, /** @type {number} */ radius) => {
    context.beginPath()
    context.arc(x * width, y * height, radius, 0, 2 * Math.PI)
    context.fill()
  }

  const star = (/** @type {import('./game.mjs').Point} */ { x, y }) => {
    context.beginPath()
    for (let i = 0; i < 10; i++) {
      const [angle, radius] = [(Math.PI * i) / 5 - Math.PI / 2, i % 2 === 0 ? 14 : 6]
      context.lineTo(x * width + radius * Math.cos(angle), y * height + radius * Math.sin(angle))
    }
    context.fill()
  }

  /** @param {import('./game.mjs').Game} game */
  return (game) => {
    context.fillStyle = '#10141c'
    context.fillRect(0, 0, width, height)
    context.fillStyle = '#ffd75e'
    star(starAt(game.star))
    context.font = '13px system-ui'
    context.textAlign = 'center'
    for (const [name, player] of [...game.players, /** @type {const} */ ([id, game.me])]) {
      context.fillStyle = colourOf(name)
      disc(player, 11)
      context.fillText(`${name}: ${player.score}`, player.x * width, player.y * height - 17)
    }
    context.strokeStyle = '#fff'
    context.lineWidth = 2
    context.beginPath()
    context.arc(game.me.x * width, game.me.y * height, 11, 0, 2 * Math.PI)
    context.stroke()
  }
}
