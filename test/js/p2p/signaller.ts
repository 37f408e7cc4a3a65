// A signaller in memory, as tests want it: it delivers in turns of its own, or loses.
import type { P2PSignalEvents, P2PSignaller } from 'sabway/p2p'

export class Signals {
  readonly #there = new Map<string, P2PSignalEvents>()
  /** What was said, as 'from to kind'. */
  readonly said: string[] = []
  readonly texts: string[] = []
  /** Loses what it says true of. */
  loses: (from: string, to: string, text: string) => boolean = () => false

  connect(id: string): P2PSignaller {
    return {
      start: (events) => {
        for (const [other, { joined }] of this.#there) {
          joined(id)
          queueMicrotask(() => events.joined(other))
        }
        this.#there.set(id, events)
      },
      send: (peer, text) => this.say(id, peer, text),
      close: () => this.leave(id),
    }
  }

  say(from: string, to: string, text: string): void {
    this.said.push(`${from} ${to} ${(JSON.parse(text) as { kind: string }).kind}`)
    this.texts.push(text)
    if (this.loses(from, to, text)) return
    queueMicrotask(() => this.#there.get(to)?.message(from, text))
  }

  leave(id: string): void {
    if (!this.#there.delete(id)) return
    for (const { left } of this.#there.values()) left(id)
  }

  /** The signaller alone loses sight of it, for a moment. */
  flicker(id: string): void {
    const events = this.#there.get(id)
    this.leave(id)
    for (const [other, { joined }] of this.#there) {
      joined(id)
      events?.joined(other)
    }
    if (events !== undefined) this.#there.set(id, events)
  }

  events(id: string): P2PSignalEvents {
    return this.#there.get(id)!
  }
}
