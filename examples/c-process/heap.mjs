// Node and the C program change a map and a vector of one heap, which the program finds by their
// names:
//
//   node examples/c-process/heap.mjs build/c-process/c-process
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Region, SharedMap, SharedVector } from 'sabway'

const region = Region.create({ size: 2 ** 22, share: 'processes' })
const votes = new SharedMap(region, { numeric: 'f64' })
const log = new SharedVector(region, { type: Float64Array })
region.set('votes', votes)
region.set('log', log)
votes.set('apples', 3)
votes.set('pears', 5)

const program = spawn(process.argv[2], ['tally', region.token, '1000'], { stdio: ['ignore', 'inherit', 'inherit'] })
const ended = once(program, 'exit')
for (let i = 0; i < 1000; i++) votes.add('pears', 1) // while the program does
const [code] = await ended
console.log(`code ${code}: ${votes.get('pears')} pears, ${log.length} in the log, ${votes.get('apples')} apples`)
region.close()
