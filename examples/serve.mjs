// A small web server that isolates its pages: without these two headers no SharedArrayBuffer leaves
// its thread.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
}

/**
 * A page: its HTML, and the headers it is served with besides those that isolate it. `exposed`:
 * without those.
 * @typedef {{ html: string, headers?: Record<string, string>, exposed?: true }} Page
 */

/**
 * Serves `pages` by path; then what lies in `folders` of the repository, the first that has it.
 * `port`: 0 is any that is free. `headers`: of those files, besides the ones that isolate.
 * @param {Record<string, Page>} pages
 * @param {string[]} folders
 * @param {{ port?: number, headers?: Record<string, string> }} [options]
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function serve(pages, folders, { port = 0, headers = {} } = {}) {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url ?? '/', 'http://localhost').pathname)
    const page = pages[path]
    if (page !== undefined) {
      response.writeHead(200, { 'content-type': TYPES['.html'], ...(page.exposed ? {} : ISOLATED), ...page.headers })
      response.end(page.html)
      return
    }
    for (const folder of folders) {
      const body = await readFile(join(root, folder, path)).catch(() => null)
      if (body === null) continue
      response.writeHead(200, {
        'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
        ...ISOLATED,
        ...headers,
      })
      response.end(body)
      return
    }
    response.writeHead(404).end()
  })
  await new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(undefined))
  })
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve(undefined))
      }),
  }
}
