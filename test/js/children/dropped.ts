// Makes channels and drops them without cleanup while the address space is limited. Prints how many
// it could make of each use.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type DropArguments, dropMany, planTurn, uses } from '../support/drops.js'

const { group, share, over, busy, count }: DropArguments = JSON.parse(process.argv[2]!)
const SPARE = 2 ** 40

const size = Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
execFileSync('prlimit', ['--pid', String(process.pid), `--as=${size + SPARE}:`, '--nofile=200:'])
const made: Record<string, unknown> = {}
for (const [name, drop] of Object.entries(uses[group])) {
  if (busy) planTurn(share)
  made[name] = await dropMany(() => drop(share), count, over === 'turns' ? turn : undefined)
  await turn() // what this use leaves to be done is done
}
console.log(JSON.stringify(made))
process.exit() // the collector is in no hurry to find the last ones, which hold the process
