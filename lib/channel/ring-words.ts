// Where the words of a channel's two rings are.
import { sw_channel, sw_ring } from '../generated/abi.js'
import type { Region } from '../region/region.js'

/** Index, in an Int32Array over the region, of a word of the ring that this side produces. */
export function ringWord(region: Region, producingSide: number, field: number): number {
  return (region.channelAt + sw_channel.rings + producingSide * sw_ring.sizeof + field) >>> 2
}
