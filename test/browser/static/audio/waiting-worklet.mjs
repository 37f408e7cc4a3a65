// Asks for messages that are not there, in every way that might wait.
import { SharedMemoryChannel } from '/dist/browser.mjs'

class Waiting extends AudioWorkletProcessor {
  constructor({ processorOptions: { handle } }) {
    super()
    this.channels = ['balanced', 'spin', 'park'].map(
      (wait) => () => SharedMemoryChannel.attach(handle, { side: 'native', wait }),
    )
  }

  process() {
    const open = this.channels.shift()
    if (open === undefined) return false
    const channel = open()
    const answer = (call) => {
      try {
        return call()
      } catch ({ code, message }) {
        return { code, message }
      }
    }
    const answers = {
      'receiveSync()': answer(() => channel.receiveSync()),
      'receiveSync(5)': answer(() => channel.receiveSync(5)),
      'tryReceive(5)': answer(() => channel.tryReceive(5)),
      'receiveSync(0)': answer(() => channel.receiveSync(0)),
      'tryReceive()': answer(() => channel.tryReceive()),
      drain: answer(() => channel.drain(() => {})),
      parks: channel.stats().wait.parks,
    }
    channel.detach()
    this.port.postMessage(answers)
    return true
  }
}

registerProcessor('waiting', Waiting)
