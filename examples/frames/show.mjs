// What the user sees: a live line on a terminal, a plain line each second elsewhere, or JSON.
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'

const fixed = (value, digits = 0) => value.toFixed(digits)
const milliseconds = (value) =>
  value === null ? '-' : value < 1 ? `${fixed(value * 1000)} µs` : `${fixed(value, value < 10 ? 2 : 1)} ms`
const frameRate = (value) => fixed(value, value < 100 ? 1 : 0)
const gigabytes = (value) => fixed(value / 1e9, 2)
const percent = (value) => `${fixed(value * 100)} %`

function sentence({ framesPerSecond, bytesPerSecond, fill, latencyP50Ms, latencyP99Ms }) {
  const ring = fill === null ? '' : `, ring ${percent(fill)} full`
  const speed = `${frameRate(framesPerSecond)} frames/s, ${gigabytes(bytesPerSecond)} GB/s`
  return `${speed}${ring}, latency p50 ${milliseconds(latencyP50Ms)} p99 ${milliseconds(latencyP99Ms)}`
}

function orderText({ command, values: { width, height, rate } }) {
  if (command === 'size') return `size ${width}x${height}`
  if (command !== 'rate') return command
  return rate === 0 ? 'rate: as many as are taken' : `rate ${rate}/s`
}

const answerText = (order) => `${orderText(order)} -> ${order.status}`

/**
 * The frame of a run: it asks for a sample every `interval` milliseconds, by a timer and whenever
 * it is polled.
 */
class View {
  #timer = null
  #sample = null
  #next = 0

  constructor(interval) {
    this.interval = interval
  }

  begin(name, seconds, sample) {
    this.name = name
    this.seconds = seconds
    this.begun = performance.now()
    this.#sample = sample
    this.#next = this.begun + this.interval
    sample() // the clock of the first line begins here
    this.#timer = setInterval(() => this.poll(), this.interval)
    this.onBegin()
  }

  get elapsed() {
    return (performance.now() - this.begun) / 1000
  }

  /** Cheap: call it with every frame, since a busy event loop can be late with timers. */
  poll() {
    const now = performance.now()
    if (now < this.#next || this.#sample === null) return
    this.#next = now + this.interval
    this.onSample(this.#sample())
  }

  end() {
    clearInterval(this.#timer)
    this.#sample = null
    this.onEnd()
  }

  onBegin() {}
  onEnd() {}
}

class PlainView extends View {
  constructor() {
    super(1000)
  }

  hello(text) {
    console.log(text)
  }

  onBegin() {
    console.log(`${this.name}:`)
  }

  onSample(sample) {
    console.log(`  ${fixed(this.elapsed, 1)} s: ${sentence(sample)}`)
  }

  order(order) {
    console.log(`  order #${order.seq}, ${answerText(order)}, before frame ${order.next}`)
  }

  log(text) {
    console.log(`  plugin: ${text}`)
  }

  results(results, setting) {
    console.log(table(results, setting))
  }

  verdict(problems, text) {
    if (problems.length === 0) console.log(text)
    else for (const problem of problems) console.error(`FAILED: ${problem}`)
  }
}

/** The same, but the run is one line that moves. */
class LiveView extends PlainView {
  #bar
  #note = ''

  constructor() {
    super()
    this.interval = 100
  }

  onBegin() {
    this.#note = ''
    this.#bar = new SingleBar({
      format: `${this.name.padEnd(28)} {bar} {at} s | {text}{note}`,
      barsize: 16,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      gracefulExit: false, // main.mjs hears of Ctrl-C
      stream: process.stdout,
    })
    this.#bar.start(this.seconds, 0, { at: '0.0', text: '', note: '' })
  }

  onSample(sample) {
    const at = Math.min(this.elapsed, this.seconds)
    this.#bar.update(at, { at: fixed(at, 1), text: short(sample), note: this.#note })
  }

  onEnd() {
    this.#bar.update(Math.min(this.elapsed, this.seconds))
    this.#bar.stop()
  }

  order(order) {
    this.#note = ` | ${answerText(order)}`
  }

  log(text) {
    this.#note = ` | plugin: ${text}`
  }
}

function short({ framesPerSecond, bytesPerSecond, fill, latencyP50Ms, latencyP99Ms }) {
  const ring = fill === null ? '' : ` | ring ${percent(fill).padStart(5)}`
  const speed = `${frameRate(framesPerSecond).padStart(5)} frames/s ${gigabytes(bytesPerSecond)} GB/s`
  return `${speed}${ring} | p50 ${milliseconds(latencyP50Ms)} p99 ${milliseconds(latencyP99Ms)}`
}

class JsonView extends View {
  constructor() {
    super(1000)
  }

  #print(type, rest) {
    console.log(JSON.stringify({ type, ...rest }))
  }

  hello(_text, setting) {
    this.#print('begin', setting)
  }

  onSample(sample) {
    this.#print('progress', { run: this.name, seconds: this.elapsed, ...sample })
  }

  order({ seq, command, values, status, next, milliseconds }) {
    this.#print('order', { seq, command, ...values, status, next, milliseconds })
  }

  log(text) {
    this.#print('log', { text })
  }

  results(results) {
    for (const { name, check, full, paced, ratio } of results) {
      const { frames, lost, wrong } = check
      this.#print('result', { run: name, frames, lost, wrong, ratio, full, paced })
    }
  }

  verdict(problems) {
    this.#print('end', { ok: problems.length === 0, problems })
    for (const problem of problems) console.error(`FAILED: ${problem}`)
  }
}

function table(results, { rate, slow }) {
  const pace = (value) => (value === 0 ? 'as many as are taken' : `${Number(value.toFixed(2))} frames/s`)
  const out = new Table({
    head: ['', ...results.map(({ name }) => name.replace(/,? (?=function|copy|transfer|post)/g, '\n'))],
    colAligns: ['left', ...results.map(() => 'right')],
    style: { head: [], border: [], compact: true },
  })
  const row = (title, cell) => out.push([title, ...results.map(cell)])
  row('frames checked', ({ check }) => check.frames)
  row('lost', ({ check }) => check.lost)
  row('wrong', ({ check }) => check.wrong)
  row('frames/s', ({ full }) => frameRate(full.framesPerSecond))
  row('GB/s', ({ full }) => gigabytes(full.bytesPerSecond))
  row(`latency p50, ${pace(rate)}`, ({ full }) => milliseconds(full.latencyP50Ms))
  row('        p99', ({ full }) => milliseconds(full.latencyP99Ms))
  row(`latency p50, ${pace(slow)}`, ({ paced }) => milliseconds(paced.latencyP50Ms))
  row('        p99', ({ paced }) => milliseconds(paced.latencyP99Ms))
  if (results.length > 1) row('Sabway is', ({ ratio }) => (ratio === null ? '' : `${fixed(ratio, 2)} x as fast`))
  return out.toString()
}

export function makeView({ json }) {
  if (json) return new JsonView()
  return process.stdout.isTTY ? new LiveView() : new PlainView()
}
