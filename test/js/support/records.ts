// What the threads and processes of the tests of records change together.

/** `a`, `b` and the elements of `c` are the same between two changes. */
export const DEFINITION = { a: 'i32', b: 'f64', c: ['u16', 3], hits: 'u32', sum: 'f64' } as const
