import type { Kind } from './kind.js'
import { portKinds } from './ports.js'
import { ringbufKinds } from './ringbuf.js'
import { sabwayKinds } from './sabway.js'

export const kinds: Record<string, Kind<never>> = { ...sabwayKinds, ...ringbufKinds, ...portKinds } as never
