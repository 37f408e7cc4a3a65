// What the thread that has a task pool and its workers say to each other.
//
// A task is an item of the pool's queue: its number, and its value. A number names a place for
// tasks under way, and how often that was used, so that an item whose task is over is told from the
// next task of the place. A place is one word of shared memory, with the use, the attempts, the
// worker that makes the present one, and the state:
//
//   QUEUED    a worker takes the item: compare-exchange -> RUNNING
//             given up: exchange -> OVER, and the place is free
//   RUNNING   the worker has died, and the queue gave the item to another: compare-exchange ->
//             RUNNING, with one attempt more
//             answered, or given up: exchange -> OVER
//   OVER      the next task: store -> QUEUED, with another use
//
// A worker acknowledges an item behind its answer. So when it dies, the queue gives what it held to
// another, which answers LOST where the task may not be begun once more.

import { adopt } from '../base/errors.js'
import type { RegionHandle } from '../base/region-handle.js'
import type { SharedObjectMemory } from '../heap/heap-object.js'
import type { SharedAllocatedMemory } from '../heap/pointer.js'

export const OVER = 0
export const QUEUED = 1
export const RUNNING = 2

const STATE_BITS = 2
const WORKER_BITS = 6
const ATTEMPT_BITS = 6
const USE_BITS = 32 - STATE_BITS - WORKER_BITS - ATTEMPT_BITS

const mask = (bits: number): number => 2 ** bits - 1

/** Of one pool: the region has an endpoint more, for the pool. */
export const MOST_WORKERS = mask(WORKER_BITS)
export const MOST_ATTEMPTS = mask(ATTEMPT_BITS)
/** Tasks of one pool that are in shared memory. */
export const MOST_PLACES = 2 ** 16

/** A task's number is that of its place and of its use of the place. */
export const numberOf = (place: number, use: number): number => (use & mask(USE_BITS)) * MOST_PLACES + place
export const placeOf = (task: number): number => task % MOST_PLACES
export const useOf = (task: number): number => Math.floor(task / MOST_PLACES)

export const wordOf = (task: number, attempts: number, worker: number, state: number): number =>
  (((useOf(task) << ATTEMPT_BITS) | attempts) << (WORKER_BITS + STATE_BITS)) | (worker << STATE_BITS) | state

/** Is the word about that task? */
export const isAbout = (word: number, task: number): boolean => word >>> (32 - USE_BITS) === useOf(task)
export const stateOf = (word: number): number => word & mask(STATE_BITS)
export const workerOf = (word: number): number => (word >>> STATE_BITS) & mask(WORKER_BITS)
export const attemptsOf = (word: number): number => (word >>> (WORKER_BITS + STATE_BITS)) & mask(ATTEMPT_BITS)

// ---- what an item says: see items.ts ----

/** Of the queue of tasks: with its value, or that is posted when the worker asks for it. */
export const GIVEN = 0
export const POSTED = 1

/** Of the queue of answers. */
export const DONE = 0
export const FAILED = 1
export const PROGRESS = 2
/** The worker of that number asks for the value. */
export const FETCH = 3
/** The worker that ran it has died, and it may not be begun again. */
export const LOST = 4
/** It was given up before it was begun. */
export const SKIPPED = 5

/** What values go through that are no numbers, texts and so on: errors do. */
export const TASK_CODECS = ['structured', 'v8', 'msgpack'] as const
export type TaskCodec = (typeof TASK_CODECS)[number]

/** What a worker is told first. */
export interface Start {
  readonly sabwayTasks: 'start'
  readonly region: RegionHandle
  readonly tasks: SharedObjectMemory
  readonly answers: SharedObjectMemory
  readonly places: SharedAllocatedMemory
  readonly worker: number
  /**
   * The word, behind the places, that is 1 once it serves: a message would be lost with a worker
   * that ends soon.
   */
  readonly serves: number
  readonly retries: number
  readonly concurrency: number
  readonly codec: TaskCodec
}

/** Other messages to a worker: the value that it asked for, or a task that was given up. */
export type Told =
  | { readonly sabwayTasks: 'value'; readonly task: number; readonly value: unknown }
  | { readonly sabwayTasks: 'abort'; readonly task: number }

/** Messages of a worker: it answers with a value that is moved, or has done its last. */
export type Tells =
  | { readonly sabwayTasks: 'ended' }
  | { readonly sabwayTasks: 'done'; readonly task: number; readonly value: unknown }

/** The message, if it is one of a pool; else null: the program's own go the same way. */
export function ofPool<Message extends { readonly sabwayTasks: string }>(data: unknown): Message | null {
  const isIt = typeof data === 'object' && data !== null && typeof (data as Message).sabwayTasks === 'string'
  return isIt ? (data as Message) : null
}

/** An error as its parts, which any codec carries. */
export type ErrorParts = [name: string, message: string, stack: string, code: string | null]

export function partsOf(error: unknown): ErrorParts {
  if (!(error instanceof Error)) return ['Error', String(error), '', null]
  const { code } = error as { code?: unknown }
  return [error.name, error.message, error.stack ?? '', typeof code === 'string' ? code : null]
}

export function errorOf([name, message, stack, code]: ErrorParts): Error {
  const error = new Error(message)
  if (name !== 'Error') Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack !== '') error.stack = stack
  if (code !== null) Object.assign(error, { code })
  return adopt(error) as Error
}
