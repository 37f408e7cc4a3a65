// Channels in the directory of names. What such a name leads to is the channel's handle: which side
// a participant takes is for itself to say.

import type { ChannelHandle } from '../base/channel-handle.js'
import * as check from '../base/check.js'
import { SW_KIND_CHANNEL } from '../generated/abi.js'
import { provideKind } from '../heap/names.js'
import { handleParts } from '../region/handle.js'
import { Region } from '../region/region.js'
import { SharedMemoryChannel } from './channel.js'

/** Let channels, and their handles, have names. */
export function provideChannels(): void {
  provideKind<SharedMemoryChannel | ChannelHandle>({
    kind: SW_KIND_CHANNEL,
    name: 'channel',
    placeOf(value) {
      if (SharedMemoryChannel.isMade(value)) {
        const { offset, generation } = value.place
        return { region: value.region, object: offset, generation }
      }
      if (check.fields(value, 'object', ['sabway']).sabway !== 'channel') return null
      const parts = handleParts(value)
      const region = Region.known(parts)
      const { offset, generation } = parts.channel
      return region === undefined ? null : { region, object: offset, generation }
    },
    open: ({ heapRegion: region }, offset, generation) => (region as Region).channelHandle({ offset, generation }),
    free(made) {
      if (SharedMemoryChannel.isMade(made)) made.cleanup()
    },
    give: (made) => (SharedMemoryChannel.isMade(made) ? made.handle : made),
  })
}
