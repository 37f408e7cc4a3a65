// The process of one benchmark: it executes the orders of forked.ts, and reports each result.
import { allGroups } from '../suite.js'
import type { Order, Report } from './forked.js'

const [groupName, name] = process.argv.slice(2)
const group = allGroups().find((group) => group.name === groupName)
const benchmark = group!.benchmarks.find((benchmark) => benchmark.name === name)!

const switches = () => process.resourceUsage().involuntaryContextSwitches

async function execute({ task, count }: Order): Promise<Report> {
  try {
    const before = switches()
    const run = await benchmark[task](count)
    return run === undefined ? {} : { run: { ...run, switches: switches() - before } }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

process.on('message', async (order: Order) => {
  const report = await execute(order)
  process.send!(report)
})

// A bench that was stopped leaves none of its processes behind.
process.on('disconnect', () => process.exit())
