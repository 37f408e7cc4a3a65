// For every test: what it opened is closed, whether it passed or not.
import { cleanupAll } from './support/channels.js'
import { killAll } from './support/processes.js'
import { terminateAll } from './support/threads.js'

afterEach(async () => {
  await killAll()
  cleanupAll()
  await terminateAll()
})
