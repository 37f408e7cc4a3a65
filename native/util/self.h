/* This process, as endpoints name it. */
#ifndef SABWAY_SELF_H
#define SABWAY_SELF_H

#include "sabway/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

sw_owner swi_self(void);

#ifdef __cplusplus
}
#endif
#endif
