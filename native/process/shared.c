#include "sabway/shared.h"

#include <stdio.h>
#include <string.h>

#include "base/peer.h"
#include "prim/prim.h"
#include "token.h"

enum { NONE = -1 };

_Static_assert((int)SW_WHY_BYTES == (int)SW_PRIM_WHY, "prim writes into sw_shared.why");

static const char *name_of(const sw_shared *s) { return s->name[0] == '\0' ? NULL : s->name; }

/* ---- making ---- */

/* The header's identity, before another process can open the memory. The magic comes last, by
 * sw_region_format. */
static int write_identity(sw_shared *s) {
  void *view;
  if (sw_prim_random(&s->nonce, sizeof(s->nonce)) != SW_OK) return SW_ESYSTEM;
  int status = sw_prim_memory_map(s->handle, SW_HEADER_BYTES, &view, s->why);
  if (status != SW_OK) return status;
  sw_region_header *header = view;
  sw_store_relaxed(&header->flags, SW_REGION_PROCESSES);
  sw_store_relaxed(&header->nonce_low, (uint32_t)s->nonce);
  sw_store_release(&header->nonce_high, (uint32_t)(s->nonce >> 32));
  sw_prim_memory_unmap(view, SW_HEADER_BYTES);
  return SW_OK;
}

int sw_shared_create(sw_shared *s, uint64_t size, const char *name) {
  *s = (sw_shared){.handle = NONE, .size = size, .creator = 1};
  if (size == 0 || size % SW_PAGE != 0 || size > (uint64_t)SW_PAGE * 65536) {
    snprintf(s->why, sizeof(s->why), "the size is to be a multiple of %d, up to 4 GiB", SW_PAGE);
    return SW_ERANGE;
  }
  if (name != NULL && !sw_token_name_valid(name)) {
    snprintf(s->why, sizeof(s->why), "a name has 1 to %d letters, digits, '.', '_' or '-'", SW_NAME_BYTES - 1);
    return SW_EINVAL;
  }
  if (name != NULL) snprintf(s->name, sizeof(s->name), "%s", name);
  int status = sw_prim_memory_create(size, name_of(s), &s->handle, s->why);
  if (status != SW_OK) return status;
  status = write_identity(s);
  if (status != SW_OK) sw_shared_close(s);
  return status;
}

/* ---- opening ---- */

/* Is it the region that the token was made for? */
static int check_identity(sw_shared *s) {
  void *view;
  int status = sw_prim_memory_map(s->handle, SW_HEADER_BYTES, &view, s->why);
  if (status != SW_OK) return status;
  const sw_region_header *header = view;
  uint64_t nonce = (uint64_t)sw_peer_load_acquire(&header->nonce_high) << 32;
  nonce |= sw_peer_load_relaxed(&header->nonce_low);
  sw_prim_memory_unmap(view, SW_HEADER_BYTES);
  if (nonce == s->nonce) return SW_OK;
  snprintf(s->why, sizeof(s->why), "another region has taken its place; ask for a new token");
  return SW_ESTALE;
}

/* In another pid namespace the pids of the token and of the region mean other processes, or none.
 * */
static int is_of_this_namespace(sw_shared *s, const sw_token *token) {
  uint64_t own = sw_prim_pid_namespace();
  if (token->namespace == own) return SW_OK;
  snprintf(s->why, sizeof(s->why),
           "the token is of pid namespace %llu, this process of %llu (0: no /proc of it tells); run both in one "
           "container, or start this one with the other's pid namespace (docker --pid, nsenter --pid)",
           (unsigned long long)token->namespace, (unsigned long long)own);
  return SW_ENAMESPACE;
}

static int open_place(sw_shared *s, const sw_token *token) {
  if (name_of(s) != NULL) return sw_prim_memory_open_named(s->name, s->size, &s->handle, s->why);
  if (!sw_prim_process_alive(token->pid, (uint32_t)token->start, (uint32_t)(token->start >> 32))) {
    snprintf(s->why, sizeof(s->why), "process %u has ended; ask a process that still has the region open for its token",
             token->pid);
    return SW_EGONE;
  }
  return sw_prim_memory_open(token->pid, (int64_t)token->handle, s->size, &s->handle, s->why);
}

int sw_shared_open(sw_shared *s, const char *text) {
  sw_token token;
  *s = (sw_shared){.handle = NONE};
  int status = sw_token_read(&token, text, s->why);
  if (status != SW_OK) return status;
  s->size = token.size;
  s->nonce = token.nonce;
  s->channel = token.channel;
  s->generation = token.generation;
  memcpy(s->name, token.name, sizeof(s->name));
  if (s->size < SW_HEAP_AT || s->size % SW_PAGE != 0) {
    snprintf(s->why, sizeof(s->why), "no region has the size in it");
    return SW_ETOKEN;
  }
  status = is_of_this_namespace(s, &token);
  if (status == SW_OK) status = open_place(s, &token);
  if (status == SW_OK) status = check_identity(s);
  if (status != SW_OK) sw_shared_close(s);
  return status;
}

void sw_shared_channel_token(const sw_shared *s, uint32_t channel, uint32_t generation, char text[SW_TOKEN_BYTES]) {
  uint32_t pid = sw_prim_pid();
  sw_token token = {.pid = pid,
                    .start = sw_prim_process_start(pid),
                    .namespace = sw_prim_pid_namespace(),
                    .handle = (uint64_t)s->handle,
                    .size = s->size,
                    .nonce = s->nonce,
                    .channel = channel,
                    .generation = generation};
  memcpy(token.name, s->name, sizeof(token.name));
  sw_token_write(&token, text);
}

void sw_shared_token(const sw_shared *s, char text[SW_TOKEN_BYTES]) { sw_shared_channel_token(s, 0, 0, text); }

/* ---- mapping ---- */

int sw_shared_map(sw_shared *s) { return sw_prim_memory_map(s->handle, s->size, &s->base, s->why); }

static int overlay(sw_shared *s, void *base, uint64_t length, int vouched) {
  if (length != s->size) {
    snprintf(s->why, sizeof(s->why), "the shared memory has %llu bytes, what is to be mapped over %llu",
             (unsigned long long)s->size, (unsigned long long)length);
    return SW_ESIZE;
  }
  return sw_prim_memory_overlay(s->handle, base, length, vouched, s->why);
}

int sw_shared_overlay(sw_shared *s, void *base, uint64_t length) { return overlay(s, base, length, 0); }

int sw_shared_overlay_vouched(sw_shared *s, void *base, uint64_t length) { return overlay(s, base, length, 1); }

void sw_shared_close(sw_shared *s) {
  if (s->base != NULL) sw_prim_memory_unmap(s->base, s->size);
  s->base = NULL;
  if (s->handle != NONE) sw_prim_memory_close(s->handle, name_of(s), s->creator);
  s->handle = NONE;
}
