// Which name was meant by one that is not known.

/** Undefined when none is near. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [found] = names.map((known) => ({ known, far: distance(name, known) })).sort((a, b) => a.far - b.far)
  return found !== undefined && found.far <= Math.max(2, found.known.length / 3) ? found.known : undefined
}

/**
 * How many letters must be added, taken away or changed to make one name of the other; case does
 * not count.
 */
function distance(name: string, known: string): number {
  if (Math.abs(name.length - known.length) > known.length) return Number.POSITIVE_INFINITY
  const [from, to] = [name.toLowerCase(), known.toLowerCase()]
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[to.length]!
}
