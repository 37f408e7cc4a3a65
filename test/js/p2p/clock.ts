// Time as tests of transports have it.

/** Time that passes when the test says so. */
export class Clock {
  time = 0
  #tasks: { at: number; task: () => void }[] = []
  /** When the tasks that wait are due. */
  get due(): number[] {
    return this.#tasks.map(({ at }) => at - this.time).sort((a, b) => a - b)
  }
  now = () => this.time
  random = () => 0.5
  after = (milliseconds: number, task: () => void) => {
    const entry = { at: this.time + milliseconds, task }
    this.#tasks.push(entry)
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== entry)
    }
  }
  async pass(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds
    for (;;) {
      await turns()
      const next = this.#tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#tasks = this.#tasks.filter((each) => each !== next)
      this.time = next.at
      next.task()
    }
    this.time = end
  }
}

/** Whatever the running code has begun goes on, as far as it can without time. */
export const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}
