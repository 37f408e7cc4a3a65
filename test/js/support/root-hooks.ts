// For every test: what it opened is closed, whether it passed or not. .mocharc.json requires this
// file, so each test file can also run alone: npx mocha build/test/js/channel/send.test.js
import { cleanupAll } from './channels.js'
import { killAll } from './processes.js'
import { closeAll } from './regions.js'
import { terminateAll } from './threads.js'

export const mochaHooks = {
  async afterEach(): Promise<void> {
    await killAll()
    cleanupAll()
    closeAll()
    await terminateAll()
  },
}
