/* Threads as coroutines. ucontext makes the stacks; switching is _setjmp and _longjmp, because
 * swapcontext costs two system calls (Engelschall, "Portable Multithreading", USENIX 2000). A
 * coroutine that was left in the middle is used again by jumping back to the foot of its stack. */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its longjmp refuses to change stacks */

#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>

#include "internal.h"

enum { STACK_BYTES = 256 * 1024 };

static struct {
  ucontext_t context;
  jmp_buf foot, here;
  void (*body)(void);
  bool made, finished;
} coroutines[MODEL_THREADS];

static ucontext_t maker;
static jmp_buf search;
static int running = NONE;

static void trampoline(void) {
  _setjmp(coroutines[running].foot);
  if (_setjmp(coroutines[running].here) == 0) _longjmp(search, 1);
  coroutines[running].body();
  coroutine_end();
}

static void enter(int thread, jmp_buf where) {
  running = thread;
  if (_setjmp(search) == 0) _longjmp(where, 1);
  running = NONE;
}

static void make(int thread) {
  ucontext_t *context = &coroutines[thread].context;
  getcontext(context);
  context->uc_stack.ss_sp = malloc(STACK_BYTES);
  context->uc_stack.ss_size = STACK_BYTES;
  context->uc_link = NULL;
  if (context->uc_stack.ss_sp == NULL) abort();
  makecontext(context, trampoline, 0);
  coroutines[thread].made = true;
  running = thread;
  if (_setjmp(search) == 0) swapcontext(&maker, context);
  running = NONE;
}

void coroutine_start(int thread, void (*body)(void)) {
  if (coroutines[thread].made) enter(thread, coroutines[thread].foot);
  else make(thread);
  coroutines[thread].body = body;
  coroutines[thread].finished = false;
  coroutine_resume(thread);
}

void coroutine_resume(int thread) { enter(thread, coroutines[thread].here); }

bool coroutine_finished(int thread) { return coroutines[thread].finished; }

int coroutine_current(void) { return running; }

void coroutine_yield(void) {
  if (_setjmp(coroutines[running].here) == 0) _longjmp(search, 1);
}

void coroutine_end(void) {
  coroutines[running].finished = true;
  _longjmp(search, 1);
}
