/* The plugin ABI: a shared library that runs on Sabway's native worker thread.
 *
 * The library exports one symbol, `sabway_plugin`, a struct of this type. All its functions are
 * called on the worker thread of one channel, never at the same time; the same library may serve
 * several channels, each with its own state. This header needs nothing but C11 and links to
 * nothing. */
#ifndef SABWAY_PLUGIN_H
#define SABWAY_PLUGIN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version 2 has added host->heap; plugins of version 1 still load, and must not look there. */
#define SABWAY_PLUGIN_ABI 2u
#define SABWAY_NEVER      UINT64_MAX

/* What on_message and open return; any negative number is a failure. */
enum {
  SABWAY_OK = 0,
  /* from on_message: deliver this message again when there is room towards JavaScript */
  SABWAY_RETRY = 1
};

/* Bits of sabway_plugin.flags. */
enum {
  SABWAY_IN_PLACE =
      /* on_message gets the bytes in the ring, where the sender may still change them, instead of a
       * copy */
  1
};

enum { SABWAY_LOG_DEBUG = 0, SABWAY_LOG_INFO = 1, SABWAY_LOG_WARN = 2, SABWAY_LOG_ERROR = 3 };

/* What the host gives a plugin. Call these on the worker thread only. */
typedef struct sabway_host sabway_host;

/* What a name can stand for. */
enum { SABWAY_KIND_MEMORY = 1, SABWAY_KIND_MUTEX = 2 };

/* The heap of the region that the channel is in, with its names and mutexes: the same objects that
 * JavaScript has by region.heap, region.get and Mutex. An object is named by its offset from
 * `base`. Where a call would wait, it sleeps; no time-out is -1. Negative results are errors of
 * sabway/error.h. */
typedef struct sabway_heap {
  uint8_t *base; /* of the region */
  uint64_t size;

  /* A block of so many bytes, whose offset is a multiple of `align` (at least 16). 0: the heap is
   * full, or damaged. */
  uint32_t (*allocate)(sabway_host *host, uint32_t bytes, uint32_t align);
  /* 0, SW_EDOUBLEFREE (-45), SW_EWILD (-46). */
  int (*free)(sabway_host *host, uint32_t at);
  /* Bytes of the block; 0: there is none. */
  uint32_t (*usable)(sabway_host *host, uint32_t at);

  /* What the name stands for: 1, or 0 when there is no such name. */
  int (*find)(sabway_host *host, const char *name, uint32_t *kind, uint32_t *object);
  /* Give an object a name: 1, or 0 when the name stands for another already. */
  int (*name)(sabway_host *host, const char *name, uint32_t kind, uint32_t object);

  /* A mutex: 0, SW_EOWNERDEAD (-41): it is locked, and its last holder died, so mend what it
   * protects and call `consistent`; SW_EPOISONED (-42), SW_ETIMEDOUT (-11), SW_ESTATE (-13): the
   * plugin holds it already. */
  int (*lock)(sabway_host *host, uint32_t mutex, int64_t timeout_ns);
  int (*consistent)(sabway_host *host, uint32_t mutex);
  int (*unlock)(sabway_host *host, uint32_t mutex);
} sabway_heap;

struct sabway_host {
  uint32_t abi;
  /* bytes of the largest message that fits towards JavaScript: the ring's capacity */
  uint32_t largest;

  /* Room for a message of up to `length` bytes towards JavaScript, 8-byte aligned, in *payload. 0,
   * or a negative error: SW_EFULL (-4) when there is no room now: return, and on_tick is called
   * again as soon as there is. */
  int (*reserve)(sabway_host *host, uint32_t length, void **payload);
  /* Send the first `length` bytes of what was reserved, or forget it. 0, or a negative error. */
  int (*commit)(sabway_host *host, uint32_t length);
  int (*abandon)(sabway_host *host);
  /* reserve, copy and commit. */
  int (*send)(sabway_host *host, const void *bytes, uint32_t length);

  /* Monotonic nanoseconds: the clock of on_tick. */
  uint64_t (*now)(sabway_host *host);
  /* A line for the channel's onLog callback in JavaScript. The text is copied. */
  void (*log)(sabway_host *host, int level, const char *text);
  /* Leave the worker loop soon (on_tick may still be called once): JavaScript sees what was sent,
   * then 'close'. */
  void (*stop)(sabway_host *host);

  /* Since version 2. NULL where the region has no heap. */
  const sabway_heap *heap;
};

typedef struct sabway_plugin_v1 {
  uint32_t abi; /* SABWAY_PLUGIN_ABI of the header that it was compiled with */
  uint32_t flags;
  const char *name;
  /* `options` is a JSON object. Put what the other functions need into *state. A negative number
   * makes startWorker throw ERR_SABWAY_PLUGIN_OPEN; what was logged becomes part of its message,
   * and close is not called. */
  int (*open)(sabway_host *host, const char *options, void **state);
  /* One message from JavaScript. The bytes are valid during the call. Optional. */
  int (*on_message)(void *state, const void *bytes, uint32_t length);
  /* Time to work: at the time that the last call returned, after messages, and when wanted room
   * appears. Returns when to be called next: a time of host->now, 0 for at once, or SABWAY_NEVER.
   * Optional. */
  uint64_t (*on_tick)(void *state, uint64_t now);
  void (*close)(void *state);
} sabway_plugin_v1;

#if defined(_WIN32)
#define SABWAY_EXPORT __declspec(dllexport)
#else
#define SABWAY_EXPORT __attribute__((visibility("default")))
#endif

/* Defined by the plugin: `SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin = {...};` */
extern SABWAY_EXPORT const sabway_plugin_v1 sabway_plugin;

#ifdef __cplusplus
}
#endif
#endif
