// The page: connects to the others, runs the game, and shows what the network does.

// 'sabway/p2p', with a bundler
import { P2PManager, P2PWebRTC } from '../../dist/browser-p2p.mjs'
import { webSocketSignaller } from '../p2p-signaller/client.mjs'
import { colourOf, drawerOn } from './draw.mjs'
import { CHANNELS, Game } from './game.mjs'

const FRAME = 1000 / 60
const STEP = 0.2 // what a key moves the goal, as a part of the field
/** @type {Record<string, [number, number]>} */
const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id))
const asked = new URLSearchParams(location.search)
const id = asked.get('id') ?? `player-${crypto.randomUUID().slice(0, 4)}`
const signals = `ws://${location.hostname}:${asked.get('signals') ?? 8787}`

const transport = new P2PWebRTC({ id, signaller: webSocketSignaller(signals, { room: 'game', id }) })
const manager = new P2PManager({ transport, channels: CHANNELS })
const scope = /** @type {any} */ (globalThis)
manager.expose(scope)
const game = new Game(scope.WavedashJS, id)
const draw = drawerOn(element('field'), id)
scope.game = game

// ---- players that come and go, and what they say ----

function note(/** @type {string} */ from, /** @type {string} */ text) {
  const line = document.createElement('p')
  const name = document.createElement('b')
  name.style.color = colourOf(from)
  name.textContent = from
  line.append(name, ` ${text}`) // as text: it is from others
  element('chat').append(line)
  while (element('chat').children.length > 100) element('chat').firstChild.remove()
  element('chat').scrollTop = element('chat').scrollHeight
}

game.onChat = note
manager.addEventListener('peer-joined', ({ peer }) => note(peer, 'is here'))
manager.addEventListener('peer-left', ({ peer }) => {
  game.leave(peer)
  note(peer, 'has left')
})
manager.addEventListener('peer-failed', ({ peer, error }) => note(peer ?? 'the network', `failed: ${error.message}`))
element('say').onsubmit = (/** @type {SubmitEvent} */ event) => {
  event.preventDefault()
  if (element('text').value !== '') game.say(element('text').value)
  element('text').value = ''
}

// ---- where to ----

/** @type {import('./game.mjs').Point | null} */
let goal = null
const field = element('field')
field.onpointermove = field.onpointerdown = (/** @type {PointerEvent} */ { offsetX, offsetY }) => {
  goal = { x: offsetX / field.clientWidth, y: offsetY / field.clientHeight }
}
addEventListener('keydown', ({ key, target }) => {
  const by = KEYS[key]
  if (by === undefined || target === element('text')) return
  goal = { x: game.me.x + by[0], y: game.me.y + by[1] }
})
element('lose').oninput = () => {
  game.lose = element('lose').value / 100
  element('losing').textContent = `${element('lose').value} %`
}

// ---- frames ----

/** The deepest that a queue was since the meters were shown. */
let deepest = 0
let last = performance.now()
// By a timer: a page that is hidden has no frames to draw, and is still a player.
setInterval(() => {
  const now = performance.now()
  game.frame(Math.min(0.1, (now - last) / 1000), goal, manager.peers)
  last = now
  deepest = Math.max(deepest, game.depth)
}, FRAME)

requestAnimationFrame(function frame() {
  draw(game)
  requestAnimationFrame(frame)
})

let before = manager.stats()
setInterval(() => {
  const stats = manager.stats()
  const rows = [...game.players].map(([name, { score, meter }]) => {
    const trip = meter.roundTrip
    const loss = (100 * meter.loss(performance.now())).toFixed(1)
    return [name, score, `${loss} %`, trip === null ? '–' : `${trip.toFixed(1)} ms`]
  })
  element('peers').replaceChildren(
    ...rows.map((cells) => {
      const row = document.createElement('tr')
      for (const cell of cells) row.insertCell().textContent = String(cell)
      return row
    }),
  )
  element('depth').textContent = deepest
  element('sent').textContent = (stats.sentMessages - before.sentMessages) * 2
  element('received').textContent = (stats.receivedMessages - before.receivedMessages) * 2
  element('dropped').textContent = Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)
  before = stats
  deepest = 0
}, 500)

element('id').textContent = id
element('id').style.color = colourOf(id)
addEventListener('pagehide', () => manager.close())
