// A worker of task-pools.ts, of SharedPool.
import { serveTasks } from 'sabway'
import { task } from './task-pools.js'

serveTasks(task)
