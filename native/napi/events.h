/* What an event that the addon passes to JavaScript is about. A participant has died when it ended
 * without giving its roles back. codegen/abi_table.c makes TypeScript constants of the kinds. */
#ifndef SABWAY_NAPI_EVENTS_H
#define SABWAY_NAPI_EVENTS_H

#define SWI_EVENT_KINDS(X)                                                                \
  X(SWI_EVENT_WORKER_LOG)     /* a line that a worker has logged */                       \
  X(SWI_EVENT_WORKER_EXITED)  /* a worker has ended by itself */                          \
  X(SWI_EVENT_WORKER_JOINED)  /* the last event of each worker */                         \
  X(SWI_EVENT_PEER_DIED)      /* of a watch: a participant of another process has died */ \
  X(SWI_EVENT_CARRIER_FAILED) /* of a watch: the other side left values that cannot be right */

enum swi_event_kind {
#define SWI_KIND(name) name,
  SWI_EVENT_KINDS(SWI_KIND)
#undef SWI_KIND
};

#endif
