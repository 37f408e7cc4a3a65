// What all scripts have: chance, calls of a core that `hostFor` chooses, and the transcript.
import { random } from '../js/support/bytes.js'
import type { Host } from './hosts.js'

export interface Call {
  /** Counts the calls of the script. */
  number: number
  endpoint: number
  name: string
}

/** Where every host has to have left the same bytes. */
export interface Checkpoint {
  call: number
  image: Buffer
}

export interface Transcript {
  lines: string[]
  checkpoints: Checkpoint[]
  messages: number
}

type Argument = number | bigint

export abstract class Calls {
  protected readonly transcript: Transcript = { lines: [], checkpoints: [], messages: 0 }
  readonly #random: () => number
  #calls = 0

  constructor(
    seed: number,
    private readonly memory: { image(): Buffer },
  ) {
    this.#random = random(seed)
  }

  protected abstract hostOf(call: Call): Host

  protected below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  protected any<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  protected call(endpoint: number, name: string, ...args: Argument[]): Argument | undefined {
    const host = this.hostOf({ number: this.#calls, endpoint, name })
    const result = host.core[name]!(...args)
    const wakes = host.takeWakes()
    const woke = wakes.length === 0 ? '' : ` wakes ${wakes.join(' ')}`
    this.note(`${this.#calls} ${endpoint} ${name}(${args.join(', ')}) = ${result}${woke}`)
    this.#calls++
    return result
  }

  protected note(text: string): void {
    this.transcript.lines.push(text)
  }

  protected checkpoint(): void {
    this.transcript.checkpoints.push({ call: this.#calls, image: this.memory.image() })
  }
}
