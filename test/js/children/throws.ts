// A callback throws: that must become an uncaughtException, and nothing else may be lost. Which
// callback: the first argument.
import { Region, SharedMemoryChannel } from 'sabway'

const [, , where, plugin] = process.argv
const uncaught: string[] = []
process.on('uncaughtException', (error) => uncaught.push(error.message))

const renderer = new SharedMemoryChannel(4096, 4096).ref()
const received: string[] = []
const TOTAL = 100

function finish(): void {
  console.log(JSON.stringify({ uncaught, received }))
  process.exit(0)
}

/** Numbers 0 to 99; every tenth throws. */
function take(message: Uint8Array): void {
  received.push(String(message[0]))
  if (received.length === TOTAL) setTimeout(finish, 20)
  if (message[0]! % 10 === 0) throw new Error(`at ${message[0]}`)
}

const cases: Record<string, () => void> = {
  'startReceiving, all at once': () => {
    const native = SharedMemoryChannel.attach(renderer.handle, { side: 'native' })
    native.startReceiving(take)
    for (let i = 0; i < TOTAL; i++) renderer.send(Uint8Array.of(i))
  },
  'startReceiving, each after a sleep': () => {
    renderer.startWorker({ builtin: 'echo' })
    renderer.startReceiving(take)
    let i = 0
    const timer = setInterval(() => {
      renderer.send(Uint8Array.of(i))
      if (++i === TOTAL) clearInterval(timer)
    }, 3)
  },
  "a 'message' listener": () => {
    renderer.startWorker({ builtin: 'echo' })
    renderer.addEventListener('message', (event) => take((event as unknown as { data: Uint8Array }).data))
    renderer.startReceiving(() => {})
    for (let i = 0; i < TOTAL; i++) renderer.send(Uint8Array.of(i))
  },
  onLog: () => {
    renderer.startWorker({
      plugin: plugin!,
      onLog: ({ level, text }) => {
        if (level === 'info') take(Uint8Array.of(Number(text.split(': ')[1])))
      },
    })
    for (let i = 0; i < TOTAL; i++) renderer.send(new TextEncoder().encode(String(i)))
  },
  onQueueEmpty: () => {
    renderer.startWorker({ builtin: 'echo' })
    renderer.startReceiving((message) => {
      received.push(String(message[0]))
      if (received.length === TOTAL) setTimeout(finish, 20)
    })
    renderer.onQueueEmpty = () => {
      throw new Error('empty')
    }
    for (let i = 0; i < TOTAL; i++) renderer.send(new Uint8Array(500).fill(i))
  },
  'each time, of one of two channels in a region': () => {
    const region = Region.create({ size: 2 ** 22 })
    const [thrower, other] = ['thrower', 'other'].map((name) => {
      const channel = new SharedMemoryChannel(4096, 4096, { region })
      SharedMemoryChannel.attach(channel.handle, { side: 'native' }).startReceiving(() => {
        received.push(name)
        if (received.length === TOTAL + 1) setTimeout(finish, 20)
        if (name === 'thrower') throw new Error('each time')
      })
      return channel
    })
    for (let i = 0; i < TOTAL; i++) thrower!.send(Uint8Array.of(i))
    other!.send(Uint8Array.of(0))
  },
}
const act = cases[where!]
if (act === undefined) throw new Error(`where? ${where}`)
act()
