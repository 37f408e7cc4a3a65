#ifndef SABWAY_TEST_NATIVE_OBJECTS_H
#define SABWAY_TEST_NATIVE_OBJECTS_H

#include <node_api.h>
#include <stdbool.h>

/* For JavaScript: see native_objects.c. */
napi_value native_objects(napi_env env, napi_callback_info info);

#endif
