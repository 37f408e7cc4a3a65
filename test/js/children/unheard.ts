// The worker's plugin fails, and nothing listens for 'error': nothing ever did, or no longer.
import { SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel()
channel.ref()
channel.startReceiving(() => {})
channel.startWorker({ plugin: process.argv[2]! })
if (process.argv[3] === 'listener removed') {
  const listener = () => console.log('heard')
  channel.addEventListener('error', listener)
  channel.removeEventListener('error', listener)
}
channel.send(Uint8Array.of(1))
