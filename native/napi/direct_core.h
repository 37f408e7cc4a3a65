/* The native core on one region's bytes, as JavaScript calls it: where WebAssembly cannot run,
 * which can only use a memory that it has made. The functions are those of codegen/exports.txt,
 * with the arguments and results that they have as WebAssembly: every pointer is an offset, and
 * 64-bit sizes are BigInts. What JavaScript hands over is not trusted: a call whose arguments are
 * not inside the region throws, and does nothing. */
#ifndef SABWAY_NAPI_DIRECT_CORE_H
#define SABWAY_NAPI_DIRECT_CORE_H

#include <node_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* JavaScript: (bytes: Uint8Array over a region's pages in a SharedArrayBuffer, wake: (doorbell,
 * how) => number) -> the functions. They keep the memory. `wake` is called as the core as
 * WebAssembly calls its import, and may call the core. Errors: ERR_SABWAY_INVALID_TYPE,
 * ERR_SABWAY_INVALID_ARGUMENT (the memory's address), ERR_SABWAY_NOT_A_REGION (its size),
 * ERR_SABWAY_OUT_OF_MEMORY. */
napi_value swi_direct_core(napi_env env, napi_callback_info info);

#ifdef __cplusplus
}
#endif
#endif
