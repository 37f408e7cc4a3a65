import { workerData } from 'node:worker_threads'
import { type Ending, end } from '../support/ends.js'

end(workerData as Ending)
