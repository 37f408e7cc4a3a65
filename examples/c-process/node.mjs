// Node on one side, the C program on the other:
//
//   node examples/c-process/node.mjs build/c-process/c-process
import { spawn } from 'node:child_process'
import { SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel(1 << 16, 1 << 16, { share: 'processes' })
const program = spawn(process.argv[2], ['answer', channel.token], { stdio: 'inherit' })
program.on('error', (error) => {
  console.error(`${error.message}; build it first, and pass its path`)
  channel.cleanup()
})

let answers = 0
channel.startReceiving((message) => {
  if (answers === 0) console.log(`C answers: ${new TextDecoder().decode(message)}`)
  if (++answers < 1000) return
  console.log(`${answers} answers`)
  channel.cleanup()
})
channel.addEventListener('peer-died', () => {
  console.log('the C program died')
  channel.cleanup()
})
for (let i = 0; i < 1000; i++) channel.send(new TextEncoder().encode(`hello ${i}`))
