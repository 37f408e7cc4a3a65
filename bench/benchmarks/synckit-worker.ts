// The worker that synckit calls: it answers with the message.
import { runAsWorker } from 'synckit'

runAsWorker(async (message: Uint8Array) => message)
