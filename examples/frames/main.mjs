// npm start: frames from a native thread to JavaScript without a copy. See --help, and frames.c for
// the other half.
import { parseOptions } from './options.mjs'

const options = parseOptions(process.argv)
const interrupt = new AbortController()
// as with `| head`
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))
process.once('SIGINT', () => interrupt.abort()) // a second Ctrl-C ends at once

try {
  // Not imported at the top: without the build, there is something to say.
  const { run } = await import('./run.mjs')
  process.exitCode = await run(options, interrupt.signal)
} catch (error) {
  const unbuilt = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_SABWAY_PLUGIN_NOT_FOUND', 'ERR_SABWAY_NO_ADDON']
  console.error(unbuilt.includes(error.code) ? `${error.message}\nIs everything built? npm run build` : error)
  process.exitCode = 1
}
