const { port1, port2 } = new MessageChannel()
const tasks: (() => void)[] = []
port1.onmessage = () => tasks.shift()!()

export function setImmediate(task: () => void): void {
  tasks.push(task)
  port2.postMessage(0)
}
