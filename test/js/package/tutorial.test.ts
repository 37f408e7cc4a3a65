// The samples of seeds/sharedarraybuffer-and-atomics.md, a tutorial of shared memory, with their
// imports changed: with the platform's own buffers, and with those of a SharedMemoryManager. Its
// spin lock is in test/js/sync/atomics.test.ts.
import assert from 'node:assert/strict'
import { Worker as ThreadWorker, type WorkerOptions } from 'node:worker_threads'
import { SharedMemoryManager } from 'sabway'
import { until } from '../support/wait.js'

const file = new URL('../workers/tutorial.js', import.meta.url)
/** The files of the samples, by what test/js/workers/tutorial.ts calls them. */
const FILES: Record<string, string> = {
  './counter-worker.js': 'counter',
  './consumer-worker.js': 'consumer',
  './configured.js': 'configured',
  './working.js': 'working',
}

const manager = new SharedMemoryManager({ maxBuffers: 1000, cleanupInterval: Number.POSITIVE_INFINITY })
/** For `new`, as the platform's. */
function OfManager(size: number): SharedArrayBuffer {
  return manager.createBuffer(size)
}
const BUFFERS: Record<string, SharedArrayBufferConstructor> = {
  'buffers of the platform': globalThis.SharedArrayBuffer,
  'buffers of a SharedMemoryManager': OfManager as never,
}

// biome-ignore lint/suspicious/noShadowRestrictedNames: the samples call it by this name
for (const [name, SharedArrayBuffer] of Object.entries(BUFFERS)) {
  describe(`the tutorial's samples, with ${name}`, () => {
    const started: ThreadWorker[] = []
    let printed: string[] = []
    const console = { log: (...parts: unknown[]) => printed.push(parts.join(' ')) }

    /** A worker of the tutorial: its file is a sample of ours. */
    class Worker extends ThreadWorker {
      constructor(path: string, options: WorkerOptions = {}) {
        super(file, { workerData: { worker: FILES[path], sample: options.workerData } })
        this.on('message', (line) => printed.push(String(line)))
        started.push(this)
      }
    }
    const exit = (worker: ThreadWorker) => new Promise<unknown>((resolve) => worker.on('exit', resolve))

    beforeEach(() => {
      printed = []
    })
    afterEach(async () => {
      await Promise.all(started.splice(0).map((worker) => worker.terminate()))
    })
    after(() => {
      for (const each of manager.listBuffers()) manager.releaseBuffer(each)
    })

    // biome-ignore format: the lines between the rules are the document's own
    it('count in four threads', async () => {
      // ----
      const sharedBuffer = new SharedArrayBuffer(4);
      const counter = new Int32Array(sharedBuffer);

      // Initialize counter
      Atomics.store(counter, 0, 0);

      // Create 4 workers
      const workers: ThreadWorker[] = [];
      for (let i = 0; i < 4; i++) {
        const worker = new Worker('./counter-worker.js', {
          workerData: { sharedBuffer, increments: 10000 }
        });
        workers.push(worker);
      }

      // Wait for all workers to finish
      Promise.all(workers.map(w => {
        return new Promise(resolve => w.on('exit', resolve));
      })).then(() => {
        const finalValue = Atomics.load(counter, 0);
        console.log('Expected:', 4 * 10000);
        console.log('Actual:', finalValue);
        console.log('Match:', finalValue === 40000 ? '✓' : '✗');
      });
      // ----
      await until(() => printed.at(-1)?.startsWith('Match:') === true, 'the end of four workers')
      assert.deepEqual(printed.slice(0, 4), new Array(4).fill('Worker completed 10000 increments'))
      assert.deepEqual(printed.slice(4), ['Expected: 40000', 'Actual: 40000', 'Match: ✓'])
    })

    // biome-ignore format: the lines between the rules are the document's own
    it('have a consumer wait for what is produced', async () => {
      // The sample's consumer receives only what it is woken for: it may come too late.
      while (!printed.includes('Consumer: Received data: 42')) {
        printed = []
        const setTimeout = (act: () => void, _milliseconds: number) =>
          void until(() => printed.length !== 0, 'the consumer').then(() => globalThis.setTimeout(act, 50))
        // ----
        const sharedBuffer = new SharedArrayBuffer(8);
        const int32 = new Int32Array(sharedBuffer);

        // int32[0] = data value
        // int32[1] = ready flag (0 = not ready, 1 = ready)

        const worker = new Worker('./consumer-worker.js');
        worker.postMessage(sharedBuffer);

        // Produce data
        setTimeout(() => {
          console.log('Producer: Creating data');

          // Set data
          Atomics.store(int32, 0, 42);

          // Set ready flag
          Atomics.store(int32, 1, 1);

          // Wake up consumer
          Atomics.notify(int32, 1, 1);
          console.log('Producer: Notified consumer');
        }, 2000);
        // ----
        await until(() => printed.includes('over'), 'the end of the consumer')
      }
      assert.equal(printed[0], 'Consumer: Waiting for data')
      assert.ok(printed.includes('Producer: Creating data') && printed.includes('Producer: Notified consumer'))
    })

    // biome-ignore format: the lines between the rules are the document's own
    it('share a configuration, whose changes all threads see', async () => {
      const workers = [0, 1].map(() => new Worker('./configured.js'))
      const ended = workers.map(exit)
      // ----
      // Shared configuration between workers
      const configBuffer = new SharedArrayBuffer(1024);
      const config = new Uint32Array(configBuffer);

      // Layout:
      // config[0] = max workers
      // config[1] = batch size
      // config[2] = timeout
      // config[3] = active workers count

      Atomics.store(config, 0, 4);      // max workers
      Atomics.store(config, 1, 100);    // batch size
      Atomics.store(config, 2, 5000);   // timeout

      // Workers read config
      // biome-ignore lint/suspicious/useIterableCallbackReturn: it is the document's
      workers.forEach(w => w.postMessage(configBuffer));
      // ----
      await until(() => Atomics.load(config, 3) === 2, 'both workers to have read it')
      // ----
      // Update config from main thread
      Atomics.store(config, 1, 200); // Change batch size
      // All workers see new value immediately
      // ----
      await Promise.all(ended)
      assert.deepEqual(printed.sort(), ['changed 200', 'changed 200', 'read 4 100 5000', 'read 4 100 5000'])
    })

    // biome-ignore format: the lines between the rules are the document's own
    it('track progress across threads', async () => {
      const workers = [0, 1, 2, 3].map(() => new Worker('./working.js'))
      let timer: ReturnType<typeof globalThis.setInterval> | undefined
      const setInterval = (act: () => void, _milliseconds: number) => {
        timer = globalThis.setInterval(act, 5)
      }
      // ----
      // Track progress across multiple workers
      const progressBuffer = new SharedArrayBuffer(16);
      const progress = new Uint32Array(progressBuffer);

      // progress[0] = total items
      // progress[1] = completed items
      // progress[2] = failed items

      Atomics.store(progress, 0, 10000); // Total

      // biome-ignore lint/suspicious/useIterableCallbackReturn: it is the document's
      workers.forEach(w => w.postMessage(progressBuffer));

      // Workers update progress
      // Atomics.add(progress, 1, 1); // Increment completed

      // Monitor progress
      setInterval(() => {
        const total = Atomics.load(progress, 0);
        const completed = Atomics.load(progress, 1);
        const failed = Atomics.load(progress, 2);

        console.log(`Progress: ${completed}/${total} (${failed} failed)`);
      }, 1000);
      // ----
      await until(() => printed.at(-1) === 'Progress: 9000/10000 (1000 failed)', 'the end of the work')
      clearInterval(timer)
      const seen = printed.map((line) => Number(/^Progress: (\d+)/.exec(line)![1]))
      assert.deepEqual(seen, [...seen].sort((a, b) => a - b))
    })
  })
}
