// The workers' halves of the tutorial's samples (see tutorial.test.ts): each as it stands there,
// but for its imports.
import { workerData as data, parentPort as port } from 'node:worker_threads'

/** What the sample prints goes to the test. */
const console = { log: (...parts: unknown[]) => port!.postMessage(parts.join(' ')) }

// biome-ignore format: the lines between the rules are the document's own
const SAMPLES = {
  counter() {
    const workerData = data.sample
    // ----
    const { sharedBuffer, increments } = workerData;
    const counter = new Int32Array(sharedBuffer);

    // Increment counter atomically
    for (let i = 0; i < increments; i++) {
      Atomics.add(counter, 0, 1);
    }

    console.log(`Worker completed ${increments} increments`);
    // ----
  },

  consumer() {
    const parentPort = port!
    // ----
    parentPort.on('message', (sharedBuffer) => {
      const int32 = new Int32Array(sharedBuffer);

      console.log('Consumer: Waiting for data');

      // Wait for ready flag to be 1
      const result = Atomics.wait(int32, 1, 0); // Wait while value is 0

      if (result === 'ok') {
        const data = Atomics.load(int32, 0);
        console.log('Consumer: Received data:', data);
      }
    });
    // ----
    parentPort.on('message', () => {
      console.log('over')
      parentPort.close()
    })
  },

  /** The document says in words what this one does. */
  configured() {
    port!.on('message', (configBuffer) => {
      const config = new Uint32Array(configBuffer)
      console.log('read', Atomics.load(config, 0), Atomics.load(config, 1), Atomics.load(config, 2))
      Atomics.add(config, 3, 1)
      while (Atomics.load(config, 1) === 100) Atomics.wait(new Int32Array(configBuffer), 1, 100, 5)
      console.log('changed', Atomics.load(config, 1))
      port!.close()
    })
  },

  /** Likewise: 2500 items, of which each tenth fails. */
  working() {
    port!.on('message', (progressBuffer) => {
      const progress = new Uint32Array(progressBuffer)
      for (let i = 0; i < 2500; i++) Atomics.add(progress, i % 10 === 0 ? 2 : 1, 1)
      port!.close()
    })
  },
}

SAMPLES[data.worker as keyof typeof SAMPLES]()
