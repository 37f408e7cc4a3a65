// How much the tests that repeat something repeat it, and by which seed.

/**
 * 1 by default. SABWAY_EFFORT=0.1 for a quick look; scripts/test-nodes.mjs sets it for the second
 * Node and those after it.
 */
const EFFORT = Number(process.env.SABWAY_EFFORT ?? 1)

/** `many` at the usual effort, twice at least. */
export const times = (many: number): number => Math.max(2, Math.round(many * EFFORT))

/** Of this run, unless SABWAY_SEED says which. */
export const seed = (): number => Number(process.env.SABWAY_SEED ?? Math.floor(Math.random() * 2 ** 31))
