/* Windows. Compiled with mingw-w64 and run under Wine (scripts/check-windows.sh); on Windows itself
 * unverified.
 *
 * Nothing can be mapped over memory that V8 has reserved (MapViewOfFile3 replaces placeholders
 * only), and WaitOnAddress does not reach other processes: so sleeps that others may end are short
 * here, and the sleeper looks again. */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602
#define _CRT_RAND_S

#include <windows.h>

#include <bcrypt.h>
#include <process.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/peer.h"
#include "prim.h"
#include "sabway/error.h"

enum { GLANCE_MS = 2 }; /* between two looks at what another process may have changed */

uint32_t sw_prim_pid(void) { return (uint32_t)GetCurrentProcessId(); }

/* ---- processes ---- */

static uint64_t started(HANDLE process) {
  FILETIME start, end, kernel, user;
  if (!GetProcessTimes(process, &start, &end, &kernel, &user)) return 0;
  return (uint64_t)start.dwHighDateTime << 32 | start.dwLowDateTime;
}

uint64_t sw_prim_process_start(uint32_t pid) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  if (process == NULL) return 0;
  uint64_t start = started(process);
  CloseHandle(process);
  return start;
}

uint64_t sw_prim_pid_namespace(void) { return 0; }

int sw_prim_process_alive(uint32_t pid, uint32_t start_low, uint32_t start_high) {
  if (pid == 0) return 0;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  if (process == NULL) return GetLastError() == ERROR_ACCESS_DENIED;
  uint64_t wanted = (uint64_t)start_high << 32 | start_low, start = started(process);
  int alive = WaitForSingleObject(process, 0) == WAIT_TIMEOUT && (wanted == 0 || start == 0 || start == wanted);
  CloseHandle(process);
  return alive;
}

void sw_prim_watch_open(sw_prim_watch *watch, uint32_t pid, uint32_t start_low, uint32_t start_high) {
  *watch = (sw_prim_watch){-1, pid, start_low, start_high};
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  if (process == NULL) return;
  watch->handle = (int64_t)(intptr_t)process;
  if (!sw_prim_process_alive(pid, start_low, start_high)) sw_prim_watch_close(watch);
}

int sw_prim_watch_ended(const sw_prim_watch *watch) {
  if (watch->handle < 0) return !sw_prim_process_alive(watch->pid, watch->start_low, watch->start_high);
  return WaitForSingleObject((HANDLE)(intptr_t)watch->handle, 0) == WAIT_OBJECT_0;
}

void sw_prim_watch_close(sw_prim_watch *watch) {
  if (watch->handle >= 0) CloseHandle((HANDLE)(intptr_t)watch->handle);
  watch->handle = -1;
}

/* ---- waiting ---- */

static DWORD glance(int64_t timeout_ns) {
  int64_t milliseconds = timeout_ns / 1000000;
  return timeout_ns < 0 || milliseconds > GLANCE_MS ? GLANCE_MS : (DWORD)milliseconds;
}

void sw_prim_futex_wait(uint32_t *word, uint32_t expected, int64_t timeout_ns) {
  uint64_t end = timeout_ns < 0 ? UINT64_MAX : sw_prim_now() + (uint64_t)timeout_ns;
  while (sw_peer_load_acquire(word) == expected) {
    uint64_t now = sw_prim_now();
    if (now >= end) return;
    int woken = WaitOnAddress(word, &expected, sizeof(expected), glance((int64_t)(end - now)));
    if (woken) return;
  }
}

uint32_t sw_prim_futex_most(void) { return 0; }

void sw_prim_futex_wait_any(uint32_t *const *words, const uint32_t *expected, uint32_t count, int64_t timeout_ns) {
  for (uint32_t i = 1; i < count; i++) {
    if (sw_peer_load_acquire(words[i]) != expected[i]) return;
  }
  uint32_t first = expected[0];
  WaitOnAddress(words[0], &first, sizeof(first), glance(timeout_ns));
}

int sw_prim_futex_wake(uint32_t *word) {
  WakeByAddressAll(word);
  return 0; /* it does not tell */
}

uint64_t sw_prim_now(void) {
  LARGE_INTEGER count, frequency;
  QueryPerformanceCounter(&count);
  QueryPerformanceFrequency(&frequency);
  uint64_t whole = (uint64_t)(count.QuadPart / frequency.QuadPart);
  uint64_t rest = (uint64_t)(count.QuadPart % frequency.QuadPart);
  return whole * 1000000000 + rest * 1000000000 / (uint64_t)frequency.QuadPart;
}

void sw_prim_yield(void) { SwitchToThread(); }

void sw_prim_pause(void) { YieldProcessor(); }

static SRWLOCK process_lock = SRWLOCK_INIT;

void sw_prim_lock(void) { AcquireSRWLockExclusive(&process_lock); }

void sw_prim_unlock(void) { ReleaseSRWLockExclusive(&process_lock); }

/* ---- threads ---- */

typedef struct start {
  void (*run)(void *);
  void *argument;
} start;

static unsigned __stdcall trampoline(void *passed) {
  start todo = *(start *)passed;
  free(passed);
  todo.run(todo.argument);
  return 0;
}

int sw_prim_thread_start(sw_prim_thread *thread, const char *name, void (*run)(void *), void *argument) {
  (void)name;
  start *todo = malloc(sizeof(*todo));
  if (todo == NULL) return SW_ENOMEM;
  *todo = (start){run, argument};
  uintptr_t id = _beginthreadex(NULL, 0, trampoline, todo, 0, NULL);
  if (id == 0) {
    free(todo);
    return SW_ESYSTEM;
  }
  thread->id = (uint64_t)id;
  return SW_OK;
}

int sw_prim_thread_join(sw_prim_thread *thread) {
  HANDLE handle = (HANDLE)(uintptr_t)thread->id;
  int status = WaitForSingleObject(handle, INFINITE) == WAIT_OBJECT_0 ? SW_OK : SW_ESYSTEM;
  CloseHandle(handle);
  return status;
}

/* ---- libraries ---- */

static void words_of(DWORD error, char *why, uint32_t why_bytes) {
  DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  if (FormatMessageA(flags, NULL, error, 0, why, why_bytes, NULL) == 0) {
    snprintf(why, why_bytes, "error %lu", (unsigned long)error);
  }
}

void *sw_prim_library_open(const char *path, char *why, uint32_t why_bytes) {
  wchar_t wide[4096];
  if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, (int)(sizeof(wide) / sizeof(*wide))) == 0) {
    snprintf(why, why_bytes, "%s: the path is too long, or not UTF-8", path);
    return NULL;
  }
  HMODULE library = LoadLibraryW(wide);
  if (library == NULL) words_of(GetLastError(), why, why_bytes);
  return (void *)library;
}

void *sw_prim_library_symbol(void *library, const char *name) {
  return (void *)(uintptr_t)GetProcAddress((HMODULE)library, name);
}

void sw_prim_library_close(void *library) { FreeLibrary((HMODULE)library); }

/* ---- shared memory: a section of the paging file, whose size never changes ---- */

static int refuse(int error, char *why, const char *what) {
  DWORD number = GetLastError();
  char words[128] = "";
  words_of(number, words, sizeof(words));
  snprintf(why, SW_PRIM_WHY, "%s: %s", what, words);
  return error;
}

static void name_of(char *text, size_t room, const char *name) { snprintf(text, room, "Local\\sabway.%s", name); }

int sw_prim_memory_create(uint64_t size, const char *name, sw_prim_handle *made, char *why) {
  char full[128];
  if (name != NULL) name_of(full, sizeof(full), name);
  HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)(size >> 32), (DWORD)size,
                                      name == NULL ? NULL : full);
  if (section == NULL) return refuse(SW_ENOMEM, why, "CreateFileMapping");
  if (GetLastError() == ERROR_ALREADY_EXISTS) {
    CloseHandle(section);
    snprintf(why, SW_PRIM_WHY, "%s; choose another name, or close the region that has it", full);
    return SW_EEXIST;
  }
  *made = (int64_t)(intptr_t)section;
  return SW_OK;
}

/* A section tells its size only by a view of it. */
static int inspect(HANDLE section, uint64_t size, char *why) {
  MEMORY_BASIC_INFORMATION is;
  void *view = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0);
  if (view == NULL) return refuse(SW_ESTALE, why, "it is not a shared memory object");
  SIZE_T told = VirtualQuery(view, &is, sizeof(is));
  UnmapViewOfFile(view);
  if (told != 0 && is.RegionSize == size) return SW_OK;
  snprintf(why, SW_PRIM_WHY, "it has %llu bytes, the token says %llu", (unsigned long long)is.RegionSize,
           (unsigned long long)size);
  return SW_ESIZE;
}

int sw_prim_memory_open(uint32_t pid, int64_t number, uint64_t size, sw_prim_handle *opened, char *why) {
  HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid), section = NULL;
  if (process == NULL) return refuse(GetLastError() == ERROR_ACCESS_DENIED ? SW_EACCESS : SW_EGONE, why, "OpenProcess");
  BOOL copied = DuplicateHandle(process, (HANDLE)(intptr_t)number, GetCurrentProcess(), &section, 0, FALSE,
                                DUPLICATE_SAME_ACCESS);
  int status = copied ? inspect(section, size, why) : refuse(SW_EGONE, why, "DuplicateHandle");
  CloseHandle(process);
  if (status == SW_OK) *opened = (int64_t)(intptr_t)section;
  else if (copied) CloseHandle(section);
  return status;
}

int sw_prim_memory_open_named(const char *name, uint64_t size, sw_prim_handle *opened, char *why) {
  char full[128];
  name_of(full, sizeof(full), name);
  HANDLE section = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, full);
  if (section == NULL) return refuse(GetLastError() == ERROR_ACCESS_DENIED ? SW_EACCESS : SW_EGONE, why, full);
  int status = inspect(section, size, why);
  if (status == SW_OK) *opened = (int64_t)(intptr_t)section;
  else CloseHandle(section);
  return status;
}

/* A name goes with the last handle and view, by the system's doing. */
void sw_prim_memory_close(sw_prim_handle handle, const char *name, int creator) {
  (void)name;
  (void)creator;
  CloseHandle((HANDLE)(intptr_t)handle);
}

int sw_prim_memory_map(sw_prim_handle handle, uint64_t size, void **base, char *why) {
  *base = MapViewOfFile((HANDLE)(intptr_t)handle, FILE_MAP_ALL_ACCESS, 0, 0, (SIZE_T)size);
  return *base == NULL ? refuse(SW_ENOMEM, why, "MapViewOfFile") : SW_OK;
}

void sw_prim_memory_unmap(void *base, uint64_t size) {
  (void)size;
  UnmapViewOfFile(base);
}

/* DiscardVirtualMemory is for private memory. */
uint64_t sw_prim_discard(void *from, uint64_t bytes) {
  (void)from;
  (void)bytes;
  return 0;
}

int sw_prim_memory_overlay(sw_prim_handle handle, void *base, uint64_t size, int vouched, char *why) {
  (void)handle;
  (void)base;
  (void)size;
  (void)vouched;
  snprintf(why, SW_PRIM_WHY, "Windows cannot map over memory that is in use; C programs map it elsewhere");
  return SW_ENOSYS;
}

int sw_prim_random(void *bytes, uint32_t count) {
  return BCryptGenRandom(NULL, bytes, count, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0 ? SW_OK : SW_ESYSTEM;
}
