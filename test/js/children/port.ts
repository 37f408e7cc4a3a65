// Does a port keep its process alive? The first argument says which.
import { SharedMemoryChannel } from 'sabway'

const channel = new SharedMemoryChannel(4096, 4096)
const port = channel.port()
if (process.argv[2] !== 'a port that does not receive') port.onmessage = () => {}
if (process.argv[2] === 'a port that receives, unref') port.unref()
const timer = setTimeout(() => {
  port.close()
  console.log('still here, then closed')
}, 200)
timer.unref()
