// What keeps a program of Node alive: it ends by itself when nothing is left to do, and a channel
// that receives is something to do. Reasons are counted; while there is one, the addon holds the
// process, or, in a thread without it, a port to which nothing is sent.
import * as host from '../base/host.js'
import { nativePart } from './parts.js'

/** A reason to keep the process alive. */
export interface KeepAliveReason {
  active: boolean
}

let reasons = 0
let kept = false
let releasing = false

const dropped = new FinalizationRegistry<KeepAliveReason>(({ active }) => active && release())

/**
 * The reason that an object may have. It is given up when the object is collected: then nothing can
 * come to it any more.
 */
export function keepAliveReasonOf(owner: object): KeepAliveReason {
  const reason = { active: false }
  dropped.register(owner, reason)
  return reason
}

export function setActive(reason: KeepAliveReason, active: boolean): void {
  if (active === reason.active) return
  reason.active = active
  if (active) retain()
  else release()
}

/** A page ends when it is left: nothing keeps it. */
function retain(): void {
  if (reasons++ !== 0 || kept || !host.endsByItself) return
  kept = true
  keepProcess(true)
}

/** The process is let go in the loop's next turn: between two calls of receive() it need not be. */
function release(): void {
  if (--reasons !== 0 || releasing || !kept) return
  releasing = true
  host.immediate(() => {
    releasing = false
    if (reasons !== 0 || !kept) return
    kept = false
    keepProcess(false)
  })
}

let anchor: MessageChannel | null = null

function keepProcess(keep: boolean): void {
  if (nativePart.loaded?.keepProcess(keep)) return
  anchor ??= host.channel()
  const port = anchor.port1 as MessagePort & { ref?(): void; unref?(): void }
  if (keep) port.ref?.()
  else port.unref?.()
}
