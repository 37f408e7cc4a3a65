// The page: one simulation at a time on the canvas, and the times of both.
import { BOIDS } from './boids.mjs'
import { startCopies } from './copies.mjs'
import { drawerOn } from './draw.mjs'
import { run } from './run.mjs'
import { startShared } from './shared.mjs'

const KINDS = { shared: startShared, copies: startCopies }

const element = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id))
const canvas = element('boids')
const workers = Math.max(2, Math.min(4, (navigator.hardwareConcurrency ?? 2) - 1))
const draw = drawerOn(canvas)

/** @type {{ stop(): void } | null} */
let running = null
/** @type {import('./copies.mjs').Simulation | null} */
let simulation = null

/** @param {'shared' | 'copies'} kind */
async function start(kind) {
  running?.stop()
  running = null
  for (const name of Object.keys(KINDS)) element(name).disabled = true
  const started = await KINDS[kind]({ boids: BOIDS, workers })
  simulation = started
  running = run(started, draw, (times) => {
    for (const [name, value] of Object.entries(times))
      element(`${kind}-${name}`).textContent = name === 'frames' ? value : value.toFixed(name === 'handOver' ? 3 : 1)
  })
  for (const name of Object.keys(KINDS)) element(name).disabled = name === kind
}

for (const name of /** @type {('shared' | 'copies')[]} */ (Object.keys(KINDS)))
  element(name).onclick = () => start(name)

canvas.onpointermove = (/** @type {PointerEvent} */ { offsetX, offsetY }) =>
  simulation?.chase([offsetX / canvas.clientWidth, offsetY / canvas.clientHeight])
canvas.onpointerleave = () => simulation?.chase(null)

element('what').textContent = `${BOIDS.toLocaleString('en')} boids, ${workers} workers`
await start('shared')
