// npm run bench: Sabway beside its baselines, in one run, interleaved. It reports what it finds,
// and always exits with 0.
import { writeFileSync } from 'node:fs'
import { Argument, InvalidArgumentError, program } from 'commander'
import { mapMemory } from './benchmarks/map-memory.js'
import { type Cost, idleCosts, wakeCosts } from './benchmarks/wake-costs.js'
import { CoreLatencyProbe } from './harness/core-latency.js'
import { type Effort, type Group, measureGroup, type Result } from './harness/measure.js'
import { curveFile, curvesOf } from './reports/curves.js'
import { disturbance, jsonLines, machine, table, targetLines, targetTable } from './reports/report.js'
import { verdicts } from './reports/targets.js'
import { groupsOf, SUBJECTS, type Subject } from './suite.js'

interface Options {
  group?: string
  json?: true
  quick?: true
  only?: RegExp
  repeat?: number
  milliseconds?: number
  list?: true
  curves?: string
}

/** What is counted, and not compared, with a subject; left out where cases are chosen. */
const COSTS: Partial<Record<NonNullable<Subject>, () => Cost[] | Promise<Cost[]>>> = {
  latency: wakeCosts,
  heap: idleCosts,
  maps: mapMemory,
}

const LEAST_REPETITIONS = 5
const QUICK_REPETITIONS = 3

function parse(): [Subject[], Options] {
  const pattern = (text: string) => {
    try {
      return new RegExp(text)
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message)
    }
  }
  const positive = (text: string) => {
    if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a positive integer is wanted')
    return Number(text)
  }
  program
    .name('npm run bench --')
    .addArgument(
      new Argument('[subjects...]', 'what to measure (default: everything between threads)').choices(SUBJECTS),
    )
    .description('Measure Sabway beside its baselines.')
    .option('--json', 'print JSON lines instead of tables')
    .option('--quick', 'shorter runs, fewer of them: to see that everything works')
    .option('--only <regex>', 'measure only the cases whose names (see --list) match', pattern)
    .option(
      '--repeat <n>',
      `repetitions that can be compared (at least ${LEAST_REPETITIONS}, unless --quick)`,
      positive,
    )
    .option('--milliseconds <n>', 'of each run (default 200, --quick 40)', positive)
    .option('--curves <file>', 'write what was measured of the subject curves to a file, as JSON')
    .option('--list', 'print the names of all cases')
    .parse()
  const given = program.processedArgs[0] as NonNullable<Subject>[]
  return [given.length === 0 ? [undefined] : [...new Set(given)], program.opts<Options>()]
}

function effortOf({ quick, repeat, milliseconds }: Options): Effort {
  const wanted = repeat ?? (quick ? QUICK_REPETITIONS : LEAST_REPETITIONS)
  const repetitions = quick ? wanted : Math.max(LEAST_REPETITIONS, wanted)
  return { milliseconds: milliseconds ?? (quick ? 40 : 200), repetitions, most: 2 * repetitions + 2 }
}

/** `path, size: benchmark` */
const nameOf = (group: Group, benchmark: { name: string }) => `${group.name}: ${benchmark.name}`

function chosen(subjects: Subject[], { only }: Options): Group[] {
  const groups = subjects.flatMap(groupsOf).map((group) => ({
    ...group,
    benchmarks: group.benchmarks.filter((benchmark) => only?.test(nameOf(group, benchmark)) ?? true),
  }))
  return groups.filter(({ benchmarks }) => benchmarks.length > 0)
}

async function main(): Promise<void> {
  const [subjects, options] = parse()
  const groups = chosen(subjects, options)
  if (options.list) {
    for (const group of groups) for (const benchmark of group.benchmarks) console.log(nameOf(group, benchmark))
    return
  }
  const about = machine()
  if (options.json) console.log(JSON.stringify({ type: 'machine', ...about }))
  else
    console.log(
      `${Object.entries(about)
        .map(([key, value]) => `${key} ${value}`)
        .join(' | ')}\n`,
    )
  const probe = new CoreLatencyProbe()
  const results: Result[] = []
  for (const group of groups) {
    const result = await measureGroup(group, effortOf(options), probe)
    results.push(result)
    if (options.json) for (const line of jsonLines(result)) console.log(JSON.stringify(line))
    else console.log(table(result))
  }
  await probe.close()
  for (const subject of options.only === undefined ? subjects : []) {
    for (const { name, value, unit } of (await COSTS[subject!]?.()) ?? []) {
      console.log(options.json ? JSON.stringify({ type: 'cost', name, value, unit }) : `${name}: ${value} ${unit}`)
    }
  }
  if (options.curves !== undefined) writeFileSync(options.curves, curveFile(curvesOf(results)))
  const all = verdicts(subjects, results)
  const disturbed = disturbance(results)
  if (options.json) {
    for (const line of [...targetLines(all), { type: 'disturbance', ...disturbed }]) console.log(JSON.stringify(line))
    return
  }
  console.log(targetTable(all))
  const rate = `other programs took a processor away ${disturbed.switchesPerSecond.toFixed(0)} times a second`
  console.log(disturbed.quiet ? rate : `NOT A QUIET MACHINE: ${rate}; do not trust these figures`)
}

await main()
