/**
 * Electron versions whose pages are never cross-origin isolated, whatever headers they have
 * (electron#50242).
 */
export function neverIsolated(version: string | undefined): boolean {
  const match = /^41\.(\d+)\.(\d+)/.exec(version ?? '')
  if (match === null) return false
  const [minor, patch] = [Number(match[1]), Number(match[2])]
  return minor < 5 || (minor === 5 && patch === 0)
}

/** What to do where a page is not isolated. */
export function whyNotIsolated(version: string | undefined): string {
  const remedy = neverIsolated(version)
    ? `Electron ${version} ignores the headers for it (41.0.0 to 41.5.0 do, electron#50242); use 41.5.1 or later, or connect({ transport: 'copied' })`
    : "serve it with serveScheme of sabway/electron/main, or with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; file:// is never isolated; or connect({ transport: 'copied' })"
  return `this page is not cross-origin isolated; ${remedy}`
}
