// Loaded before anything else: a host without Atomics.waitAsync, as Firefox before 145 and Safari
// before 16.4.
delete (Atomics as { waitAsync?: unknown }).waitAsync
