#include <stdio.h>

#include "prim/prim.h"
#include "sabway/worker.h"

/* A version adds to the end of sabway_host, and takes nothing away. */
#define OLDEST_ABI 1u

int sw_plugin_load(const char *path, void **library, const sabway_plugin_v1 **plugin, char *why, uint32_t why_bytes) {
  *library = sw_prim_library_open(path, why, why_bytes);
  if (*library == NULL) return SW_ENOPLUGIN;
  int status = SW_OK;
  *plugin = sw_prim_library_symbol(*library, "sabway_plugin");
  if (*plugin == NULL) {
    snprintf(why, why_bytes, "declare it as SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin");
    status = SW_ESYMBOL;
  } else if ((*plugin)->abi < OLDEST_ABI || (*plugin)->abi > SABWAY_PLUGIN_ABI) {
    snprintf(why, why_bytes,
             "it says version %u, this Sabway has versions %u to %u: compile it with this Sabway's plugin.h",
             (*plugin)->abi, OLDEST_ABI, SABWAY_PLUGIN_ABI);
    status = SW_EPLUGINABI;
  } else if ((*plugin)->name == NULL || (*plugin)->open == NULL || (*plugin)->close == NULL) {
    snprintf(why, why_bytes, "name, open and close must be set");
    status = SW_EPLUGINABI;
  }
  if (status != SW_OK) sw_prim_library_close(*library);
  return status;
}

void sw_plugin_unload(void *library) { sw_prim_library_close(library); }
