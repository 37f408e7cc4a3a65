// Curves: what a call costs, in nanoseconds, along the number of entries or of threads.
import type { Result } from '../harness/measure.js'
import { comparable, median } from '../harness/samples.js'
import { machine } from './report.js'

export interface Curve {
  name: string
  along: 'entries' | 'threads'
  /** By what was measured: [entries or threads, nanoseconds, the least, the most]. */
  series: Record<string, [number, number, number, number][]>
}

const rounded = (value: number) => Number(value.toPrecision(3))

/** Of threads, the time between two calls of all together. */
export function curvesOf(results: Result[]): Curve[] {
  const curves = new Map<string, Curve>()
  for (const { group, samples } of results) {
    if (group.curve === undefined) continue
    const { name, along, at } = group.curve
    const curve = curves.get(name) ?? { name, along, series: {} }
    curves.set(name, curve)
    for (const benchmark of group.benchmarks) {
      const times = comparable(samples, benchmark.name).map(({ score }) => 1e9 / score)
      if (times.length === 0) continue
      const point = [median(times), Math.min(...times), Math.max(...times)].map(rounded) as [number, number, number]
      curve.series[benchmark.name] = [...(curve.series[benchmark.name] ?? []), [at, ...point]]
    }
  }
  return [...curves.values()]
}

/** A file for programs and documents. */
export const curveFile = (curves: Curve[]): string => {
  const lines = curves.flatMap(({ name, along, series }) =>
    Object.entries(series).map(([what, points]) => JSON.stringify({ name, along, unit: 'ns', what, points })),
  )
  return `{\n"machine": ${JSON.stringify(machine())},\n"curves": [\n${lines.join(',\n')}\n]\n}\n`
}
