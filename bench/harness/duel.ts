// Measures the contenders of a group, one after the other within each repetition, until enough can
// be compared.
import type { Contender } from '../contenders/contender.js'
import { Hosted } from './hosted.js'
import type { Probe } from './probe.js'
import { type Comparison, compare, histogram, median, type Sample } from './samples.js'

export interface Group {
  /** For example 'main to worker, 64 B'. */
  name: string
  path: string
  /** Bytes of a message. */
  size: number
  /** What a score is. */
  unit: 'messages/s' | 'us'
  contenders: Contender[]
  /** How much longer than usual each run takes. */
  patience?: number
}

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
  /** By contender: why it was not measured. */
  failures: Map<string, string>
}

const FIRST_COUNT = 64
/** Runs before the count may settle: the compiler has not seen everything after one. */
const WARM_UPS = 3

export async function duel(group: Group, effort: Effort, probe: Probe): Promise<Result> {
  const failures = new Map<string, string>()
  const counts = new Map<Contender, number>()
  const target = (effort.milliseconds * (group.patience ?? 1)) / 1000
  const hosted = group.contenders.map((contender) => new Hosted(group.name, contender.name, contender.ours))
  for (const contender of hosted) {
    await attempt(contender, failures, async () => {
      await contender.open()
      counts.set(contender, await calibrate(contender, target))
    })
  }
  const running = hosted.filter((contender) => !failures.has(contender.name))
  const samples: Sample[] = []
  let comparisons: Comparison[] = []
  for (let repetition = 0; repetition < effort.most; repetition++) {
    for (const contender of rotated(running, repetition)) {
      await attempt(contender, failures, async () => {
        samples.push(await measure(contender, counts, target, repetition, probe))
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
  for (const contender of hosted) await attempt(contender, failures, () => contender.close())
  return { group, samples, comparisons, failures }
}

/** The count that takes `target` seconds. */
async function calibrate(contender: Contender, target: number): Promise<number> {
  let count = FIRST_COUNT
  for (let warm = 0; ; warm++) {
    const { seconds } = await contender.run(count)
    if (warm >= WARM_UPS && seconds > target / 3) return scaled(count, seconds, target)
    if (seconds < target) count = Math.ceil(count * Math.min(8, Math.max(1.1, target / seconds)))
  }
}

const scaled = (count: number, seconds: number, target: number) => Math.max(1, Math.round((count * target) / seconds))

async function measure(
  contender: Contender,
  counts: Map<Contender, number>,
  target: number,
  repetition: number,
  probe: Probe,
): Promise<Sample> {
  const count = counts.get(contender)!
  const before = probe.measure()
  const { seconds, times, switches = 0 } = await contender.run(count)
  const after = probe.measure()
  counts.set(contender, Math.ceil((count + scaled(count, seconds, target)) / 2))
  const sample = { contender: contender.name, repetition, before, after, switches: switches / seconds }
  if (times === undefined) return { ...sample, score: count / seconds }
  return { ...sample, score: median([...times]) * 1000, times: histogram(times) }
}

function compareAll(contenders: Contender[], samples: Sample[]): Comparison[] {
  const ours = contenders.filter((contender) => contender.ours)
  const peers = contenders.filter((contender) => !contender.ours)
  return ours.flatMap((mine) => peers.map((peer) => compare(samples, mine.name, peer.name)))
}

const rotated = <T>(list: T[], by: number) => list.map((_, i) => list[(i + by) % list.length]!)

async function attempt(contender: Hosted, failures: Map<string, string>, task: () => Promise<void>): Promise<void> {
  if (failures.has(contender.name)) return
  try {
    await task()
  } catch (error) {
    failures.set(contender.name, (error as Error).message)
    contender.kill()
  }
}
