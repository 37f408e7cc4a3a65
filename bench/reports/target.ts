// A ratio that is to be reached.

export interface Target {
  path: string
  size: number
  ours: string
  baseline: string
  /**
   * A bound of our rate over the baseline's, of our time over the baseline's, or of our time, of
   * which the baseline's is shown.
   */
  bound: { rate: number } | { time: number } | { nanoseconds: number }
}

/** Of work that is not about messages of one size. */
export const inHeap = (path: string, ours: string, baseline: string, bound: Target['bound']): Target => ({
  path,
  size: 0,
  ours,
  baseline,
  bound,
})
