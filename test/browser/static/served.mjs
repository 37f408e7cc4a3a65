// Loads the browser build as it is shipped and says how it fares: a round trip through a worker, or
// the error.
const described = ({ name, code, message, cause }) => ({ name, code, message, cause: cause && String(cause) })

globalThis.roundTrip = async () => {
  try {
    const { SharedMemoryChannel } = await import('/dist/browser.mjs')
    const channel = new SharedMemoryChannel(65536, 65536)
    const worker = new Worker('/echo.mjs', { type: 'module' })
    const echo = new Promise((resolve) => channel.startReceiving(resolve))
    worker.postMessage(channel.handle)
    channel.send(Uint8Array.of(1, 2, 3))
    return { echo: [...(await echo)] }
  } catch (error) {
    return { error: described(error) }
  }
}
