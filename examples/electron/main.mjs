// The main process: a native thread runs the plugin of examples/frames, and the window's page gets
// its frames.
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow } from 'electron'
import { registerScheme, SharedMemoryChannel, serveScheme, shareWithWindow } from 'sabway/electron/main'

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const frame = { width: 1280, height: 720, rate: 60 }

registerScheme('app') // before app is ready

function openWindow() {
  const window = new BrowserWindow({
    width: 1300,
    height: 900,
    webPreferences: { preload: here('preload.mjs'), sandbox: false, contextIsolation: true },
  })
  // 4 KiB for the page's orders, 16 MiB for the frames.
  const channel = new SharedMemoryChannel(4096, 1 << 24, { share: 'processes' })
  channel.startWorker({
    plugin: here('../../build/plugins/frames.so'),
    ...frame,
    onLog: ({ text }) => console.log(text),
  })
  shareWithWindow(window, channel, { name: 'frames' })
  window.on('closed', () => channel.cleanup())
  void window.loadURL('app://example/index.html')
}

void app.whenReady().then(() => {
  serveScheme(here('public'))
  openWindow()
})

app.on('window-all-closed', () => app.quit())
