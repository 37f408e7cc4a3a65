// The process of one contender: does what hosted.ts orders.
import { allGroups } from './groups.js'
import type { Order, Report } from './hosted.js'

const [groupName, name] = process.argv.slice(2)
const group = allGroups().find((group) => group.name === groupName)
const contender = group!.contenders.find((contender) => contender.name === name)!

const switches = () => process.resourceUsage().involuntaryContextSwitches

async function obey({ task, count }: Order): Promise<Report> {
  try {
    const before = switches()
    const run = await contender[task](count)
    return run === undefined ? {} : { run: { ...run, switches: switches() - before } }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

process.on('message', async (order: Order) => {
  const report = await obey(order)
  process.send!(report)
})
