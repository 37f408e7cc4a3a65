// Attaches, and tells how many WebAssembly modules were compiled for that.
import { parentPort, workerData } from 'node:worker_threads'
import type { ChannelHandle } from 'sabway'

let compiled = 0
WebAssembly.Module = new Proxy(WebAssembly.Module, {
  construct(target, args) {
    compiled++
    return Reflect.construct(target, args)
  },
})

const { SharedMemoryChannel } = await import('sabway')
const channel = SharedMemoryChannel.attach(workerData as ChannelHandle, { side: 'native' })
channel.drain((bytes, start, end) => channel.trySend(bytes.slice(start, end)))
parentPort!.postMessage(compiled)
