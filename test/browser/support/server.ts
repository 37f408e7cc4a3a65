// The web server of the examples, for the pages of the tests.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './bundle.js'

/** Scripts may be loaded from every origin, an opaque one included. */
const OPEN = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' }

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
  const examples = await import(pathToFileURL(join(root, 'examples/serve.mjs')).href)
  return examples.serve(pages, folders, { headers: OPEN })
}
