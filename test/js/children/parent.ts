// A parent that takes the other side of its child's channels, and is then killed; the child goes on
// and prints what it was told.
import { fork } from 'node:child_process'
import { SharedMemoryChannel } from 'sabway'

const child = fork(new URL('./waiting.js', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
child.once('message', (tokens: string[]) => {
  const channels = tokens.map((token) => SharedMemoryChannel.attach(token, { side: 'native' }))
  for (const channel of channels) channel.send(Uint8Array.of(1))
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100)
})
