// A small web server for the pages of the tests.
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { root } from './bundle.js'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
}

/** Scripts may be loaded from every origin, an opaque one included. */
const OPEN = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }

/** A page: its HTML, and the headers it is served with besides those that isolate it. */
export interface Page {
  html: string
  headers?: Record<string, string>
  /** Served without the headers that make a page cross-origin isolated. */
  exposed?: true
}

export interface Site {
  origin: string
  close(): Promise<void>
}

/** Serves `pages` by path; then what lies in `folders` of the repository, the first that has it. */
export async function serve(pages: Record<string, Page>, folders: string[]): Promise<Site> {
  const server: Server = createServer(async ({ url }, response) => {
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
        ...OPEN,
      })
      response.end(body)
      return
    }
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
