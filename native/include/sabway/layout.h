/* The bytes every participant agrees on.
 *
 * A region is one piece of shared memory. Nothing in it is a pointer: a place is a 32-bit offset from its first byte.
 * All words are little-endian, 32 bits and aligned, so JavaScript reaches each of them with Atomics.
 *
 *   offset      what                                                     size
 *   0           sw_region_header                                         SW_HEADER_BYTES
 *   4 KiB       SW_ENDPOINTS endpoints                                   sizeof(sw_endpoint) each
 *   64 KiB      SW_ENDPOINTS wasm instance blocks, one per endpoint      SW_INSTANCE_BYTES each
 *   SW_HEAP_AT  objects (today: the one channel a region is carved for)  the rest
 *
 * Words that different participants write in turn stand SW_LINE bytes apart: two cache lines, because the adjacent-line
 * prefetcher of x86 moves them in pairs. Every row of the tables at the end of this file goes into the layout hash. */
#ifndef SABWAY_LAYOUT_H
#define SABWAY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum {
  SW_MAGIC = 0x59574253, /* "SBWY" */
  SW_CHANNEL_MAGIC = 0x4e484353,
  SW_PAGE = 65536, /* a page of WebAssembly memory: regions are whole pages */
  SW_LINE = 128,
  SW_ALIGN = 8, /* frames and payloads start at multiples of this */
  SW_HEADER_BYTES = 4096,
  SW_ENDPOINTS = 64,
  SW_INSTANCE_BYTES = 16384,
  SW_STACK_BYTES = 6144,
  SW_BATCH = 512, /* frames that one wasm call hands over at most */
  SW_INSTANCES_AT = 65536,
  SW_HEAP_AT = SW_INSTANCES_AT + SW_ENDPOINTS * SW_INSTANCE_BYTES,
  SW_RING_MIN = 4096,
  SW_RING_MAX = 512 * 1024 * 1024,
  SW_RING_SLACK = 64, /* room behind the last byte, so that a message as long as the ring fits with its header */
  SW_FRAME_HEADER = 8
};

/* How an endpoint sleeps, and so how it is woken: bits 0-1 of sw_endpoint.sleeping; bit 2: SW_SLEEP_QUIET. */
enum sw_sleep {
  SW_AWAKE = 0,
  SW_SLEEP_FUTEX = 1,  /* a thread in native code, parked on the doorbell word */
  SW_SLEEP_LOOP = 2,   /* a JavaScript event loop, woken through its threadsafe function */
  SW_SLEEP_ATOMICS = 3 /* a JavaScript thread in Atomics.wait or waitAsync on the doorbell word */
};

/* Beside one of those: messages do not end this sleep; room, the end of a stream and a death do. For an owner that
 * only watches the other side, or waits for room, and takes no messages meanwhile: it is rung for none of them. */
enum { SW_SLEEP_QUIET = 4 };

/* What the owner of an endpoint can do for others: bits of sw_endpoint.skills. A native thread cannot wake a thread in
 * Atomics.wait, JavaScript without the addon none on a futex; JavaScript with the addon wakes both, and passes on what
 * those two cannot. Every waker reaches an event loop. */
enum {
  SW_WAKES_FUTEX = 1,
  SW_WAKES_ATOMICS = 2,
  SW_RELAYS = 4,   /* asks for the others: its event loop serves requests */
  SW_STAYS = 8,    /* its thread does not end before the process does */
  SW_LOCKED = 16,  /* holds the Web Lock that lock_low and lock_high name: when that is free, the owner has ended */
  SW_WATCHES = 32, /* sees such locks: its doorbell is rung when a role is taken, or a lock is held */
  SW_YIELDED = 64  /* the code that asked for the lock has run to its end: the lock will be held soon */
};

enum sw_side { SW_RENDERER = 0, SW_NATIVE = 1 };

enum sw_frame_type { SW_FRAME_DATA = 1, SW_FRAME_PAD = 2 };

/* Bits of sw_region_header.flags. */
enum { SW_REGION_PROCESSES = 1 /* participants may be in several processes */ };

/* A role word (its format is in role.h): zero while the role was never held; then the endpoint that holds it, and the
 * epoch of its claim; SW_ROLE_GONE alone when the holder left in order; the holder with SW_ROLE_GONE when it was
 * evicted. In the last two cases, and when the holder's process is dead, the role can be taken. */
enum { SW_ROLE_GONE = 0x80 };

/* Bits of sw_ring.closed. */
enum { SW_CLOSED_BY_PRODUCER = 1, SW_CLOSED_BY_CONSUMER = 2 };

/* magic is written last by the creator and read first by everyone else. */
typedef struct sw_region_header {
  uint32_t magic;
  uint32_t layout_hash;
  uint32_t pages; /* size of the region in SW_PAGE units */
  uint32_t flags;
  uint32_t root;      /* offset of the channel this region was carved for */
  uint32_t nonce_low; /* random, and in the token: tells this region from another that has its place by now */
  uint32_t nonce_high;
  uint8_t unused[SW_HEADER_BYTES - 28];
} sw_region_header;

/* One participant: a thread of a process. pid is the claim word: zero is free, and its highest bit is set while a claim
 * is being made. */
typedef struct sw_endpoint {
  uint32_t pid;
  uint32_t start_low; /* start time of that process, so that a reused pid is not taken for it */
  uint32_t start_high;
  uint32_t epoch;    /* counts the claims of this endpoint */
  uint32_t skills;   /* SW_WAKES_FUTEX and others; zero until the owner has told */
  uint32_t lock_low; /* random, and the name of a Web Lock that the owner has asked for; zero when it has not */
  uint32_t lock_high;
  uint32_t heard; /* the doorbell's value when the owner of a lock last looked at it */
  uint8_t unused0[SW_LINE - 32];
  uint32_t doorbell; /* counts rings; the word a sleeper waits on */
  uint8_t unused1[SW_LINE - 4];
  uint32_t sleeping; /* enum sw_sleep, SW_SLEEP_QUIET; in bits 3-31 the doorbell's value when it was armed */
  uint32_t request;  /* a relay shall wake this endpoint: bit 0, and the doorbell's value in bits 1-31 */
  uint8_t unused2[SW_LINE - 8];
} sw_endpoint;

/* What one message costs beside its payload. length counts this header and the payload: negative while the frame is
 * being written, positive once it is committed. The payload starts `lead` (0 to 7) bytes behind the header. */
typedef struct sw_frame {
  int32_t length;
  uint32_t info; /* enum sw_frame_type in bits 0-7, lead in bits 8-10 */
} sw_frame;

/* Control block of one single-producer single-consumer ring. head and tail count bytes, never stop, and wrap at 2^32.
 * producer and consumer are role words, see SW_ROLE_GONE. */
typedef struct sw_ring {
  uint32_t capacity; /* a power of two, SW_RING_MIN to SW_RING_MAX */
  uint32_t data;     /* offset of the first byte of the data area: capacity + SW_RING_SLACK bytes */
  uint32_t producer;
  uint32_t consumer;
  uint32_t closed;
  uint8_t unused0[SW_LINE - 20];
  uint32_t head; /* written by the producer */
  uint8_t unused1[SW_LINE - 4];
  uint32_t tail; /* written by the consumer */
  uint8_t unused2[SW_LINE - 4];
  uint32_t want_space; /* free bytes the producer sleeps for, zero when it does not */
  uint8_t unused3[SW_LINE - 4];
} sw_ring;

typedef struct sw_channel {
  uint32_t magic;
  uint8_t unused[SW_LINE - 4];
  sw_ring rings[2]; /* indexed by the side that produces: SW_RENDERER is renderer-to-native */
} sw_channel;

/* One message as a batch hands it over. */
typedef struct sw_slice {
  uint32_t offset; /* of the payload, from the region's first byte; the wanted lead when a batch is reserved */
  uint32_t length; /* payload bytes */
} sw_slice;

/* Private to one wasm instance: its shadow stack, and what it hands to and takes from JavaScript in bulk. */
typedef struct sw_instance {
  uint8_t stack[SW_STACK_BYTES];
  uint8_t producer[256]; /* sw_producer, as wasm32 lays it out */
  uint8_t consumer[256]; /* sw_consumer, likewise */
  uint8_t unused[SW_INSTANCE_BYTES - SW_STACK_BYTES - 512 - 2 * SW_BATCH * 8];
  sw_slice outgoing[SW_BATCH];
  sw_slice incoming[SW_BATCH];
} sw_instance;

#define SW_LAYOUT_STRUCTS(X) \
  X(sw_region_header) X(sw_endpoint) X(sw_frame) X(sw_ring) X(sw_channel) X(sw_slice) X(sw_instance)

#define SW_LAYOUT_FIELDS(X)        \
  X(sw_region_header, magic)       \
  X(sw_region_header, layout_hash) \
  X(sw_region_header, pages)       \
  X(sw_region_header, flags)       \
  X(sw_region_header, root)        \
  X(sw_region_header, nonce_low)   \
  X(sw_region_header, nonce_high)  \
  X(sw_endpoint, pid)              \
  X(sw_endpoint, start_low)        \
  X(sw_endpoint, start_high)       \
  X(sw_endpoint, epoch)            \
  X(sw_endpoint, skills)           \
  X(sw_endpoint, lock_low)         \
  X(sw_endpoint, lock_high)        \
  X(sw_endpoint, heard)            \
  X(sw_endpoint, doorbell)         \
  X(sw_endpoint, sleeping)         \
  X(sw_endpoint, request)          \
  X(sw_frame, length)              \
  X(sw_frame, info)                \
  X(sw_ring, capacity)             \
  X(sw_ring, data)                 \
  X(sw_ring, producer)             \
  X(sw_ring, consumer)             \
  X(sw_ring, closed)               \
  X(sw_ring, head)                 \
  X(sw_ring, tail)                 \
  X(sw_ring, want_space)           \
  X(sw_channel, magic)             \
  X(sw_channel, rings)             \
  X(sw_slice, offset)              \
  X(sw_slice, length)              \
  X(sw_instance, stack)            \
  X(sw_instance, producer)         \
  X(sw_instance, consumer)         \
  X(sw_instance, outgoing)         \
  X(sw_instance, incoming)

#define SW_LAYOUT_CONSTANTS(X) \
  X(SW_MAGIC)                  \
  X(SW_CHANNEL_MAGIC)          \
  X(SW_PAGE)                   \
  X(SW_ENDPOINTS)              \
  X(SW_INSTANCE_BYTES)         \
  X(SW_STACK_BYTES)            \
  X(SW_BATCH)                  \
  X(SW_INSTANCES_AT)           \
  X(SW_HEAP_AT)                \
  X(SW_RING_MIN)               \
  X(SW_RING_MAX)               \
  X(SW_RING_SLACK)             \
  X(SW_ALIGN)                  \
  X(SW_FRAME_HEADER)           \
  X(SW_AWAKE)                  \
  X(SW_SLEEP_FUTEX)            \
  X(SW_SLEEP_LOOP)             \
  X(SW_SLEEP_ATOMICS)          \
  X(SW_SLEEP_QUIET)            \
  X(SW_WAKES_FUTEX)            \
  X(SW_WAKES_ATOMICS)          \
  X(SW_RELAYS)                 \
  X(SW_STAYS)                  \
  X(SW_LOCKED)                 \
  X(SW_WATCHES)                \
  X(SW_YIELDED)                \
  X(SW_RENDERER)               \
  X(SW_NATIVE)                 \
  X(SW_FRAME_DATA)             \
  X(SW_FRAME_PAD)              \
  X(SW_REGION_PROCESSES)       \
  X(SW_ROLE_GONE)              \
  X(SW_CLOSED_BY_PRODUCER)     \
  X(SW_CLOSED_BY_CONSUMER)

#ifndef __cplusplus
_Static_assert(sizeof(sw_region_header) == SW_HEADER_BYTES, "the endpoints follow the header");
_Static_assert(sizeof(sw_endpoint) == 3 * SW_LINE, "each hot word of an endpoint has its own lines");
_Static_assert(SW_HEADER_BYTES + SW_ENDPOINTS * sizeof(sw_endpoint) <= SW_INSTANCES_AT,
               "endpoints end before the instances");
_Static_assert(sizeof(sw_ring) == 4 * SW_LINE, "each hot word of a ring has its own lines");
_Static_assert(sizeof(sw_frame) == SW_FRAME_HEADER, "payloads stay aligned");
_Static_assert(sizeof(sw_instance) == SW_INSTANCE_BYTES, "an instance fills its block");
_Static_assert(offsetof(sw_instance, producer) % 16 == 0, "the stack grows down from an aligned address");
_Static_assert((SW_INSTANCE_BYTES & (SW_INSTANCE_BYTES - 1)) == 0, "blocks stay aligned");
#endif

#endif
