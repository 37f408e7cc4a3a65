// Measures the benchmarks of a group, one after the other within each repetition, until enough can
// be compared.
import type { Benchmark } from '../benchmarks/benchmark.js'
import type { CoreLatencyProbe } from './core-latency.js'
import { ForkedBenchmark } from './forked.js'
import { label } from './messages.js'
import { type Comparison, compare, histogram, median, type Sample } from './samples.js'

export interface Group {
  /** For example 'main to worker, 64 B'. */
  name: string
  path: string
  /** Bytes of a message; 0 where none is sent. */
  size: number
  /** What a score is. */
  unit: 'messages/s' | 'times/s' | 'us'
  benchmarks: Benchmark[]
  /** How many times longer than usual each run is to take. */
  durationFactor?: number
  /** The curve that its scores are points of, and where on it they are. */
  curve?: { name: string; along: 'entries' | 'threads'; at: number }
}

export const throughput = (path: string, size: number, benchmarks: Benchmark[]): Group => ({
  name: `${path}, ${label(size)}`,
  path,
  size,
  unit: 'messages/s',
  benchmarks,
})

/** Work that is not about messages of one size. */
export const work = (path: string, benchmarks: Benchmark[]): Group => ({
  name: path,
  path,
  size: 0,
  unit: 'times/s',
  benchmarks,
})

/** A point of the curve `name`. */
export const along = (name: string, at: number, unit: 'entries' | 'threads', benchmarks: Benchmark[]): Group => ({
  ...work(`curve: ${name}, ${at.toLocaleString('en')} ${unit}`, benchmarks),
  curve: { name, along: unit, at },
})

export interface Effort {
  /** Of each run. */
  milliseconds: number
  repetitions: number
  /** With those that have to be repeated because processors were moved. */
  most: number
}

export interface Result {
  group: Group
  samples: Sample[]
  comparisons: Comparison[]
  /** By benchmark: why it was not measured. */
  failures: Map<string, string>
}

const FIRST_COUNT = 64
/** Runs before the count may settle: the compiler has not seen everything after one. */
const WARM_UPS = 3

export async function measureGroup(group: Group, effort: Effort, probe: CoreLatencyProbe): Promise<Result> {
  const failures = new Map<string, string>()
  const counts = new Map<Benchmark, number>()
  const target = (effort.milliseconds * (group.durationFactor ?? 1)) / 1000
  const forked = group.benchmarks.map((benchmark) => new ForkedBenchmark(group.name, benchmark.name, benchmark.ours))
  for (const benchmark of forked) {
    await attempt(benchmark, failures, async () => {
      await benchmark.open()
      counts.set(benchmark, await calibrate(benchmark, target))
    })
  }
  const running = forked.filter((benchmark) => !failures.has(benchmark.name))
  const samples: Sample[] = []
  let comparisons: Comparison[] = []
  for (let repetition = 0; repetition < effort.most; repetition++) {
    for (const benchmark of rotated(running, repetition)) {
      await attempt(benchmark, failures, async () => {
        samples.push(await measure(benchmark, counts, target, repetition, probe))
      })
    }
    comparisons = compareAll(running, samples)
    if (
      repetition + 1 >= effort.repetitions &&
      comparisons.every(({ ratios }) => ratios.length >= effort.repetitions)
    ) {
      break
    }
  }
  for (const benchmark of forked) await attempt(benchmark, failures, () => benchmark.close())
  return { group, samples, comparisons, failures }
}

/** The count that takes `target` seconds. */
async function calibrate(benchmark: Benchmark, target: number): Promise<number> {
  let count = FIRST_COUNT
  for (let warm = 0; ; warm++) {
    const { seconds } = await benchmark.run(count)
    if (warm >= WARM_UPS && seconds > target / 3) return scaled(count, seconds, target)
    if (seconds < target) count = Math.ceil(count * Math.min(8, Math.max(1.1, target / seconds)))
  }
}

const scaled = (count: number, seconds: number, target: number) => Math.max(1, Math.round((count * target) / seconds))

async function measure(
  benchmark: Benchmark,
  counts: Map<Benchmark, number>,
  target: number,
  repetition: number,
  probe: CoreLatencyProbe,
): Promise<Sample> {
  const count = counts.get(benchmark)!
  const before = probe.measure()
  const { seconds, times, switches = 0 } = await benchmark.run(count)
  const after = probe.measure()
  counts.set(benchmark, Math.ceil((count + scaled(count, seconds, target)) / 2))
  const sample = { benchmark: benchmark.name, repetition, before, after, switches: switches / seconds }
  if (times === undefined) return { ...sample, score: count / seconds }
  return { ...sample, score: median([...times]) * 1000, times: histogram(times) }
}

function compareAll(benchmarks: Benchmark[], samples: Sample[]): Comparison[] {
  const ours = benchmarks.filter((benchmark) => benchmark.ours)
  const baselines = benchmarks.filter((benchmark) => !benchmark.ours)
  return ours.flatMap((mine) => baselines.map((baseline) => compare(samples, mine.name, baseline.name)))
}

const rotated = <T>(list: T[], by: number) => list.map((_, i) => list[(i + by) % list.length]!)

async function attempt(
  benchmark: ForkedBenchmark,
  failures: Map<string, string>,
  task: () => Promise<void>,
): Promise<void> {
  if (failures.has(benchmark.name)) return
  try {
    await task()
  } catch (error) {
    failures.set(benchmark.name, (error as Error).message)
    benchmark.kill()
  }
}
