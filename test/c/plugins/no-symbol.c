#include "sabway/plugin.h"

SABWAY_EXPORT const uint32_t not_a_plugin;
SABWAY_EXPORT const uint32_t not_a_plugin = SABWAY_PLUGIN_ABI;
