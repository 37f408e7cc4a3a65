// A channel as its event loop sees it: what the dispatcher calls, and what becomes of the other
// side. The public object (channel.ts) owns this one, and passes on to it.
//
// Protocol with the dispatcher (loop/dispatcher.ts): `want` puts the channel on the event loop,
// where each turn calls `work`; before the loop sleeps, `ready` is the second look. `rest` takes
// the channel off when it waits for nothing: it receives no messages, nothing is queued, and no
// listener watches the other side. In a region that no other thread can be in, the channel sleeps
// in the region's commons instead, and `wake` brings it back.
//
// News of the other side, in this order: its messages, then 'peer-died' or 'close'. Each call of
// `lookAtPeer` compares the role words with what was seen last (peer-watch.ts); state.ts says what
// was told already.
import type { Offset } from '../base/core.js'
import { coreError, LazyEnding, type SabwayError } from '../base/errors.js'
import { ChannelErrorEvent } from '../base/events.js'
import * as host from '../base/host.js'
import type { Bell, Participant } from '../loop/bell.js'
import * as dispatcher from '../loop/dispatcher.js'
import { type DeathListener, nativePart } from '../loop/parts.js'
import { reachOf, WaitState } from '../loop/wait-policy.js'
import type { ChannelPlace } from '../region/channel-place.js'
import { ringWatchers } from '../region/endpoint.js'
import type { Region } from '../region/region.js'
import { Consumer, type DrainCallback, type MessageCallback, type ToMessage } from './consumer.js'
import { Delivery, type DeliveryOwner } from './delivery.js'
import { KeepAlive } from './keep-alive.js'
import type { NativeWorker } from './native-worker.js'
import type { StartOptions } from './options.js'
import { PeerWatch } from './peer-watch.js'
import type { ChannelPort } from './port.js'
import { Producer } from './producer.js'
import { Receiver, type ReceiverOwner, type WaitOptions } from './receiver.js'
import { SendQueue } from './send-queue.js'
import type { SetupParts } from './setup.js'
import { ChannelState } from './state.js'

export class ChannelParticipant<T> implements Participant, DeathListener, DeliveryOwner, ReceiverOwner {
  readonly region: Region
  readonly bell: Bell
  readonly place: ChannelPlace
  readonly side: number
  readonly waiter: WaitState
  readonly toMessage: ToMessage<T>
  readonly state = new ChannelState()
  readonly peer: PeerWatch
  readonly producer: Producer
  readonly queue: SendQueue
  readonly consumer: Consumer
  readonly receiver: Receiver<T>
  readonly keepAlive: KeepAlive
  port: ChannelPort | null = null
  /** The native worker that this side has started on the other one, while it runs. */
  worker: NativeWorker | null = null
  /** The send queue has become empty: the program's callback. */
  onDrain: (() => void) | null = null
  readonly #delivery: Delivery<T>
  /** Where the core's sw_producer and sw_consumer are. */
  readonly #handles: Offset
  /** What the events are told on. */
  readonly #target: EventTarget
  /** The types of events that have listeners. */
  readonly #listened = new Set<string>()

  constructor({ region, place, policy, maxQueued, format }: SetupParts, toMessage: ToMessage<T>, target: EventTarget) {
    this.region = region
    this.place = place
    this.side = place.side
    this.bell = dispatcher.bellOf(region)
    this.waiter = new WaitState(region, policy)
    this.toMessage = toMessage
    this.#target = target
    dispatcher.relay(region)
    const onOpen = () => {
      if (!region.commons.secluded) ringWatchers(region.words, region.endpoint)
      this.#watchIfAsked()
    }
    this.peer = new PeerWatch(region, place)
    this.#handles = region.takeHandles()
    this.producer = new Producer(region, place, this.#handles, onOpen)
    this.queue = new SendQueue(this.producer, this, maxQueued)
    this.consumer = new Consumer(region, place, this.#handles, (error) => this.#onEnd(error), onOpen)
    this.receiver = new Receiver(this, this.consumer, toMessage)
    this.#delivery = new Delivery(this, this.consumer, toMessage, format !== null)
    this.keepAlive = new KeepAlive(this)
  }

  // ---- what the dispatcher calls ----

  work(): boolean {
    const moved = this.queue.pending && this.queue.flush()
    const received = this.#delivery.work()
    // behind the delivery: a dead participant's messages come before the news of it
    this.lookAtPeer()
    this.rest()
    return moved || received
  }

  /** Messages that wait for a tick need no ring. */
  get wantsMessages(): boolean {
    return this.consumer.receiving && !this.#delivery.planned
  }

  ready(): boolean {
    this.lookAtPeer()
    return (this.wantsMessages && this.consumer.ready()) || this.queue.wantSpace()
  }

  hasNews(): boolean {
    const { state, peer, receiver } = this
    // What a callback that stops, starts or throws leaves of its batch comes back to the ring.
    if (this.consumer.handing) return true
    if (state.deathUntold || peer.hasNews || (this.#watching && peer.readsNoMore)) return true
    if (peer.isGone && (state.takenFor === 'port' || (receiver.hasUntoldDeath && receiver.waiting))) return true
    try {
      return (this.wantsMessages && this.consumer.available()) || this.queue.wantSpace()
    } catch {
      return true // its words were overwritten, as the turn will find
    }
  }

  setSlot(slot: number): void {
    this.consumer.setSlot(slot, this.wantsMessages)
    this.producer.setSlot(slot)
  }

  reach(how: number): number {
    return reachOf(this.region, this.peer.receiver, how)
  }

  onPeerDied(number: number): void {
    if (this.state.closed || !this.peer.concerns(Math.floor(number / 2 ** 32))) return
    const seen = this.peer.look()
    if (!this.peer.noteDeath(number >>> 0) && !seen) return
    this.peerHasDied(false)
    // Once more round: what waits is told when the ring is empty. A listener of 'peer-died' may
    // have cleaned up.
    if (!this.state.closed) dispatcher.activate(this)
  }

  onCarrierFailed(status: number): void {
    if (!this.state.closed) this.report(coreError(status, 'the memory that processes share'))
  }

  /** This object is closed: nothing uses its handles any more. */
  end(): void {
    dispatcher.deactivate(this)
    this.keepAlive.update()
    nativePart.loaded?.ignoreDeaths(this)
    this.region.giveHandles(this.#handles)
  }

  // ---- on the event loop, or off it ----

  /** Wait on the event loop: for messages, or for room. */
  want(): void {
    dispatcher.activate(this)
    this.keepAlive.update()
  }

  /** Off the event loop when there is nothing to wait for. */
  rest(): void {
    if (!this.wantsMessages && !this.queue.pending && !this.#watching) dispatcher.deactivate(this)
    this.keepAlive.update()
  }

  /** A blocking call is to be rung for messages, also when the event loop is not. */
  block(): void {
    dispatcher.stir(this)
  }

  // ---- listeners ----

  listenersChanged(type: string, count: number): void {
    if (count === 0) this.#listened.delete(type)
    else this.#listened.add(type)
    if (type === 'close' || type === 'peer-died') this.#watchIfAsked()
    if (type === 'message') this.#onMessageListeners(count !== 0)
  }

  /** Are there listeners that want to be told what becomes of the other side? */
  get #watching(): boolean {
    const { state, peer } = this
    if (state.closed || (!this.consumer.isOpen && !this.producer.isOpen)) return false
    if (!state.closeTold && this.#listened.has('close')) return true
    // what has ended for good has no successor that may die
    const over = peer.readsNoMore && peer.sendsNoMore
    return !over && this.#listened.has('peer-died')
  }

  /** A role was taken, or a listener came or went: only the holder of a role is rung. */
  #watchIfAsked(): void {
    if (this.state.closed) return
    if (this.#watching) dispatcher.activate(this)
    else this.rest()
  }

  /**
   * A 'message' listener receives, unless something else does, until the last one goes or
   * stopReceiving is called.
   */
  #onMessageListeners(wanted: boolean): void {
    const { state } = this
    this.#delivery.hasListeners = wanted
    if (state.takenFor === 'listeners' && !wanted) this.stopReceiving()
    if (!wanted || this.consumer.receiving || state.receivingOver !== null) return
    this.startReceiving(() => {}, undefined)
    state.takenFor = 'listeners'
  }

  // ---- receiving ----

  startReceiving(callback: MessageCallback<T> | DrainCallback, options: StartOptions | undefined): void {
    this.state.mustReceive()
    if (this.state.takenFor === 'listeners') this.stopReceiving()
    if (this.#delivery.start(callback, options)) this.state.receivingUsed = true
  }

  stopReceiving(): void {
    const { state } = this
    // receive() started it, and ends it with the last call that waits
    if (this.receiver.waiting) return
    if (state.takenFor === 'listeners') state.takenFor = 'program'
    this.consumer.stop()
    this.#delivery.stop()
    this.rest()
    // No message comes before the news of a death any more; and a watcher goes on sleeping, but not
    // to be rung for messages.
    if (state.deathUntold || this.#watching) dispatcher.activate(this)
  }

  receive(options: WaitOptions | undefined): Promise<T> {
    this.state.receivingUsed = true
    return this.receiver.receive(options)
  }

  /** The port takes every message in place, from now on. */
  receiveForPort(callback: DrainCallback): void {
    host.needLoop()
    this.state.mustReceive()
    this.consumer.start(callback, undefined, host.context())
    this.state.receivingUsed = true
    this.state.takenFor = 'port'
    dispatcher.activate(this)
  }

  stopForPort(): void {
    this.state.takenFor = 'program'
    this.stopReceiving()
  }

  /**
   * Nothing more is received through this object. `close`: the other side is told, and this
   * direction ends.
   */
  endReceiving(reason: string, close: boolean): void {
    const { state } = this
    if (state.receivingOver !== null) return
    state.receivingOver = new LazyEnding('ERR_SABWAY_CLOSED', reason)
    this.#delivery.stop()
    if (close) this.consumer.close()
    else this.consumer.leave()
    this.receiver.end(state.receivingOver)
    this.port?.end()
  }

  /** The stream that this side receives has ended; no error when the other side closed it. */
  #onEnd(error: SabwayError | null): void {
    this.consumer.stop()
    this.#delivery.stop()
    const heard = this.receiver.end(error === null ? closedThere() : { error })
    this.port?.end()
    this.rest()
    if (error !== null && !heard) this.report(error)
    this.#tellClose()
  }

  // ---- the other side ----

  lookAtPeer(): void {
    const { state, peer } = this
    if (peer.look()) this.peerHasDied(false)
    else this.#tellDeath()
    if (peer.isGone) this.#endWaits()
    else {
      this.queue.peerCame()
      this.receiver.peerCame()
    }
    // a receiver is told after the last message
    if (!this.#watching || !peer.readsNoMore || this.consumer.receiving) return
    const allReceived = !state.receivingUsed || (peer.sendsNoMore && this.consumer.stats().used === 0)
    if (allReceived) this.#tellClose()
  }

  /**
   * The other side's holder has ended without leaving it. `blocking`: a call blocks this thread.
   */
  peerHasDied(blocking: boolean): void {
    const told = this.#listened.has('peer-died')
    this.queue.peerDied(told)
    this.receiver.peerDied(told && !blocking)
    this.state.deathUntold = true
    this.rest()
    this.#tellDeath()
  }

  /**
   * The news of a death comes behind the dead participant's messages, where this side receives them
   * by itself.
   */
  #tellDeath(): void {
    const { state } = this
    if (!state.deathUntold || state.closed) return
    if (this.peer.isGone && this.consumer.receiving && this.consumer.available()) return
    state.deathUntold = false
    this.tell(new host.BaseEvent('peer-died'))
  }

  /** What waits for messages of a dead participant is told when all of them were received. */
  #endWaits(): void {
    this.receiver.rejectIfDead()
    if (this.state.takenFor !== 'port' || this.consumer.available()) return
    this.stopForPort()
    this.port?.end()
  }

  // ---- telling ----

  #tellClose(): void {
    if (this.state.closeTold) return
    this.state.closeTold = true
    this.tell(new host.BaseEvent('close'))
  }

  /** The send queue has become empty. */
  drained(): void {
    this.keepAlive.update()
    this.onDrain?.()
    this.tell(new host.BaseEvent('drain'))
  }

  tell(event: Event): void {
    this.#target.dispatchEvent(event)
  }

  /**
   * An error that no call is there to throw. Unheard, it becomes an uncaught exception, not
   * silence.
   */
  report(error: SabwayError): void {
    if (this.#listened.has('error')) this.tell(new ChannelErrorEvent(error))
    else
      host.microtask(() => {
        throw error
      })
  }
}

const closedThere = () =>
  new LazyEnding('ERR_SABWAY_CLOSED', 'the other side was cleaned up, and all that it sent was received')
