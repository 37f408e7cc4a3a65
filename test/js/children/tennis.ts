// The far side of several channels, in a thread or a process: it gives back what comes, with one
// added, while other channels of it are idle.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type ChannelHandle, SharedMemoryChannel } from 'sabway'
import { play, returnBalls } from '../support/tennis.js'

export interface TennisTask {
  from: (ChannelHandle | string)[]
  /** How often each ball goes over the net. */
  over: number
  /** This is the near side, which begins. */
  serves?: true
}

function begin({ from, over, serves }: TennisTask, say: (word: string) => void): void {
  const side = serves ? 'renderer' : 'native'
  const channels = from.map((each) => SharedMemoryChannel.attach(each, { side, wait: 'park' }))
  say('ready')
  if (serves) void play(channels, over).then(() => say('ended'))
  else returnBalls(channels, over, () => {})
}

if (isMainThread) process.once('message', (task) => begin(task as TennisTask, (word) => process.send!(word)))
else begin(workerData as TennisTask, (word) => parentPort!.postMessage(word))
