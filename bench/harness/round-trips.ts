// Round trips, driven in the same way for every benchmark.
import type { Job, Load } from '../transports/transport.js'
import { pause, Watchdog } from './messages.js'

/** One end of a round trip in which both ends poll. */
export interface PollingEnd {
  send(message: Uint8Array): unknown
  /** The next message's first byte, or -1 when there is none. */
  take(): number
}

export function pingByPolling({ send, take }: PollingEnd, { size }: Load): Job {
  const message = new Uint8Array(size)
  return (count) => {
    const times = new Float64Array(count)
    const watchdog = new Watchdog()
    let before = performance.now()
    for (let i = 0; i < count; i++) {
      message[0] = i
      send(message)
      let answer = take()
      for (; answer < 0; answer = take()) watchdog.check()
      mustAnswer(i, answer)
      const now = performance.now()
      times[i] = now - before
      before = now
    }
    return times
  }
}

export function pongByPolling({ send, take }: PollingEnd, { size }: Load): Job {
  const answer = new Uint8Array(size)
  return (count) => {
    const watchdog = new Watchdog()
    for (let i = 0; i < count; i++) {
      let asked = take()
      for (; asked < 0; asked = take()) watchdog.check()
      answer[0] = asked
      send(answer)
    }
  }
}

/** One end of a round trip in which both ends wait on their event loops. */
export interface EventEnd {
  send(message: Uint8Array): unknown
  /** Have what comes from now on given to the callback. */
  listen(take: (message: Uint8Array) => void): void
  unlisten?(): void
}

export function pingByEvents({ send, listen, unlisten }: EventEnd, { size }: Load): Job {
  const message = new Uint8Array(size)
  return async (count) => {
    const times = new Float64Array(count)
    let arrived: (answer: number) => void = () => {}
    listen((answer) => arrived(answer[0]!))
    for (let i = 0; i < count; i++) {
      await pause()
      message[0] = i
      const before = performance.now()
      const answer = await new Promise<number>((resolve) => {
        arrived = resolve
        send(message)
      })
      times[i] = performance.now() - before
      mustAnswer(i, answer)
    }
    unlisten?.()
    return times
  }
}

export function pongByEvents({ send, listen, unlisten }: EventEnd, { size }: Load): Job {
  const answer = new Uint8Array(size)
  return (count) =>
    new Promise((resolve) => {
      let left = count
      listen((message) => {
        answer[0] = message[0]!
        send(answer)
        if (--left > 0) return
        unlisten?.()
        resolve()
      })
    })
}

export function mustAnswer(asked: number, answer: number | undefined): void {
  if (answer !== (asked & 0xff)) throw new Error(`the answer to ${asked & 0xff} is ${answer}`)
}
