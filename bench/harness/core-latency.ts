// The core-to-core latency: how long a cache line takes from one thread's processor to the other's
// and back. A virtual machine's host moves its processors about, and everything that passes between
// two threads costs 3 to 5 times more or less with it; so only runs with the same figure before and
// after, and on both sides of a comparison, may be compared.
import { Worker } from 'node:worker_threads'

const TURNS = 2000
const CHUNKS = 5
const BELL = 32

/**
 * Round trips in microseconds seen on virtual machines, from threads of one core to processors of
 * two sockets.
 */
const CLUSTERS = [0.08, 0.13, 0.25, 0.5]

/** The cluster that a round trip in microseconds belongs to. */
export function placement(trip: number): number {
  const distance = (cluster: number) => Math.abs(Math.log(trip / cluster))
  return CLUSTERS.reduce((best, cluster) => (distance(cluster) < distance(best) ? cluster : best))
}

export class CoreLatencyProbe {
  private readonly words = new Int32Array(new SharedArrayBuffer(256))
  private readonly worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { probe: this.words } })

  /**
   * Microseconds: the best of some short trials, so that a thread that loses its processor does not
   * count.
   */
  measure(): number {
    const { words } = this
    Atomics.add(words, BELL, 1)
    Atomics.notify(words, BELL)
    let best = Number.POSITIVE_INFINITY
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      let begin = 0
      for (let i = 0; i <= TURNS; i++) {
        if (i === 1) begin = performance.now()
        Atomics.store(words, 0, 1)
        while (Atomics.load(words, 0) === 1);
      }
      best = Math.min(best, (performance.now() - begin) / TURNS)
    }
    return best * 1000
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}

/** In the worker, until it is terminated. */
export function answerProbes(words: Int32Array): void {
  for (let bell = 0; ; bell++) {
    Atomics.wait(words, BELL, bell)
    for (let i = 0; i < CHUNKS * (TURNS + 1); i++) {
      while (Atomics.load(words, 0) === 0);
      Atomics.store(words, 0, 0)
    }
  }
}
