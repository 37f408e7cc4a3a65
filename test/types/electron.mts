// The three entries for Electron.
import type { BrowserWindow } from 'electron'
import * as main from 'sabway/electron/main'
import * as preload from 'sabway/electron/preload'
import * as renderer from 'sabway/electron/renderer'

declare const window: BrowserWindow

main.registerScheme('app')
main.serveScheme('folder', { scheme: 'app', headers: { 'x-name': 'value', 'x-other': null } })
const channel = new main.SharedMemoryChannel(4096, 4096, { share: 'processes' })
const end: () => void = main.shareWithWindow(window, channel, { name: 'frames', origins: ['http://localhost:5173'] })
end()
// @ts-expect-error not a window
main.shareWithWindow('window', channel)
preload.exposeSabway()
const connected: renderer.SharedMemoryChannel = await renderer.connect({ transport: 'copied' })
connected.send(new Uint8Array(1))
// @ts-expect-error there is no such transport
renderer.connect({ transport: 'fast' })
export const sums = [main, preload, renderer].map(({ crc32c }) => crc32c(new Uint8Array(1)))
