// The transports between two threads, by the name that results print.

import { portTransports } from './ports.js'
import { queueTransports } from './queues.js'
import { ringbufTransports } from './ringbuf.js'
import { crowdTransports, sabwayTransports } from './sabway.js'
import type { Transport } from './transport.js'

export const transports: Record<string, Transport<never>> = {
  ...sabwayTransports,
  ...crowdTransports,
  ...ringbufTransports,
  ...portTransports,
  ...queueTransports,
} as never
