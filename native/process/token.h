/* A token as text:
 *
 *   sabway2:<pid>:<start>:<namespace>:<handle>:<size>:<nonce>:<name>:<crc>
 *
 * All numbers are hexadecimal. The name may be empty. The last is the CRC-32C of all that is before
 * its colon. That is a region's token; the token of one channel of many in a region has behind it
 *
 *   /<offset>.<generation> */
#ifndef SABWAY_TOKEN_H
#define SABWAY_TOKEN_H

#include "sabway/shared.h"

typedef struct sw_token {
  uint32_t pid;
  uint64_t start;
  uint64_t namespace; /* in which the pid means that process: sw_prim_pid_namespace */
  uint64_t handle;
  uint64_t size;
  uint64_t nonce;
  char name[SW_NAME_BYTES];
  uint32_t channel, generation; /* zero in a region's token */
} sw_token;

/* May an object be called that? */
int sw_token_name_valid(const char *name);

void sw_token_write(const sw_token *token, char text[SW_TOKEN_BYTES]);

/* Errors: SW_ETOKEN, with the reason in `why`. */
int sw_token_read(sw_token *token, const char *text, char why[SW_WHY_BYTES]);

#endif
