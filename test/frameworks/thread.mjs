// The other side of a channel, in a thread: echoes until the channel ends.
import { workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'

const channel = SharedMemoryChannel.attach(workerData, { side: 'native' }).ref()
for await (const message of channel) channel.send(message)
channel.cleanup()
