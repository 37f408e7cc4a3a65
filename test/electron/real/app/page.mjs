import { connect } from '../../../../dist/electron/renderer.mjs'

const channel = await connect()

/** Send numbered messages to the echo worker, and check what comes back. */
async function flood(count) {
  let received = 0
  let wrong = 0
  const done = new Promise((resolve) => {
    channel.startReceiving((message) => {
      if (new DataView(message.buffer, message.byteOffset).getUint32(0, true) !== received) wrong++
      if (++received === count) resolve()
    })
  })
  for (let i = 0; i < count; i++) {
    const message = new Uint8Array(4 + (i % 300))
    new DataView(message.buffer).setUint32(0, i, true)
    channel.send(message)
  }
  await done
  channel.stopReceiving()
  return { transport: channel.stats().transport, received, wrong }
}

Object.assign(globalThis, { flood })
