/** A signal that is never aborted, and how many listeners it has now. */
export function countedSignal(): { signal: AbortSignal; listeners(): number } {
  const { signal } = new AbortController()
  let listeners = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    listeners++
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    listeners--
    removeEventListener.apply(signal, args)
  }
  return { signal, listeners: () => listeners }
}
