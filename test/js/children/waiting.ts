// Waits in all ways for channels of its parent's, and prints how each wait ended.
import { SharedMemoryChannel } from 'sabway'
import { waitInAllWays } from '../support/wait-in-all-ways.js'

const outcomes = await waitInAllWays(
  'processes',
  () => new SharedMemoryChannel(4096, 4096, { share: 'processes' }),
  (from) => process.send!(from),
)
console.log(JSON.stringify(outcomes))
