// Messages that go to and fro on several channels at once, each sent when the last one has come:
// one whose ring is lost ends its channel's game, and the test that waits for it.
import type { SharedMemoryChannel } from 'sabway'

const BYTES = 8

/** Return each ball with one added, until it has been over the net that often. */
export function returnBalls(
  channels: readonly SharedMemoryChannel[],
  over: number,
  onEnd: (game: number) => void,
): void {
  for (const [game, channel] of channels.entries()) {
    channel.startReceiving((ball) => {
      const view = new DataView(ball.buffer)
      const count = view.getUint32(0) + 1
      view.setUint32(0, count)
      // Both sides see the end: the last one to get the ball gives it back once more.
      if (count <= over) channel.send(ball)
      if (count >= over) onEnd(game)
    })
  }
}

/** Begin each channel's game. Resolves when all have ended. */
export function play(channels: readonly SharedMemoryChannel[], over: number): Promise<void> {
  return new Promise((resolve) => {
    const left = new Set(channels.keys())
    returnBalls(channels, over, (game) => {
      left.delete(game)
      if (left.size === 0) resolve()
    })
    for (const channel of channels) channel.send(new Uint8Array(BYTES))
  })
}
