// Orders to the plugin, each with a number, and the acknowledgements that must come back.
import { encodeOrder, STATUS } from './layout.mjs'

export class Steering {
  #channel
  #timeout
  #waiting = new Map()
  #seq = 0
  #onAcknowledged

  /**
   * `onAcknowledged` hears of each order that was answered, `timeout` is how many milliseconds that
   * may take.
   */
  constructor(channel, onAcknowledged, timeout = 5000) {
    this.#channel = channel
    this.#onAcknowledged = onAcknowledged
    this.#timeout = timeout
  }

  /**
   * Send an order. Resolves with the acknowledgement; rejects when none comes, or when its status
   * is not `expected`. `effect` is called between the last frame before the acknowledgement and the
   * first behind it, which a promise could not be: the frames of one turn of the event loop are
   * taken one after the other.
   */
  order(command, values, { effect, expected = 0 } = {}) {
    const seq = ++this.#seq
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(seq, new Error(`'${command}' (#${seq}) was not acknowledged within ${this.#timeout} ms`)),
        this.#timeout,
      )
      const sent = performance.now()
      this.#waiting.set(seq, { command, values, effect, expected, resolve, reject, timer, sent })
      this.#channel.send(encodeOrder(seq, command, values))
    })
  }

  /** Give every acknowledgement to this, in its place among the frames. */
  acknowledged(ack) {
    const order = this.#waiting.get(ack.seq)
    if (order === undefined) throw new Error(`acknowledgement #${ack.seq} answers no order`)
    const { command, values, expected, effect, sent } = order
    const status = STATUS[ack.status] ?? String(ack.status)
    this.#onAcknowledged({ ...ack, command, values, status, milliseconds: performance.now() - sent })
    if (ack.status !== expected) {
      return this.#settle(
        ack.seq,
        new Error(`'${command}' (#${ack.seq}) was answered '${status}', not '${STATUS[expected]}'`),
      )
    }
    effect?.(ack)
    this.#settle(ack.seq, null, ack)
  }

  /** No acknowledgement will come any more. */
  fail(error) {
    for (const seq of [...this.#waiting.keys()]) this.#settle(seq, error)
  }

  #settle(seq, error, ack) {
    const order = this.#waiting.get(seq)
    if (order === undefined) return
    this.#waiting.delete(seq)
    clearTimeout(order.timer)
    if (error === null) order.resolve(ack)
    else order.reject(error)
  }
}
