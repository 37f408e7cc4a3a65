// The whole of `npm start`: the main run, the comparisons, the table, and whether all of it was
// right.

import { runBaselines } from './baselines.mjs'
import { frameBytes } from './layout.mjs'
import { framesInRing, ringBytes } from './options.mjs'
import { runSabway } from './sabway.mjs'
import { makeView } from './show.mjs'

const BASELINE_SECONDS_MAX = 5

/**
 * A second rate, so slow that no queue forms even for those that copy: 60 a second, or 500 MB/s
 * when that is less.
 */
const slowRate = ({ width, height }, rate) =>
  rate > 0 ? rate / 2 : Math.min(60, Math.max(1, Math.floor(500e6 / frameBytes(width, height))))

/** Every way in which a run was not as it should be, in words. */
function problemsOf({ name, check, fault }) {
  const problems = []
  if (fault !== null) problems.push(`${name}: ${fault.message}`)
  if (check.lost > 0 || check.wrong > 0) {
    problems.push(`${name}: ${check.lost} lost, ${check.wrong} wrong; the first: ${check.problem}`)
  }
  if (fault === null && check.frames === 0) problems.push(`${name}: no frame came`)
  return problems
}

/** Returns the exit code. */
export async function run({ size: frame, rate, seconds, json, compare }, signal) {
  const view = makeView({ json })
  const setting = { ...frame, rate, seconds, ringBytes: ringBytes(frame), framesInRing: framesInRing(frame) }
  const speed = rate === 0 ? 'as many as are taken' : `${rate} a second`
  const ring = `a ring of ${setting.ringBytes / 2 ** 20} MiB (${setting.framesInRing} frames)`
  view.hello(`${frame.width}x${frame.height} RGBA frames, ${speed}, for ${seconds} s through ${ring}`, setting)

  const slow = slowRate(frame, rate)
  const ours = await runSabway({ frame, rate, slow, seconds, view, signal })
  const results = [ours]
  if (compare && ours.fault === null) {
    const baselineSeconds = Math.min(seconds / 2, BASELINE_SECONDS_MAX)
    results.push(...(await runBaselines({ frame, rate, slow, seconds: baselineSeconds, view, signal })))
  }
  for (const result of results) {
    const { framesPerSecond } = result.full
    result.ratio = result === ours || framesPerSecond === 0 ? null : ours.full.framesPerSecond / framesPerSecond
  }
  view.results(results, { rate, slow })
  const problems = results.flatMap(problemsOf)
  const total = results.reduce((sum, { check }) => sum + check.frames, 0)
  const early = signal.aborted ? ' (ended early)' : ''
  view.verdict(problems, `${total} frames, each the next one and whole; every order acknowledged${early}`)
  return problems.length === 0 ? 0 : 1
}
