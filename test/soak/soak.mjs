// Everything at once for a long time: messages both ways between JavaScript, native workers and
// threads that are ended and begun anew at random, and a heap whose participants are killed.
// Every message and block is checked; whatever is wrong, stands still or grows ends this with exit
// code 1.
//
//   npm run soak -- --minutes 30 [--seed 1]
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { random } from '../../build/test/js/support/bytes.js'
import { HeapLane } from './heap.mjs'
import { EchoLane, SinkLane, SourceLane, ThreadLane } from './lanes.mjs'
import { Vitals } from './vitals.mjs'

const STILL_MS = 30_000
const LINES = 20
const GB = 1e9

function number(text) {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Expected a number above 0.')
  return value
}

const { minutes, seed } = new Command('soak')
  .description('Run every kind of peer for a long time, ending and restarting them at random, and check every message.')
  .option('--minutes <n>', 'how long', number, 1)
  .option('--seed <n>', 'repeat the choices of an earlier run', number, Math.floor(Math.random() * 2 ** 31))
  .parse()
  .opts()

const errors = []
function fail(text) {
  if (errors.length < 20) console.error(`soak: ${text}`)
  errors.push(text)
}

console.log(`soak: ${minutes} minutes, seed ${seed}`)
const chance = random(seed)
const lanes = [EchoLane, SinkLane, SourceLane, ThreadLane, HeapLane].map((Kind, i) => new Kind(seed + 1000 * i, fail))
const sum = (field) => lanes.reduce((total, lane) => total + lane[field], 0)
const vitals = new Vitals()
const begin = performance.now()
const end = begin + minutes * 60_000
const elapsed = () => `${((performance.now() - begin) / 1000).toFixed(0)} s`.padStart(7)

function figures() {
  const { rss, threads, files } = vitals.sample()
  const restarts = lanes.map((lane) => `${lane.name} ${lane.restarts}`).join(', ')
  const sent = `${(sum('messages') / 1e6).toFixed(2)} M messages, ${(sum('bytes') / GB).toFixed(2)} GB`
  return `${elapsed()}: ${sent}; restarts: ${restarts}; ${rss.toFixed(0)} MiB, ${threads} threads, ${files} files`
}

/** Each lane by itself: restarted at random, and looked at whether it still moves. */
async function oversee(lane) {
  let seen = -1
  let moved = performance.now()
  while (performance.now() < end && errors.length === 0) {
    await sleep(100 + chance() * 1500)
    // On a machine that is short of time a thread may need longer to start than it is given here:
    // then, mostly, wait for it.
    if (lane.progress !== seen || chance() < 0.2) await lane.restart()
    if (lane.progress !== seen) moved = performance.now()
    seen = lane.progress
    if (performance.now() - moved > STILL_MS) fail(`${lane.name}: stands still for ${STILL_MS / 1000} s`)
  }
}

async function work() {
  while (performance.now() < end && errors.length === 0) {
    for (const lane of lanes) lane.tick()
    if (chance() < 0.02)
      await sleep(chance() * 3) // so that every thread falls asleep now and then
    else await nextTurn()
  }
}

/** More samples than lines: the verdict on growth is about medians. */
async function report() {
  const every = Math.max(250, (minutes * 60_000) / (LINES * 4))
  for (let i = 1; performance.now() < end && errors.length === 0; i++) {
    await sleep(every)
    const line = figures()
    if (i % 4 === 0) console.log(line)
  }
}

try {
  await Promise.all([work(), report(), ...lanes.map(oversee)])
  for (const growth of vitals.growth()) fail(growth)
} catch (error) {
  fail(error.stack)
}
console.log(figures())
await Promise.all(lanes.map((lane) => lane.end()))
console.log(errors.length === 0 ? `soak: no errors (seed ${seed})` : `soak: ${errors.length} errors (seed ${seed})`)
process.exitCode = errors.length === 0 ? 0 : 1
