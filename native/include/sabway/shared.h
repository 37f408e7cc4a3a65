/* Regions that processes share: the memory, the token that opens it, and one side of a channel in
 * it for a program in C.
 *
 *   process A                                           process B
 *   sw_shared_create -> sw_shared_map                   sw_shared_open(token) -> sw_shared_map
 *   sw_region_format                                    sw_region_verify
 *   sw_shared_token  -- by argument, pipe, file ... ->
 *   sw_port_open(SW_RENDERER)                           sw_port_open(SW_NATIVE)
 *
 * Both run as the same user. See docs/guide/processes.md for what a token says, and
 * docs/design/security.md for what it keeps out. */
#ifndef SABWAY_SHARED_H
#define SABWAY_SHARED_H

#include "region.h"
#include "side.h"
#include "wait.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SW_NAME_BYTES = 64,   /* of a name, its zero included: letters, digits, '.', '_' and '-' */
  SW_TOKEN_BYTES = 208, /* enough for every token, its zero included */
  SW_WHY_BYTES = 256
};

/* Shared memory that this process has open. Belongs to one thread at a time; what it maps is for
 * all. */
typedef struct sw_shared {
  int64_t handle;
  void *base; /* where sw_shared_map has mapped it, or NULL */
  uint64_t size;
  uint64_t nonce;
  int32_t creator; /* made here, not opened */
  /* the channel that the token named, as sw_place has it; zero: it was a region's */
  uint32_t channel, generation;
  char name[SW_NAME_BYTES];
  char why[SW_WHY_BYTES]; /* after an error: the reason in words */
} sw_shared;

/* Make `size` bytes (a multiple of SW_PAGE) that other processes of this user can open. Without a
 * name they are gone with the last process that has them. With one, they are also found under it
 * until their creator closes them, or the last process does; if all were killed, until shared
 * memory is made again. System calls; a crash inside leaves at most such a name. Errors: SW_EINVAL
 * (name), SW_ERANGE, SW_EEXIST, SW_ENOMEM, SW_EFILES, SW_ENOSYS, SW_ESYSTEM. */
int sw_shared_create(sw_shared *s, uint64_t size, const char *name);

/* Open what a token names. Errors: SW_ETOKEN (malformed, or of another version), SW_EGONE (its
 * process has ended, or has closed it), SW_ESTALE (the place it names is used for something else),
 * SW_ENAMESPACE (made in another pid namespace, such as another container), SW_ESIZE, SW_EACCESS
 * (another user's, open to others, or of a process that is protected), SW_EFILES, SW_ESYSTEM. */
int sw_shared_open(sw_shared *s, const char *token);

/* Map it: s->base. Errors: SW_ENOMEM. */
int sw_shared_map(sw_shared *s);

/* Map it over `length` bytes at `base`: the whole of a mapping that is private, anonymous and
 * writable, as a shared WebAssembly.Memory is. What was there is lost. The mapping stays when `s`
 * is closed: it belongs to the maker of what was there. Errors: SW_EOVERLAY, SW_ESIZE, SW_EFILES,
 * SW_ENOSYS. */
int sw_shared_overlay(sw_shared *s, void *base, uint64_t length);

/* The same for a caller that knows these bytes to be the whole of what was mapped there, although
 * the system may list them as part of a larger mapping, as Linux does with neighbours of one kind.
 * Of memory that an allocator hands out, and will hand out again, that is never true. */
int sw_shared_overlay_vouched(sw_shared *s, void *base, uint64_t length);

/* The token by which others open it, while this process lives and has it open. */
void sw_shared_token(const sw_shared *s, char token[SW_TOKEN_BYTES]);

/* The same, of one channel of its heap (heap_channel.h). */
void sw_shared_channel_token(const sw_shared *s, uint32_t channel, uint32_t generation, char token[SW_TOKEN_BYTES]);

/* Unmap what sw_shared_map mapped, and close. Processes that have it open keep it. */
void sw_shared_close(sw_shared *s);

/* One side of the channel of a shared region. Belongs to one thread at a time. */
typedef struct sw_port {
  sw_place at;
  uint32_t endpoint;
  sw_spinner spinner;
  sw_producer out;
  sw_consumer in;
} sw_port;

/* Take a side of the channel that the region was carved for. A side whose process has died is free:
 * its committed messages are still there, and what it had not released yet is received again.
 * Errors: SW_ENOTREGION, SW_ELAYOUT, SW_ECROWDED, SW_ETAKEN, SW_ECLOSED (this side was closed with
 * `end`), SW_ECORRUPT. */
int sw_port_open(sw_port *p, void *base, uint64_t size, uint32_t side);

/* The same, of a channel of the region's heap. Errors also: SW_ECLOSED: the channel was freed. The
 * caller frees it behind sw_port_close, by sw_channel_free. */
int sw_port_open_at(sw_port *p, const sw_place *place);

/* Is there a living participant on the other side? Asks the operating system. */
int sw_port_has_peer(const sw_port *p);

/* What sw_port_wait waits for: any of them ends it. */
enum { SW_UNTIL_MESSAGE = 1, SW_UNTIL_ROOM = 2 };

/* Sleep until there is something to receive, or until a message of `room` bytes fits: 1, also when
 * the stream has ended or is corrupt, which receiving or sending then tells. 0 when `timeout_ns`
 * (negative: never) have passed. SW_EPEERDIED when the other side's holder has ended without
 * closing or leaving it (killed, or a JavaScript environment that came to its end), within 100 ms,
 * and until another has taken its place (sw_port_has_peer): what it had sent is received first.
 * SW_EREPLACED when another participant has taken this side over: close the port. Spins for 20 us
 * before it sleeps, and lets other threads have the processor meanwhile. */
int sw_port_wait(sw_port *p, uint32_t what, uint32_t room, int64_t timeout_ns);

/* Give the side back. With `end` set the other side is told that this was all; without, another may
 * go on. */
void sw_port_close(sw_port *p, int end);

#ifdef __cplusplus
}
#endif
#endif
