// Prints the names of the library's functions that run for one message, for each way to send and to
// receive, as V8 counts their calls. What runs once for many messages, such as a turn of the event
// loop, is not among them.
import { Session } from 'node:inspector/promises'
import { SharedMemoryChannel } from 'sabway'

const MESSAGES = 500
const message = new Uint8Array(64).fill(7)
const PLANTED = 'forward'

const renderer = new SharedMemoryChannel(1 << 16, 1 << 16)
const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })

/** The planted mistake: a layer that only forwards. */
class Layered extends SharedMemoryChannel {
  override send(message: Uint8Array): boolean {
    return this.forward(message)
  }

  forward(message: Uint8Array): boolean {
    return super.send(message)
  }
}
const layered = new Layered(1 << 16, 1 << 16)

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })

async function count(act: () => void | Promise<void>): Promise<string[]> {
  await session.post('Profiler.takePreciseCoverage')
  await act()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const names: string[] = []
  for (const { url, functions } of result) {
    const own = url === import.meta.url
    if (!own && !url.includes('/dist/')) continue
    for (const { functionName, ranges } of functions) {
      if (own && functionName !== PLANTED) continue
      for (let calls = Math.round(ranges[0]!.count / MESSAGES); calls > 0; calls--) names.push(functionName)
    }
  }
  return names.sort()
}

const many = (call: () => unknown) => () => {
  for (let i = 0; i < MESSAGES; i++) call()
}
const ignore = () => {}

/** All messages of the ring, as they come to a callback of startReceiving. */
const received = (copy: boolean) => () =>
  new Promise<void>((resolve) => {
    let left = MESSAGES
    const callback = () => {
      if (--left !== 0) return
      native.stopReceiving()
      resolve()
    }
    if (copy) native.startReceiving(callback)
    else native.startReceiving(callback, { copy: false })
  })

const counts: Record<string, string[]> = {}
counts.send = await count(many(() => renderer.send(message)))
counts.receive = await count(received(true))
counts.trySend = await count(many(() => renderer.trySend(message)))
counts['receive in place'] = await count(received(false))
many(() => renderer.send(message))()
counts.drain = await count(() => void native.drain(ignore))
const list = new Array<Uint8Array>(MESSAGES).fill(message)
counts.sendBatch = await count(() => void renderer.sendBatch(list))
counts.receiveSync = await count(many(() => native.receiveSync(0)))
counts['send through a layer'] = await count(many(() => layered.send(message)))
console.log(JSON.stringify(counts))
layered.cleanup()
native.cleanup()
renderer.cleanup()
