// Vitest: tests run in Node's own context, into which an environment's globals are put.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const root = dirname(fileURLToPath(import.meta.url))
const project = (name, test) => ({ root, test: { name, root, include: ['vitest.test.mjs'], ...test } })

export default defineConfig({
  root,
  test: {
    projects: [
      project('node', { environment: 'node' }),
      project('node, clocks faked from the start', { environment: 'node', setupFiles: ['./vitest.fake.mjs'] }),
      project('happy-dom', { environment: 'happy-dom' }),
      project('jsdom', { environment: 'jsdom' }),
      project('jsdom, in a context of its own', { environment: 'jsdom', pool: 'vmThreads' }),
    ],
  },
})
