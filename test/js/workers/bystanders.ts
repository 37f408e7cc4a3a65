// One channel whose messages are answered, beside others that are idle: how often those slept says
// how many turns they had.
import { parentPort, workerData } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import { besideIdle } from '../support/bystanders.js'

const { from, idle, trips } = workerData
const channel = SharedMemoryChannel.attach(from, { side: 'renderer', wait: 'park' })
parentPort!.postMessage(await besideIdle(channel, idle, trips))
channel.cleanup()
