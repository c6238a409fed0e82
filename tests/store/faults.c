/* Makes chosen calls on files below one folder fail, fall short, or be the last ones of the process.

   Loaded before the C library (LD_PRELOAD), so that Python and SQLite alike go through it. Counts the calls
   that can change a disk and strikes at the one whose turn it is. Knows nothing of what the files are.
   One thread at a time. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum action { OFF, COUNT, FAIL, SHORT, KILL_BEFORE, KILL_AFTER, KILL_HALFWAY };

static struct {
  char folder[PATH_MAX];
  char call[64], file[256]; /* count only calls of this name, on files whose names fit; empty: all */
  enum action action;
  long nth;   /* which of the counted calls is struck, from 1 */
  int error;  /* what FAIL answers */
  int lasting; /* also every later call that a full (ENOSPC) or dead (any other error) disk would refuse */
  int report; /* where a line about what was struck (by COUNT: seen) is written; -1: nowhere */
  long seen, struck, total;
} now = {.report = -1};

void faults_arm(const char *folder, int action, long nth, int error, int lasting, int report) {
  snprintf(now.folder, sizeof now.folder, "%s", folder);
  now.nth = nth, now.error = error, now.lasting = lasting, now.report = report;
  now.seen = now.struck = now.total = 0;
  now.call[0] = now.file[0] = 0;
  now.action = action;
}

void faults_only(const char *call, const char *file) {
  snprintf(now.call, sizeof now.call, "%s", call);
  snprintf(now.file, sizeof now.file, "%s", file);
}

void faults_disarm(void) { now.action = OFF; }
long faults_struck(void) { return now.struck; }
long faults_total(void) { return now.total; }

static int below(const char *path) {
  size_t length = strlen(now.folder);
  return !strncmp(path, now.folder, length) && (path[length] == '/' || !path[length]);
}

static int meant(const char *call, const char *path) {
  const char *slash = strrchr(path, '/');
  if (now.call[0] && strcmp(call, now.call)) return 0;
  return !now.file[0] || !fnmatch(now.file, slash ? slash + 1 : path, 0);
}

static const char *name_of(int descriptor, char *room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, room, PATH_MAX - 1);
  room[length < 0 ? 0 : length] = 0;
  return room;
}

static void tell(const char *what, const char *call, const char *path) {
  char line[PATH_MAX + 128];
  int length = snprintf(line, sizeof line, "%s %ld %s %s\n", what, now.seen, call, path + strlen(now.folder));
  if (now.report >= 0) {
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (real(now.report, line, length) != length) { /* the other end is gone: so is this process */ }
  }
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* What is to be done with a call that is about to be made on `path`; `takes`: it asks the disk for room. */
static enum action verdict(const char *call, const char *path, int takes) {
  if (now.action == OFF || !below(path)) return OFF;
  now.total++;
  if (!meant(call, path)) return OFF;
  now.seen++;
  if (now.action == COUNT) return tell("seen", call, path), OFF;
  int again = now.lasting && now.seen > now.nth && (takes || now.error != ENOSPC);
  if (now.seen != now.nth && !again) return OFF;
  if (!again) tell("struck", call, path);
  now.struck++;
  if (now.action == KILL_BEFORE) die();
  if (now.action == SHORT) return again ? FAIL : SHORT;
  return now.action;
}

#define REAL(name, type, ...) type (*real)(__VA_ARGS__) = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* Run `call` (the real one) under the verdict; `half` is the same with half of the bytes, where it has any. */
#define STRUCK(type, name, path, takes, call, half)           \
  do {                                                        \
    int before = errno;                                       \
    enum action what = verdict(name, path, takes);            \
    errno = before;                                           \
    if (what == FAIL) return errno = now.error, (type)-1;     \
    type result = what == SHORT || what == KILL_HALFWAY ? half : call; \
    if (what == KILL_AFTER || what == KILL_HALFWAY) die();    \
    return result;                                            \
  } while (0)

#define BY_DESCRIPTOR(type, name, takes, declared, given, halved, ...) \
  type name declared {                                                 \
    char room[PATH_MAX];                                               \
    REAL(#name, type, __VA_ARGS__);                                    \
    if (now.action == OFF) return real given;                          \
    STRUCK(type, #name, name_of(fd, room), takes, real given, real halved); \
  }

#define HALF(count) ((count) > 1 ? (count) / 2 : (count))

BY_DESCRIPTOR(ssize_t, write, 1, (int fd, const void *from, size_t count), (fd, from, count),
              (fd, from, HALF(count)), int, const void *, size_t)
BY_DESCRIPTOR(ssize_t, pwrite, 1, (int fd, const void *from, size_t count, off_t at), (fd, from, count, at),
              (fd, from, HALF(count), at), int, const void *, size_t, off_t)
BY_DESCRIPTOR(ssize_t, pwrite64, 1, (int fd, const void *from, size_t count, off64_t at),
              (fd, from, count, at), (fd, from, HALF(count), at), int, const void *, size_t, off64_t)
BY_DESCRIPTOR(ssize_t, sendfile, 1, (int fd, int in, off_t *at, size_t count), (fd, in, at, count),
              (fd, in, at, HALF(count)), int, int, off_t *, size_t)
BY_DESCRIPTOR(ssize_t, sendfile64, 1, (int fd, int in, off64_t *at, size_t count), (fd, in, at, count),
              (fd, in, at, HALF(count)), int, int, off64_t *, size_t)
BY_DESCRIPTOR(int, fsync, 1, (int fd), (fd), (fd), int)
BY_DESCRIPTOR(int, fdatasync, 1, (int fd), (fd), (fd), int)
BY_DESCRIPTOR(int, ftruncate, 0, (int fd, off_t size), (fd, size), (fd, size), int, off_t)
BY_DESCRIPTOR(int, ftruncate64, 0, (int fd, off64_t size), (fd, size), (fd, size), int, off64_t)

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
  char room[PATH_MAX];
  REAL("copy_file_range", ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned);
  if (now.action == OFF) return real(in, from, out, to, count, flags);
  STRUCK(ssize_t, "copy_file_range", name_of(out, room), 1, real(in, from, out, to, count, flags),
         real(in, from, out, to, HALF(count), flags));
}

#define BY_PATH(name, takes, declared, given, ...)                     \
  int name declared {                                                  \
    REAL(#name, int, __VA_ARGS__);                                     \
    if (now.action == OFF) return real given;                          \
    STRUCK(int, #name, path, takes, real given, real given);           \
  }

BY_PATH(mkdir, 1, (const char *path, mode_t mode), (path, mode), const char *, mode_t)
BY_PATH(rmdir, 0, (const char *path), (path), const char *)
BY_PATH(unlink, 0, (const char *path), (path), const char *)
BY_PATH(rename, 1, (const char *from, const char *path), (from, path), const char *, const char *)
BY_PATH(link, 1, (const char *from, const char *path), (from, path), const char *, const char *)

int unlinkat(int folder, const char *name, int flags) {
  char room[PATH_MAX], path[2 * PATH_MAX];
  REAL("unlinkat", int, int, const char *, int);
  if (now.action == OFF) return real(folder, name, flags);
  snprintf(path, sizeof path, "%s/%s", *name == '/' ? "" : name_of(folder, room), name);
  STRUCK(int, "unlinkat", path, 0, real(folder, name, flags), real(folder, name, flags));
}

/* Only opens for writing: reading asks nothing of a disk that is full, and what is read is checked by hash. */
#define OPENS(name)                                                        \
  int name(const char *path, int flags, ...) {                             \
    mode_t mode = 0;                                                       \
    if (flags & (O_CREAT | O_TMPFILE)) {                                   \
      va_list rest;                                                        \
      va_start(rest, flags);                                               \
      mode = va_arg(rest, mode_t);                                         \
      va_end(rest);                                                        \
    }                                                                      \
    REAL(#name, int, const char *, int, ...);                              \
    if (now.action == OFF || (flags & O_ACCMODE) == O_RDONLY) return real(path, flags, mode); \
    STRUCK(int, #name, path, (flags & O_CREAT) != 0, real(path, flags, mode), real(path, flags, mode)); \
  }

OPENS(open)
OPENS(open64)
