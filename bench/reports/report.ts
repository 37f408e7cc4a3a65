// Tables for people, JSON lines for programs.
import { cpus, loadavg, release } from 'node:os'
import Table from 'cli-table3'
import type { Result } from '../harness/measure.js'
import { label } from '../harness/messages.js'
import { type Comparison, comparable, median, percentiles, QUIET } from '../harness/samples.js'
import type { Verdict } from './targets.js'

const STYLE = { head: [], border: [], compact: true }
const PERCENTILES = [50, 99, 99.9]

export function machine(): Record<string, string | number> {
  const processors = cpus()
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    node: process.version,
    v8: process.versions.v8,
    kernel: release(),
    load: loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
    date: new Date().toISOString(),
  }
}

const digits = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

function rate(value: number): string {
  if (value >= 1e6) return `${digits(value / 1e6)} M`
  return value >= 1e3 ? `${digits(value / 1e3)} k` : digits(value)
}

const gigabytes = (messages: number, size: number) => (messages * size) / 1e9

function ratio(ratios: number[]): string {
  if (ratios.length === 0) return 'not measured'
  return `${digits(median(ratios))} (${digits(Math.min(...ratios))}..${digits(Math.max(...ratios))})`
}

/** One row for each benchmark: its score, and how ours compare with each baseline. */
function rowsOf({ group, samples, comparisons, failures }: Result) {
  return group.benchmarks.map(({ name, ours }) => {
    const own = comparable(samples, name)
    const scores = own.map((sample) => sample.score)
    return {
      name,
      ours,
      failure: failures.get(name),
      scores,
      times: group.unit === 'us' ? percentiles(own, PERCENTILES) : [],
      comparisons: comparisons.filter((comparison) => comparison.ours === name),
    }
  })
}

function cells(row: ReturnType<typeof rowsOf>[number], { group }: Result): string[] {
  if (row.failure !== undefined) return [row.failure]
  if (row.scores.length === 0) return ['not measured']
  if (group.unit === 'us') return row.times.map(digits)
  const typical = median(row.scores)
  return group.unit === 'times/s' ? [rate(typical)] : [rate(typical), digits(gigabytes(typical, group.size))]
}

const COLUMNS = {
  us: ['p50 us', 'p99 us', 'p99.9 us'],
  'messages/s': ['messages/s', 'GB/s'],
  'times/s': ['times/s'],
}

export function table(result: Result): string {
  const { group } = result
  const baselines = group.benchmarks.filter(({ ours }) => !ours).map(({ name }) => name)
  const units = COLUMNS[group.unit]
  const made = new Table({
    head: [group.name, ...units, ...baselines.map((baseline) => `: ${baseline}`)],
    style: STYLE,
  })
  for (const row of rowsOf(result)) {
    const own = cells(row, result)
    const of = (baseline: string) => row.comparisons.find((comparison) => comparison.baseline === baseline)
    const ratios = row.ours ? baselines.map((baseline) => ratio(of(baseline)?.ratios ?? [])) : baselines.map(() => '')
    made.push([row.name, ...own, ...Array(units.length - own.length).fill(''), ...ratios])
  }
  return `${made}\n${dropped(result.comparisons)}\n`
}

function dropped(comparisons: Comparison[]): string {
  if (comparisons.length === 0) return ''
  const places = [...new Set(comparisons.map(({ placement }) => placement))].map((place) => `${place} us`).join(', ')
  const lost = comparisons.reduce((sum, comparison) => sum + comparison.dropped, 0)
  const kept = comparisons.reduce((sum, { ratios }) => sum + ratios.length, 0)
  return `cache line round trip about ${places}; ${lost} of ${lost + kept} pairs dropped: processors moved or taken away`
}

export function targetTable(all: Verdict[]): string {
  const made = new Table({ head: ['path', 'size', 'Sabway', 'against', 'target', 'measured', 'met'], style: STYLE })
  const measured = all.filter(({ ratios }) => ratios.length > 0)
  for (const verdict of measured) {
    const { path, size, ours, baseline, ratios, met } = verdict
    made.push([path, size === 0 ? '' : label(size), ours, baseline, bound(verdict), ratio(ratios), met ? 'yes' : 'NO'])
  }
  const missed = measured.filter(({ met }) => !met)
  const summary = missed.map(
    (verdict) =>
      `MISSED: ${verdict.path}, ${verdict.size === 0 ? '' : `${label(verdict.size)}, `}${verdict.ours} against ${verdict.baseline}: ` +
      `${digits(verdict.measured)}${'nanoseconds' in verdict.bound ? ' ns' : ' x'}, wanted ${bound(verdict)}`,
  )
  const line = `${measured.length - missed.length} of ${measured.length} targets met; ${all.length - measured.length} not measured`
  return [made.toString(), line, ...summary].join('\n')
}

function bound({ bound }: Verdict): string {
  if ('nanoseconds' in bound) return `<= ${bound.nanoseconds} ns`
  return 'rate' in bound ? `>= ${bound.rate} x` : `<= ${bound.time} x the time`
}

/** A benchmark wants a machine for itself: how much it had one. */
export function disturbance(results: Result[]): { switchesPerSecond: number; quiet: boolean } {
  const switches = results.flatMap(({ samples }) => samples.map((sample) => sample.switches))
  const typical = switches.length === 0 ? 0 : median(switches)
  return { switchesPerSecond: typical, quiet: typical < QUIET }
}

/** One line for each benchmark and each comparison. */
export function jsonLines(result: Result): object[] {
  const { group, comparisons } = result
  const about = { path: group.path, size: group.size }
  const benchmarks = rowsOf(result).map(({ name, ours, failure, scores, times }) => {
    const row = { type: 'benchmark', ...about, name, ours, failure, unit: group.unit, runs: scores.length }
    if (scores.length === 0) return row
    const spread = { median: median(scores), min: Math.min(...scores), max: Math.max(...scores) }
    if (group.unit === 'us') return { ...row, ...spread, p50: times[0], p99: times[1], p999: times[2] }
    if (group.unit === 'times/s') return { ...row, ...spread }
    return { ...row, ...spread, gigabytesPerSecond: gigabytes(spread.median, group.size) }
  })
  const ratios = comparisons.map(({ ours, baseline, ratios, placement, dropped }) => ({
    type: 'ratio',
    ...about,
    ours,
    baseline,
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    pairs: ratios.length,
    dropped,
    placement,
  }))
  return [...benchmarks, ...ratios]
}

export const targetLines = (all: Verdict[]): object[] =>
  all.map(({ path, size, ours, baseline, bound, ratios, measured, met }) => ({
    type: 'target',
    path,
    size,
    ours,
    baseline,
    bound,
    measured,
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    met: ratios.length === 0 ? null : met,
  }))
