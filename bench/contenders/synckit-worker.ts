// What synckit calls: the message back.
import { runAsWorker } from 'synckit'

runAsWorker(async (message: Uint8Array) => message)
