// The application that test/electron/real/electron.test.ts drives: one window for each way a
// renderer can be.
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow } from 'electron'
import { registerScheme, SharedMemoryChannel, serveScheme, shareWithWindow } from '../../../../dist/electron/main.mjs'

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const WINDOWS = {
  isolated: { preload: here('preload.mjs'), sandbox: false, contextIsolation: true },
  open: { preload: here('preload.mjs'), sandbox: false, contextIsolation: false },
  // A sandboxed preload script is one file: the test bundles it.
  sandboxed: { preload: here('../../../../build/electron/preload.cjs'), sandbox: true, contextIsolation: true },
}

registerScheme('app')

void app.whenReady().then(async () => {
  serveScheme(here('../../../../build/electron'))
  for (const [mode, webPreferences] of Object.entries(WINDOWS)) {
    const window = new BrowserWindow({ show: false, webPreferences })
    const channel = new SharedMemoryChannel(1 << 18, 1 << 18, { share: 'processes' })
    channel.startWorker({ builtin: 'echo' })
    shareWithWindow(window, channel)
    await window.loadURL(`app://test/index.html?${mode}`)
  }
})

app.on('window-all-closed', () => app.quit())
