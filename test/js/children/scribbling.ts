// Opens a region by its token and writes random bytes over it once it is told to, until it is
// killed.
import { Region } from 'sabway'
import { scribbler, type Where } from '../support/scribble.js'

const [token, seed, where] = process.argv.slice(2) as [string, string, Where]
const region = Region.open(token)
const scribble = scribbler(region.memory, Number(seed), where)
process.send!('ready')
process.once('message', () => {
  process.send!('begun', () => {
    for (;;) scribble()
  })
})
