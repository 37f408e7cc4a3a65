// Managers of peers over a network in memory, for tests.
import assert from 'node:assert/strict'
import { P2PLoopback, type P2PLoopbackOptions, P2PManager, type P2PManagerOptions, P2PQueue } from 'sabway/p2p'

export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
export const filled = (length: number, seed = length): Uint8Array => Uint8Array.from({ length }, (_, i) => seed + i * 7)

type Options = Partial<P2PManagerOptions>

/** Managers by their names, whose time is the hub's. */
export class Game {
  readonly hub: P2PLoopback
  readonly events: string[] = []
  readonly managers: P2PManager[] = []
  #time = 0

  constructor(options: P2PLoopbackOptions = {}) {
    this.hub = new P2PLoopback({ manual: true, ...options })
  }

  async manager(id: string, options: Options = {}): Promise<P2PManager> {
    const manager = new P2PManager({
      transport: this.hub.connect(id),
      frameInterval: Number.POSITIVE_INFINITY,
      now: () => this.#time,
      ...options,
    })
    this.managers.push(manager)
    manager.addEventListener('peer-joined', ({ peer }) => this.events.push(`${id}: ${peer} joined`))
    manager.addEventListener('peer-left', ({ peer }) => this.events.push(`${id}: ${peer} left`))
    manager.addEventListener('peer-failed', ({ peer, error }) =>
      this.events.push(`${id}: ${peer} failed: ${error.code}`),
    )
    await this.pass()
    return manager
  }

  /** Let what managers begin in a turn of their own begin, and time pass. */
  async pass(milliseconds = 1000): Promise<void> {
    for (let i = 0; i < 5; i++) await Promise.resolve()
    this.#time += milliseconds
    this.hub.advance(milliseconds)
  }

  close(): void {
    for (const manager of this.managers) manager.close()
  }
}

const games: Game[] = []

/** Close the managers of all games. */
export function closeGames(): void {
  for (const each of games.splice(0)) each.close()
}

export const game = (options?: P2PLoopbackOptions): Game => {
  const made = new Game(options)
  games.push(made)
  return made
}
/** What an engine has of a channel. */
export const engine = (manager: P2PManager, channel: number) => {
  const queue = P2PQueue.attach(manager.getP2PChannelQueue(channel))
  return { outgoing: queue.writer('outgoing'), incoming: queue.reader('incoming') }
}
export const read = (manager: P2PManager, channel: number): number[] =>
  manager.readP2PMessagesOnChannel(channel).map(({ data }) => data[0]!)
export const nothingDropped = (...managers: P2PManager[]) => {
  for (const manager of managers) {
    for (const count of Object.values(manager.stats().dropped)) assert.equal(count, 0)
  }
}

/** The methods of a game, for use without it. */
export function bound(of: Game) {
  return { hub: of.hub, events: of.events, manager: of.manager.bind(of), pass: of.pass.bind(of) }
}
