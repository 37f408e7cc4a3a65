// A transport is one way to get messages from thread to thread. Its roles run in either thread, so
// that both directions are measured with the same code.
import type { Transferable } from 'node:worker_threads'
import type { Check } from '../harness/messages.js'

/**
 * Move `count` messages, or make `count` round trips. Receivers tell what they saw, pingers how
 * long each trip took.
 */
export type Job = (count: number) => Outcome | Promise<Outcome>
// biome-ignore lint/suspicious/noConfusingVoidType: a sender has nothing to tell
export type Outcome = Check | Float64Array | void

/**
 * One link between two threads: the end of the thread that made it, and what the other one opens.
 */
export interface Link<End> {
  end: End
  remote: unknown
  transfer?: Transferable[]
}

export interface Load {
  size: number
  /** Bytes that the messages start behind an 8-byte boundary. */
  lead: number
}

export interface Transport<End> {
  make(load: Load): Link<End>
  open(remote: never): End
  close(end: End): void
  roles: Partial<Record<Role, (end: End, load: Load) => Job>>
}

export type Role = 'send' | 'receive' | 'ping' | 'pong'

/** The `workerData` of a benchmark's worker. */
export interface WorkerTask {
  transport: string
  role: Role
  load: Load
  remote: unknown
  /** Word 0: the number of the run that the worker has begun. */
  control: Int32Array
}

/** The result of a run in the worker. */
export interface WorkerResult {
  begin: bigint
  end: bigint
  outcome: Outcome
  error?: string
}

/** Bytes of the rings: PEERS.md, and tried here. The same for every ring of one size. */
export const capacityFor = (size: number) => (size <= 256 ? 1 << 20 : size <= 65_536 ? 1 << 22 : 1 << 23)
