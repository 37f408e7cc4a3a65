/* What Sabway is measured against: a native thread that gives its messages to JavaScript through a
 * threadsafe function, one call for each message, copied into a Buffer. (Without the copy it would
 * need external buffers, which Electron refuses.) In JavaScript, from
 * require('./tsfn_baseline.cjs'):
 *
 *   start(count, size, queue, callback)
 *     `count` messages (0: until stop) of `size` bytes, as fast as they are taken; at most `queue`
 *     wait at a time. Byte i of message n is (n + i) & 0xff; from 4 bytes on, the first four hold
 *     n, little-endian: what Sabway's built-in 'source' sends.
 *   startFrames(count, width, height, rate, queue, callback)
 *     The frames of examples/frames/frame.h, `rate` per second (0: as fast as they are taken).
 *   stop()
 *     No more after the message that is being made; what waits is still delivered.
 *
 * callback(bytes: Buffer) for each message, then callback(null) once, after which the next start is
 * allowed: one sender at a time. Only the copy is JavaScript's: the block behind it is freed before
 * the callback is called. */
#include <linux/futex.h>
#include <node_api.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "../../examples/frames/frame.h"

typedef struct sender {
  uint32_t count;
  uint32_t size;
  uint32_t width; /* 0: plain messages */
  uint32_t height;
  double interval; /* ns */
  uint8_t *source; /* the frames' strip, or size + 256 bytes of the plain pattern */
  napi_threadsafe_function call;
  uv_thread_t thread;
  int joined;
} sender;

static atomic_int busy;
static atomic_int stopping;

/* ---- the native thread ---- */

static void fill(const sender *s, uint8_t *block, uint32_t number) {
  if (s->width != 0) {
    frame_render(block, number, s->width, s->height, s->source)->time = uv_hrtime();
    return;
  }
  memcpy(block, s->source + (number & 0xff), s->size);
  if (s->size >= 4) memcpy(block, &number, 4);
}

static int wait_until(uint64_t due) {
  while (!atomic_load(&stopping) && uv_hrtime() < due) uv_sleep(1);
  return !atomic_load(&stopping);
}

static void run(void *argument) {
  sender *s = argument;
  uint64_t begin = uv_hrtime();
  napi_status status = napi_ok;
  for (uint32_t n = 0; status == napi_ok && (s->count == 0 || n < s->count); n++) {
    if (!wait_until(begin + (uint64_t)(s->interval * n))) break;
    uint8_t *block = malloc(s->size + 1); /* never of 0 bytes: NULL is the end */
    if (block == NULL) break;
    fill(s, block, n);
    status = napi_call_threadsafe_function(s->call, block, napi_tsfn_blocking);
    if (status != napi_ok) free(block); /* the environment ends, and took nothing */
  }
  if (status == napi_ok) status = napi_call_threadsafe_function(s->call, NULL, napi_tsfn_blocking);
  if (status != napi_closing) napi_release_threadsafe_function(s->call, napi_tsfn_release);
}

/* ---- the JavaScript thread ---- */

static void join(sender *s) {
  if (s->joined) return;
  uv_thread_join(&s->thread);
  s->joined = 1;
  atomic_store(&busy, 0);
}

/* One message, or the end. Without an environment (it is being torn down) there is only memory to
 * free. */
static void deliver(napi_env env, napi_value callback, void *context, void *block) {
  sender *s = context;
  napi_value bytes = NULL, no_value;
  if (block == NULL) join(s);
  if (env != NULL) {
    if (block == NULL) napi_get_null(env, &bytes);
    else napi_create_buffer_copy(env, s->size, block, NULL, &bytes);
  }
  free(block);
  if (bytes == NULL) return;
  napi_get_undefined(env, &no_value);
  napi_call_function(env, no_value, callback, 1, &bytes, NULL);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  sender *s = data;
  if (!s->joined) atomic_store(&stopping, 1); /* else it may be another sender's */
  join(s);
  free(s->source);
  free(s);
}

static napi_value fail(napi_env env, const char *text) {
  napi_throw_error(env, NULL, text);
  return NULL;
}

/* Takes what start and startFrames read; owns nothing when it has thrown. */
static napi_value launch(napi_env env, sender wanted, size_t source_bytes, uint32_t queue, napi_value callback) {
  if (atomic_exchange(&busy, 1)) return fail(env, "a sender is running: call stop and wait for callback(null)");
  atomic_store(&stopping, 0);
  sender *s = malloc(sizeof(*s));
  uint8_t *source = malloc(source_bytes);
  napi_value name;
  napi_create_string_utf8(env, "tsfn_baseline", NAPI_AUTO_LENGTH, &name);
  if (s != NULL && source != NULL) {
    *s = wanted;
    s->source = source;
    for (size_t i = 0; i < source_bytes; i++) source[i] = (uint8_t)i;
    if (s->width != 0) frame_fill_strip(source, s->width);
    napi_status status =
        napi_create_threadsafe_function(env, callback, NULL, name, queue, 1, s, finalize, s, deliver, &s->call);
    if (status == napi_ok && uv_thread_create(&s->thread, run, s) == 0) return NULL;
    if (status == napi_ok) {
      s->joined = 1; /* finalize frees the rest */
      napi_release_threadsafe_function(s->call, napi_tsfn_abort);
      s = NULL, source = NULL;
    }
  }
  free(source);
  free(s);
  atomic_store(&busy, 0);
  return fail(env, "the sender could not be started");
}

/* The call's arguments: `numbers` of them, then a function. */
static int read_call(napi_env env, napi_callback_info info, double *to, size_t numbers, napi_value *callback) {
  napi_value given[6];
  size_t count = 6;
  napi_valuetype type;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  for (size_t i = 0; i < numbers; i++) {
    if (napi_get_value_double(env, given[i], &to[i]) != napi_ok || !(to[i] >= 0 && to[i] <= INT32_MAX)) return 0;
  }
  *callback = given[numbers];
  return napi_typeof(env, *callback, &type) == napi_ok && type == napi_function;
}

static napi_value start(napi_env env, napi_callback_info info) {
  enum { COUNT, SIZE, QUEUE, NUMBERS };
  double number[NUMBERS];
  napi_value callback;
  if (!read_call(env, info, number, NUMBERS, &callback)) return fail(env, "start(count, size, queue, callback)");
  sender wanted = {.count = (uint32_t)number[COUNT], .size = (uint32_t)number[SIZE]};
  return launch(env, wanted, (size_t)wanted.size + 256, (uint32_t)number[QUEUE], callback);
}

static napi_value start_frames(napi_env env, napi_callback_info info) {
  enum { COUNT, WIDTH, HEIGHT, RATE, QUEUE, NUMBERS };
  double number[NUMBERS];
  napi_value callback;
  const char *usage = "startFrames(count, width, height, rate, queue, callback), sides from 1 to 16384, at most 1 GiB";
  if (!read_call(env, info, number, NUMBERS, &callback)) return fail(env, usage);
  uint32_t width = (uint32_t)number[WIDTH], height = (uint32_t)number[HEIGHT];
  if (width - 1u >= FRAME_SIDE_MAX || height - 1u >= FRAME_SIDE_MAX || frame_bytes(width, height) > 1u << 30) {
    return fail(env, usage);
  }
  sender wanted = {.count = (uint32_t)number[COUNT],
                   .size = (uint32_t)frame_bytes(width, height),
                   .width = width,
                   .height = height,
                   .interval = number[RATE] > 0 ? 1e9 / number[RATE] : 0};
  size_t strip_bytes = ((size_t)width + FRAME_PERIOD) * FRAME_PIXEL;
  return launch(env, wanted, strip_bytes, (uint32_t)number[QUEUE], callback);
}

static napi_value stop(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  atomic_store(&stopping, 1);
  return NULL;
}

/* ---- round trips ---- */

enum { PAUSE_MS = 1 };

/* Two words that two threads wait on in turn. */
typedef struct rally {
  _Atomic uint32_t question, answer;
  _Atomic int over;
  int both_sleep;
  napi_threadsafe_function call; /* answers by it, or in `answer` */
  uv_thread_t thread;
} rally;

static void futex_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

static void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT, expected, NULL, NULL, 0);
}

/* Sleeps until asked, then answers. */
static void answer_all(void *argument) {
  rally *r = argument;
  for (uint32_t n = 0;; n++) {
    while (atomic_load(&r->question) == n) futex_wait(&r->question, n);
    if (atomic_load(&r->over)) return;
    if (r->call != NULL) {
      void *message = malloc(64); /* each call carries a message, as with start() */
      memset(message, (int)n, 64);
      napi_call_threadsafe_function(r->call, message, napi_tsfn_blocking);
    } else {
      atomic_store(&r->answer, n + 1);
      if (r->both_sleep) futex_wake(&r->answer);
    }
  }
}

static void ask(rally *r) {
  atomic_fetch_add(&r->question, 1);
  futex_wake(&r->question);
}

static void finish(rally *r) {
  atomic_store(&r->over, 1);
  ask(r);
  uv_thread_join(&r->thread);
}

/* futexRoundTrips(Float64Array, bothSleep): milliseconds from waking a sleeping thread to its
 * answer. The waker spins for it, and pauses before each trip; or it sleeps, too, and asks again at
 * once. */
static napi_value futex_round_trips(napi_env env, napi_callback_info info) {
  size_t count = 2, length = 0;
  napi_value given[2];
  void *data = NULL;
  bool both_sleep = false;
  napi_get_cb_info(env, info, &count, given, NULL, NULL);
  if (napi_get_typedarray_info(env, given[0], NULL, &length, &data, NULL, NULL) != napi_ok ||
      napi_get_value_bool(env, given[1], &both_sleep) != napi_ok)
    return fail(env, "futexRoundTrips(Float64Array, boolean)");
  rally r = {.both_sleep = both_sleep};
  if (uv_thread_create(&r.thread, answer_all, &r) != 0) return fail(env, "no thread");
  for (size_t i = 0; i < length; i++) {
    if (!both_sleep) uv_sleep(PAUSE_MS);
    uint64_t before = uv_hrtime();
    ask(&r);
    while (atomic_load(&r.answer) != i + 1) {
      if (both_sleep) futex_wait(&r.answer, (uint32_t)i);
    }
    ((double *)data)[i] = (double)(uv_hrtime() - before) / 1e6;
  }
  finish(&r);
  return NULL;
}

static rally called;

static void give_answer(napi_env env, napi_value callback, void *context, void *message) {
  (void)context;
  napi_value bytes, no_value;
  if (env != NULL && napi_create_buffer_copy(env, 64, message, NULL, &bytes) == napi_ok) {
    napi_get_undefined(env, &no_value);
    napi_call_function(env, no_value, callback, 1, &bytes, NULL);
  }
  free(message);
}

/* open(callback): a sleeping thread that answers each ask() by one call of the callback; shut()
 * ends it. */
static napi_value open_rally(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value callback, name;
  napi_get_cb_info(env, info, &count, &callback, NULL, NULL);
  napi_create_string_utf8(env, "rally", NAPI_AUTO_LENGTH, &name);
  called = (rally){0};
  napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL, give_answer, &called.call);
  if (uv_thread_create(&called.thread, answer_all, &called) != 0) return fail(env, "no thread");
  return NULL;
}

static napi_value ask_rally(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  ask(&called);
  return NULL;
}

static napi_value shut_rally(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  finish(&called);
  napi_release_threadsafe_function(called.call, napi_tsfn_release);
  return NULL;
}

static void define(napi_env env, napi_value exports, const char *name, napi_callback call) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function);
  napi_set_named_property(env, exports, name, function);
}

NAPI_MODULE_INIT() {
  define(env, exports, "start", start);
  define(env, exports, "startFrames", start_frames);
  define(env, exports, "stop", stop);
  define(env, exports, "futexRoundTrips", futex_round_trips);
  define(env, exports, "open", open_rally);
  define(env, exports, "ask", ask_rally);
  define(env, exports, "shut", shut_rally);
  return exports;
}
