// A worker of task-pools.ts, of piscina.
import { task } from './task-pools.js'

export default task
