// Checks every message of a flood, and sends each back.
import { workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import { check } from '../support/flood.js'

const channel = SharedMemoryChannel.attach(workerData, { side: 'native' }).ref()
let sequence = 0
channel.startReceiving(
  (bytes, start, end) => {
    const message = bytes.subarray(start, end)
    check(sequence++, message)
    channel.send(message)
  },
  { copy: false },
)
