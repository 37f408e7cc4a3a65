// The worker's plugin fails, and nobody listens for 'error'.
import { SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel()
channel.ref()
channel.startReceiving(() => {})
channel.startWorker({ plugin: process.argv[2]! })
channel.send(Uint8Array.of(1))
