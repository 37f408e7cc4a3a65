// WHATWG streams over a channel. The ring is the buffer: the readable takes a message out only when
// it is read, and the writable has written one when it is in the ring.
import { isUint8Array, lengthOf } from '../base/brand.js'
import type { SabwayError } from '../base/errors.js'
import { abortController, readableStream, writableStream } from '../base/host.js'
import type { SendOptions } from './send-queue.js'

/**
 * Bytes that may stand in the writable before its `ready` asks the producer to wait; messages,
 * where they are no bytes.
 */
const WRITABLE_BYTES = 65536

interface Source<T> {
  receive(options: { signal: AbortSignal }): Promise<T>
  /** No more will be read. `close`: the other side is told. */
  endReceiving(reason: string, close: boolean): void
}

interface Sink<T> {
  sendDirect(message: T, options: SendOptions): Promise<void>
  /** Resolves when all that was sent so far is in the ring. */
  drained(): Promise<void>
  /** Nothing more is sent. */
  close(reason: string): void
}

/** What is no bytes, such as the values of a codec, counts 1. */
const size = (chunk: unknown): number => (isUint8Array(chunk) ? lengthOf(chunk) : 1)

export function makeReadable<T>(source: Source<T>): ReadableStream<T> {
  const Stream = readableStream()
  const cancelled = abortController()
  return new Stream<T>(
    {
      // Called when a read finds nothing there: highWaterMark is 0.
      async pull(controller) {
        try {
          controller.enqueue(await source.receive({ signal: cancelled.signal }))
        } catch (error) {
          if (cancelled.signal.aborted) return
          const { code } = error as SabwayError
          if (code === 'ERR_SABWAY_CLOSED') return controller.close()
          // The stream is broken for good, and the other side is not to wait for a reader that
          // never comes.
          if (code === 'ERR_SABWAY_NOT_DECODABLE')
            source.endReceiving('the readable stream met a message that cannot be decoded', true)
          throw error
        }
      },
      cancel(reason) {
        cancelled.abort(reason)
        source.endReceiving('the readable stream was cancelled', true)
      },
    },
    { highWaterMark: 0, size },
  )
}

export function makeWritable<T>(sink: Sink<T>): WritableStream<T> {
  return new (writableStream())<T>(
    {
      async write(chunk, controller) {
        try {
          await sink.sendDirect(chunk, { signal: controller.signal })
        } catch (error) {
          // The stream is broken for good and calls neither close nor abort: the other side is not
          // to wait for its rest.
          sink.close('the writable stream failed')
          throw error
        }
      },
      async close() {
        await sink.drained()
        sink.close('the writable stream was closed')
      },
      abort: () => sink.close('the writable stream was aborted'),
    },
    { highWaterMark: WRITABLE_BYTES, size },
  )
}
