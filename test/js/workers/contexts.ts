// Runs the cases of support/contexts in a thread of its own, which may have no addon, and posts
// what each has seen.
import { parentPort } from 'node:worker_threads'
import { SharedMemoryChannel } from 'sabway'
import { contextCases, dispatcherContext } from '../support/contexts.js'

const seen: Record<string, string[]> = {}
for (const [name, run] of Object.entries(contextCases)) seen[name] = await run()
const { wakes } = new SharedMemoryChannel(4096, 4096).stats()
parentPort!.postMessage({ wakes, seen, dispatcher: await dispatcherContext() })
