// What was measured, and what may be compared with what.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { placement } from './core-latency.js'

export interface Sample {
  benchmark: string
  repetition: number
  /** Messages per second; for round trips, the median trip in microseconds. */
  score: number
  /** Cache-line round trips, in microseconds, before and after. */
  before: number
  after: number
  /** How often in a second other programs took a processor away. */
  switches: number
  /** Nanoseconds of each round trip. */
  times?: RecordableHistogram
}

export interface Comparison {
  ours: string
  baseline: string
  /** Of our score to the baseline's, in each pair of runs that may be compared. */
  ratios: number[]
  /** Microseconds of the placement those pairs were measured in. */
  placement: number
  /** Pairs of other placements, or during which the placement changed. */
  dropped: number
}

/** Involuntary context switches per second; two threads alone on two processors have a few. */
export const QUIET = 40
/** Pairs below which those of disturbed runs are taken after all. */
const ENOUGH = 3

/** The placement a sample was measured in, or null when it changed meanwhile. */
export function steady(sample: Sample): number | null {
  const now = placement(sample.before)
  return now === placement(sample.after) ? now : null
}

/** The ratio of each repetition's two runs; of those in the placement that most of them share. */
export function compare(samples: Sample[], ours: string, baseline: string): Comparison {
  const pairs = samples.flatMap((mine) => {
    const same = (other: Sample) => other.benchmark === baseline && other.repetition === mine.repetition
    const theirs = mine.benchmark === ours ? samples.find(same) : undefined
    return theirs === undefined ? [] : [{ mine, theirs, ratio: mine.score / theirs.score }]
  })
  const placed = ({ mine, theirs }: (typeof pairs)[number]) => {
    const where = steady(mine)
    return where === steady(theirs) ? where : null
  }
  const calm = pairs.filter(({ mine, theirs }) => mine.switches < QUIET && theirs.switches < QUIET)
  const [quiet, all] = [largest(calm, placed), largest(pairs, placed)]
  const [where, kept] = quiet[1].length >= Math.min(ENOUGH, pairs.length) ? quiet : all
  return {
    ours,
    baseline,
    ratios: kept.map(({ ratio }) => ratio),
    placement: where,
    dropped: pairs.length - kept.length,
  }
}

/**
 * The benchmark's samples in the placement that most of them share, undisturbed if there are such.
 */
export function comparable(samples: Sample[], benchmark: string): Sample[] {
  const own = samples.filter((sample) => sample.benchmark === benchmark)
  const calm = own.filter((sample) => sample.switches < QUIET)
  const most = largest(calm.length >= Math.min(ENOUGH, own.length) ? calm : own, steady)[1]
  return most.length === 0 ? own : most
}

/** The largest class of items, by what `classify` says; null is no class. */
function largest<T>(items: T[], classify: (item: T) => number | null): [number, T[]] {
  const classes = new Map<number, T[]>()
  for (const item of items) {
    const where = classify(item)
    if (where !== null) classes.set(where, [...(classes.get(where) ?? []), item])
  }
  let best: [number, T[]] = [Number.NaN, []]
  for (const one of classes) if (one[1].length > best[1].length) best = one
  return best
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Of round trips in milliseconds. */
export function histogram(times: Float64Array): RecordableHistogram {
  const made = createHistogram()
  for (const time of times) made.record(Math.max(1, Math.round(time * 1e6)))
  return made
}

/** Microseconds of the given percentiles over all samples. */
export function percentiles(samples: Sample[], wanted: number[]): number[] {
  const all = createHistogram()
  for (const { times } of samples) if (times !== undefined) all.add(times)
  return wanted.map((percentile) => all.percentile(percentile) / 1000)
}
