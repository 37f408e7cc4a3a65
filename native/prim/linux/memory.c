/* Shared memory on Linux. Without a name: a memfd, sealed so that its size cannot change under a
 * reader, which other processes of the user open through /proc. With a name: an object in /dev/shm.
 * Every process that has it open holds a shared lock on it, which the kernel drops at its death: an
 * object that can be locked exclusively is in no use. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/prim.h"
#include "prim/why.h"
#include "proc.h"
#include "sabway/error.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static const char DIRECTORY[] = "/dev/shm", PREFIX[] = "sabway.";
enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, PRIVATE = 0600, PATH_BYTES = 128, RETRIES = 8 };

/* ---- limits of the host ---- */

/* Has a call that makes a descriptor failed because there is none? */
static int no_descriptor(int error) { return error == EMFILE || error == ENFILE; }

static int refuse_descriptor(int error, char *why) {
  return swi_refuse(
      SW_EFILES, why, "%s (%s); close files, or raise the limit: %s",
      error == EMFILE ? "this process has as many open as it may" : "the system has as many open as it can",
      strerror(error), error == EMFILE ? "`ulimit -n`, RLIMIT_NOFILE" : "the sysctl fs.file-max");
}

/* What to do when memory without a name could not be made big enough. */
static const char *remedy(int error) {
  switch (error) {
    case EFBIG:
      return "; raise `ulimit -f` (RLIMIT_FSIZE)";
    case EPERM:
    case ENOSYS:
      return "; a seccomp filter of the container or sandbox may be why: allow the call";
    default:
      return "";
  }
}

/* ---- an open object ---- */

/* Is it a plain object of this user, for this user only, and of that size? */
static int inspect(int fd, uint64_t size, char *why) {
  struct stat is;
  if (fstat(fd, &is) != 0) return swi_refuse(SW_ESYSTEM, why, "fstat: %s", strerror(errno));
  if (!S_ISREG(is.st_mode)) return swi_refuse(SW_ESTALE, why, "it is not a shared memory object");
  if (is.st_uid != geteuid()) {
    return swi_refuse(SW_EACCESS, why, "it belongs to user %u, this process to user %u: run both as one user",
                      (unsigned)is.st_uid, (unsigned)geteuid());
  }
  if ((is.st_mode & 0777) != PRIVATE) {
    return swi_refuse(SW_EACCESS, why, "its mode is %03o, expected %03o: others could write into it",
                      (unsigned)is.st_mode & 0777, PRIVATE);
  }
  if ((uint64_t)is.st_size != size) {
    return swi_refuse(SW_ESIZE, why, "it has %" PRIu64 " bytes, the token says %" PRIu64, (uint64_t)is.st_size, size);
  }
  return SW_OK;
}

static int fail_closed(int fd, int status) {
  close(fd);
  return status;
}

/* ---- without a name ---- */

static int create_sealed(uint64_t size, sw_prim_handle *made, char *why) {
  int fd = memfd_create("sabway", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
  /* before Linux 6.3 */
  if (fd < 0 && errno == EINVAL) fd = memfd_create("sabway", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 && no_descriptor(errno)) return refuse_descriptor(errno, why);
  if (fd < 0) {
    return swi_refuse(SW_ESYSTEM, why, "memfd_create: %s%s; or give the region a name", strerror(errno), remedy(errno));
  }
  if (fchmod(fd, PRIVATE) != 0 || ftruncate(fd, (off_t)size) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
    int error = errno, forbidden = error == EPERM || error == ENOSYS;
    return fail_closed(fd, swi_refuse(forbidden ? SW_ESYSTEM : SW_ENOMEM, why, "%" PRIu64 " bytes of memfd: %s%s", size,
                                      strerror(error), remedy(error)));
  }
  *made = fd;
  return SW_OK;
}

/* The process is there, as kill tells, and its directory is not. */
static int is_hidden(uint32_t pid) {
  char path[PATH_BYTES];
  snprintf(path, sizeof(path), "/proc/%u", pid);
  return access(path, F_OK) != 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static int why_not_opened(uint32_t pid, int64_t number, char *why) {
  int error = errno;
  if (no_descriptor(error)) return refuse_descriptor(error, why);
  switch (error) {
    case ENOENT:
    case ESRCH:
      if (is_hidden(pid)) {
        return swi_refuse(
            SW_EACCESS, why,
            "/proc hides process %u from this one (hidepid); run both as one user, or give the region a name", pid);
      }
      return swi_refuse(SW_EGONE, why, "process %u has no descriptor %" PRId64 " any more", pid, number);
    case EACCES:
    case EPERM:
      return swi_refuse(
          SW_EACCESS, why,
          "process %u does not let this one open its descriptors (%s): it is another user's, or protected "
          "(setuid, not dumpable); run both as one user, unprotected, or give the region a name",
          pid, strerror(error));
    case ENXIO:
      return swi_refuse(SW_ESTALE, why, "descriptor %" PRId64 " of process %u is not a shared memory object", number,
                        pid);
    default:
      return swi_refuse(SW_ESYSTEM, why, "descriptor %" PRId64 " of process %u: %s", number, pid, strerror(error));
  }
}

int sw_prim_memory_open(uint32_t pid, int64_t number, uint64_t size, sw_prim_handle *opened, char *why) {
  if (!swi_proc_is_ours()) {
    return swi_refuse(SW_ESYSTEM, why,
                      "memory without a name is found through /proc, which is not mounted here, or is another pid "
                      "namespace's; mount it (`mount -t proc proc /proc`), or give the region a name");
  }
  char path[PATH_BYTES];
  snprintf(path, sizeof(path), "/proc/%u/fd/%" PRId64, pid, number);
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return why_not_opened(pid, number, why);
  int status = inspect(fd, size, why);
  if (status != SW_OK) return fail_closed(fd, status);
  int seals = fcntl(fd, F_GET_SEALS); /* -1 where there cannot be any */
  if (seals < 0 || (seals & SEALS) != SEALS) {
    return fail_closed(fd, swi_refuse(SW_ESTALE, why,
                                      "descriptor %" PRId64 " of process %u is a file without seals: "
                                      "it could be truncated under its readers",
                                      number, pid));
  }
  *opened = fd;
  return SW_OK;
}

/* ---- with a name ---- */

static void path_of(char path[PATH_BYTES], const char *name) { snprintf(path, PATH_BYTES, "/%s%s", PREFIX, name); }

static int is_linked(int fd) {
  struct stat is;
  return fstat(fd, &is) == 0 && is.st_nlink != 0;
}

/* Why no object can be opened or made there, except by a name that is taken or not there. */
static int why_no_object(const char *path, int error, char *why) {
  if (no_descriptor(error)) return refuse_descriptor(error, why);
  return swi_refuse(SW_ESYSTEM, why,
                    "%s%s: %s; regions with a name need %s, mounted and writable; those without one do not", DIRECTORY,
                    path, strerror(error), DIRECTORY);
}

/* Remove the object unless a process has it open: 1 when it is away. */
static int remove_abandoned(const char *path) {
  struct stat is;
  int fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) return errno == ENOENT;
  int removed = 0;
  if (fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0) {
    /* another remover waits for the lock: it is still this one */
    if (is_linked(fd)) shm_unlink(path);
    removed = 1;
  }
  close(fd);
  return removed;
}

/* Objects whose users were all killed, which left none to remove them. */
static void sweep(void) {
  DIR *directory = opendir(DIRECTORY);
  if (directory == NULL) return;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    char path[sizeof(entry->d_name) + 1];
    if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) != 0) continue;
    snprintf(path, sizeof(path), "/%.*s", (int)sizeof(entry->d_name) - 1, entry->d_name);
    remove_abandoned(path);
  }
  closedir(directory);
}

static int create_named(uint64_t size, const char *name, sw_prim_handle *made, char *why) {
  char path[PATH_BYTES];
  path_of(path, name);
  int fd = -1;
  for (int tries = 0; tries < RETRIES && fd < 0; tries++) {
    fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, PRIVATE);
    if (fd < 0 && errno != EEXIST) return why_no_object(path, errno, why);
    if (fd < 0 && !remove_abandoned(path)) break;
    /* Until it is locked, it looks abandoned. */
    if (fd >= 0 && (flock(fd, LOCK_SH) != 0 || !is_linked(fd))) {
      close(fd);
      fd = -1;
    }
  }
  if (fd < 0)
    return swi_refuse(SW_EEXIST, why, "%s%s; choose another name, or close the region that has it", DIRECTORY, path);
  /* Reserved at once: touching a page that a full /dev/shm cannot give would be SIGBUS. */
  int failed = fchmod(fd, PRIVATE) != 0 ? errno : posix_fallocate(fd, 0, (off_t)size);
  if (failed) {
    shm_unlink(path);
    return fail_closed(fd, swi_refuse(SW_ENOMEM, why,
                                      "%" PRIu64 " bytes in %s: %s; make it larger (docker run --shm-size, mount -o "
                                      "remount,size=), close regions with names, or make this one without%s",
                                      size, DIRECTORY, strerror(failed), remedy(failed)));
  }
  *made = fd;
  return SW_OK;
}

int sw_prim_memory_open_named(const char *name, uint64_t size, sw_prim_handle *opened, char *why) {
  char path[PATH_BYTES];
  path_of(path, name);
  int fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0 && errno == EACCES) return swi_refuse(SW_EACCESS, why, "%s%s is another user's", DIRECTORY, path);
  if (fd < 0 && errno == ENOENT && access(DIRECTORY, F_OK) == 0) {
    return swi_refuse(SW_EGONE, why, "%s%s: it was closed, or this process sees another %s than its maker", DIRECTORY,
                      path, DIRECTORY);
  }
  if (fd < 0) return why_no_object(path, errno, why);
  int status = inspect(fd, size, why);
  if (status != SW_OK) return fail_closed(fd, status);
  if (flock(fd, LOCK_SH | LOCK_NB) != 0 || !is_linked(fd)) {
    return fail_closed(fd, swi_refuse(SW_EGONE, why, "%s%s is being removed", DIRECTORY, path));
  }
  *opened = fd;
  return SW_OK;
}

/* ---- both ---- */

int sw_prim_memory_create(uint64_t size, const char *name, sw_prim_handle *made, char *why) {
  sweep();
  return name == NULL ? create_sealed(size, made, why) : create_named(size, name, made, why);
}

void sw_prim_memory_close(sw_prim_handle handle, const char *name, int creator) {
  int fd = (int)handle;
  if (name != NULL && (creator || flock(fd, LOCK_EX | LOCK_NB) == 0) && is_linked(fd)) {
    char path[PATH_BYTES];
    path_of(path, name);
    shm_unlink(path);
  }
  close(fd);
}

int sw_prim_memory_map(sw_prim_handle handle, uint64_t size, void **base, char *why) {
  void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, (int)handle, 0);
  if (at == MAP_FAILED)
    return swi_refuse(SW_ENOMEM, why,
                      "mmap of %" PRIu64
                      " bytes: %s; address space may be limited (`ulimit -v`, "
                      "RLIMIT_AS), or used up: close regions no longer used",
                      size, strerror(errno));
  *base = at;
  return SW_OK;
}

void sw_prim_memory_unmap(void *base, uint64_t size) { munmap(base, size); }

/* Is one of these pages in memory? `pages` is what mincore(2) fills. */
static int is_resident(uint8_t *pages, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if ((pages[i] & 1) != 0) return 1;
  }
  return 0;
}

/* Shared memory has its pages in a file, which MADV_REMOVE punches a hole into; private memory has
 * them to itself. Pieces in which nothing is resident are left alone: a region is mostly those. */
uint64_t sw_prim_discard(void *from, uint64_t bytes) {
  enum { PIECE = 1 << 20, LEAST_PAGE = 4096 };
  uint8_t resident[PIECE / LEAST_PAGE];
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t at = ((uintptr_t)from + page - 1) / page * page, end = ((uintptr_t)from + bytes) / page * page;
  uint64_t given = 0;
  while (at < end) {
    size_t length = end - at < PIECE ? (size_t)(end - at) : PIECE;
    void *piece = (void *)at; /* NOLINT(performance-no-int-to-ptr): rounded */
    at += length;
    if (mincore(piece, length, resident) == 0 && !is_resident(resident, length / page)) continue;
    if (madvise(piece, length, MADV_REMOVE) == 0 || madvise(piece, length, MADV_DONTNEED) == 0) given += length;
  }
  return given;
}

/* ---- overlay ---- */

/* One line of proc(5)'s maps. */
typedef struct mapping {
  uintptr_t begin, end;
  int overlayable; /* private, anonymous, readable and writable */
} mapping;

static int parse(const char *line, mapping *m) {
  char mode[5] = "";
  unsigned long inode = 1;
  int path = 0;
  if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %lu %n", &m->begin, &m->end, mode, &inode, &path) < 4)
    return 0;
  const char *name = line + path;
  /* The kernel lets programs name anonymous memory: [anon:v8]. A stack or heap is not what is
   * looked for. */
  int nameless = *name == '\0' || *name == '\n' || strncmp(name, "[anon:", 6) == 0;
  m->overlayable = strcmp(mode, "rw-p") == 0 && inode == 0 && nameless;
  return 1;
}

/* Do mappings of that kind leave no gap between `begin` and `end`? Unless the caller vouches that
 * these bytes are a mapping of their own, they begin and end there, too. The kernel lists
 * neighbours of one kind as one mapping: where V8 reserves no guard regions around its memories,
 * what was mapped as one piece no longer shows. */
static int is_whole(const void *base, uint64_t size, int vouched, char *why) {
  uintptr_t begin = (uintptr_t)base, end = begin + size;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL && no_descriptor(errno)) return refuse_descriptor(errno, why);
  if (maps == NULL) {
    return swi_refuse(
        SW_ENOSYS, why,
        "what would be mapped over is looked up in /proc/self/maps (%s); mount it: `mount -t proc proc /proc`",
        strerror(errno));
  }
  char line[4352];
  mapping m;
  uintptr_t reached = begin, before = 0;
  int fits = 1;
  while (fits && fgets(line, sizeof(line), maps) != NULL) {
    if (!parse(line, &m)) continue;
    if (vouched && m.overlayable) { /* the part of it that counts */
      if (m.begin < begin && m.end > begin) m.begin = begin;
      if (m.end > end && m.begin < end) m.end = end;
      if (m.begin == end || m.end == begin) continue;
    }
    /* it begins earlier, in a mapping of its own */
    if (m.overlayable && m.end == begin) before = begin;
    if (m.end <= begin || m.begin > end) continue;
    if (m.begin == end) fits = !m.overlayable; /* it goes on */
    else if (m.begin != reached || m.end > end || !m.overlayable) fits = 0;
    else reached = m.end;
  }
  fclose(maps);
  if (fits && reached == end && before == 0) return SW_OK;
  return swi_refuse(SW_EOVERLAY, why,
                    "%p is not the whole of a WebAssembly.Memory (private, anonymous, writable), or is "
                    "shared with other processes already",
                    base);
}

int sw_prim_memory_overlay(sw_prim_handle handle, void *base, uint64_t size, int vouched, char *why) {
  uintptr_t begin = (uintptr_t)base, page = (uintptr_t)sysconf(_SC_PAGESIZE);
  if (begin == 0 || begin % page != 0 || size == 0 || size % page != 0) {
    return swi_refuse(SW_EOVERLAY, why,
                      "%" PRIu64
                      " bytes at %p are not whole pages; pass the bytes of a shared "
                      "WebAssembly.Memory, all of them",
                      size, base);
  }
  int status = is_whole(base, size, vouched, why);
  if (status != SW_OK) return status;
  if (mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, (int)handle, 0) == MAP_FAILED) {
    return swi_refuse(SW_EOVERLAY, why, "mmap over %p: %s", base, strerror(errno));
  }
  return SW_OK;
}

int sw_prim_random(void *bytes, uint32_t count) {
  return getrandom(bytes, count, 0) == (ssize_t)count ? SW_OK : SW_ESYSTEM;
}
