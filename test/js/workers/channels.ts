// A participant that makes channels in a region, and answers on each.
import { parentPort, workerData } from 'node:worker_threads'
import { type ChannelHandle, Region, type RegionHandle, SharedMemoryChannel } from 'sabway'
import { collectGarbage } from '../support/gc.js'

export interface ChannelsData {
  region: RegionHandle
  count: number
  /** Answer nothing, so that the region can be dropped. */
  drops?: boolean
}

const { region: handle, count, drops = false } = workerData as ChannelsData
let region: Region | null = Region.open(handle)

function echo(channel: SharedMemoryChannel): SharedMemoryChannel {
  if (!drops) channel.startReceiving((message) => void channel.send(message))
  return channel
}

let channels = Array.from({ length: count }, () => echo(new SharedMemoryChannel(4096, 4096, { region: region! })))
if (drops) for (const channel of channels) channel.send(new Uint8Array(8)) // takes the side
parentPort!.postMessage(channels.map((channel) => channel.handle))

parentPort!.on('message', (order: { echo?: ChannelHandle; drop?: true }) => {
  if (order.echo !== undefined) {
    echo(SharedMemoryChannel.attach(order.echo, { side: 'native' }))
    parentPort!.postMessage('echoing')
  }
  if (order.drop) {
    channels = []
    region = null
    collectGarbage()
    parentPort!.postMessage('dropped')
  }
})
