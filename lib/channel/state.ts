// What has become of a channel object, in one table. The facets are independent but for one rule: a
// closed channel is over in both directions.
//
//   facet       value        set by                                  what it means
//   the object  open         constructor, attach
//               closed       cleanup, detach, the region's close     final
//   sending     open
//               over         closed; the writable's end              final
//   receiving   unused                                               'close' waits for no message
//               used         the first call that takes messages      'close' comes behind the last
//               over         closed; the readable's end              final; the error says why
//   taken for   the program  startReceiving, receive
//               listeners    a 'message' listener                    ends with the last listener
//               a port       port().start()                          ends with the other side
//   a death     told
//               untold       the other side's holder died            told behind its last message
//   'close'     untold
//               told         the other side's end                    final
import type { Ending } from '../base/errors.js'

export class ChannelState {
  closed = false
  sendingOver = false
  /** Why nothing more is received; null while something may be. */
  receivingOver: Ending | null = null
  receivingUsed = false
  takenFor: 'program' | 'listeners' | 'port' = 'program'
  deathUntold = false
  closeTold = false

  /** Before a call that takes messages. Errors: why receiving is over. */
  mustReceive(): void {
    if (this.receivingOver !== null) throw this.receivingOver.error
  }
}
