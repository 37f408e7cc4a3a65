// The C code of what lives in a region's heap, as WebAssembly: a module beside the core's, on the
// same memory, which programs that only send and receive do not load.
import { Code } from '../base/core.js'
import { GUARDED_NAMES, type GuardedObjects, HOT_NAMES, type HotObjects } from '../generated/objects.js'
import { CODE, ID } from '../generated/objects-wasm.js'

export type { GuardedObjects, HotObjects }

export const objectsCode: Code<GuardedObjects, HotObjects> = /* @__PURE__ */ new Code<GuardedObjects, HotObjects>(
  CODE,
  ID,
  HOT_NAMES,
  GUARDED_NAMES,
)
