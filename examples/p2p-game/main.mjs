// Serves the game and its signaller: npm run demo:p2p, or node examples/p2p-game/main.mjs [port].
// It opens two windows where this machine has a screen; any other browser that reaches this machine
// can join by the address.
import { spawn } from 'node:child_process'
import { serveSignals } from '../p2p-signaller/server.mjs'
import { serve } from '../serve.mjs'

const { origin } = await serve({}, ['.'], { port: Number(process.argv[2] ?? 8080) })
const { port } = await serveSignals({ port: 0 })
const address = `${origin}/examples/p2p-game/index.html?signals=${port}`

console.log(`Open this in two windows:\n${address}`)
for (let window = 0; window < 2; window++) open(address)

/** Without a browser there is the address. */
function open(url) {
  const openers = { darwin: ['open', [url]], win32: ['cmd', ['/c', 'start', '', url.replaceAll('&', '^&')]] }
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  if (openers[process.platform] === undefined && !DISPLAY && !WAYLAND_DISPLAY) return
  const [program, args] = openers[process.platform] ?? ['xdg-open', [url]]
  spawn(program, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
