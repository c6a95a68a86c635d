#include "tests/fault/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "proto/status.h"

enum {
    FDS_MAX = 1024,
};

const char *const disk_fault_names[DISK__FAULTS] = {
    [DISK_EIO] = "EIO",     [DISK_ENOSPC] = "ENOSPC",         [DISK_EINTR] = "EINTR",
    [DISK_SHORT] = "short", [DISK_SHORT_FULL] = "short-full",
};

/* What a descriptor below the watched directory is of. */
struct watched {
    bool is;
    bool directory;
    bool synchronous;
    unsigned file;
};

struct file {
    dev_t device;
    ino_t inode;
    char name[DISK_NAME_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below, and each call */
static char root[PATH_MAX];                              /* the watched directory; empty: none */
static struct watched fds[FDS_MAX];
static struct file files[DISK_FILES_MAX];
static unsigned n_files;

static bool is_recording;
static struct disk_recording record;
static uint64_t (*clock_tick)(void *arg);
static void *clock_arg;

static bool failing;
static uint64_t calls;
static uint64_t fail_at; /* 0: none does */
static enum disk_fault fail_how;
static char failed[64]; /* empty: none has */

/* --- what is watched -------------------------------------------------------------------------- */

static struct watched *watched_of(int fd)
{
    return fd >= 0 && fd < FDS_MAX && fds[fd].is ? &fds[fd] : NULL;
}

static const char *name_in_root(const char *path)
{
    size_t length = strlen(root);
    if (length == 0 || strncmp(path, root, length) != 0 ||
        (path[length] != '/' && path[length] != '\0')) {
        return NULL;
    }
    return path[length] == '/' ? path + length + 1 : "";
}

static void name_file(unsigned file, const char *name)
{
    size_t length = strlen(name);
    if (length >= DISK_NAME_MAX) {
        abort();
    }
    memcpy(files[file].name, name, length + 1);
}

static unsigned file_of(int fd, const char *name)
{
    struct stat about;
    if (fstat(fd, &about) < 0) {
        abort();
    }
    for (unsigned i = 0; i < n_files; i++) {
        if (files[i].device == about.st_dev && files[i].inode == about.st_ino) {
            return i;
        }
    }
    if (n_files == DISK_FILES_MAX) {
        abort();
    }
    files[n_files] = (struct file){.device = about.st_dev, .inode = about.st_ino};
    name_file(n_files, name);
    return n_files++;
}

/* --- recording -------------------------------------------------------------------------------- */

static struct disk_event *add_event(enum disk_change change, unsigned file)
{
    if (record.n == record.room) {
        record.room = record.room == 0 ? 1024 : 2 * record.room;
        struct disk_event *events = realloc(record.events, record.room * sizeof *events);
        if (events == NULL) {
            abort();
        }
        record.events = events;
    }
    struct disk_event *event = &record.events[record.n++];
    *event = (struct disk_event){.change = change, .file = file, .tick = clock_tick(clock_arg)};
    return event;
}

static void note_write(const struct watched *to, const void *data, size_t bytes, uint64_t offset)
{
    if (!is_recording) {
        return;
    }
    uint8_t *copy = malloc(bytes + 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, data, bytes);
    struct disk_event *event = add_event(DISK_WRITE, to->file);
    event->durable = to->synchronous;
    event->data = copy;
    event->bytes = bytes;
    event->offset = offset;
}

static void note_size(const struct watched *of, uint64_t size)
{
    if (is_recording) {
        add_event(DISK_RESIZE, of->file)->offset = size;
    }
}

static void note_name(unsigned file, const char *name)
{
    if (is_recording) {
        struct disk_event *event = add_event(DISK_NAME, file);
        memcpy(event->name, name, strlen(name) + 1);
    }
}

void disk_recording_free(struct disk_recording *recording)
{
    for (size_t i = 0; i < recording->n; i++) {
        free((void *)(uintptr_t)recording->events[i].data);
    }
    free(recording->events);
    *recording = (struct disk_recording){0};
}

/* --- failing ---------------------------------------------------------------------------------- */

/* Whether the call VERB to TO is the one that fails. */
static bool is_to_fail(const struct watched *to, const char *verb)
{
    if (!failing || ++calls != fail_at) {
        return false;
    }
    const char *name = to->directory ? "the directory" : files[to->file].name;
    IGNORE(snprintf(failed, sizeof failed, "%s of %s", verb, name) < 0);
    return true;
}

static int fault_errno(void)
{
    return fail_how == DISK_ENOSPC ? ENOSPC : fail_how == DISK_EINTR ? EINTR : EIO;
}

/* What the write of BYTES may still write. */
static ssize_t failed_write(size_t bytes)
{
    if (fail_how != DISK_SHORT && fail_how != DISK_SHORT_FULL) {
        errno = fault_errno();
        return -1;
    }
    return (ssize_t)(bytes / 2);
}

static int failed_call(void)
{
    errno = fault_errno();
    return -1;
}

/* --- the calls -------------------------------------------------------------------------------- */

/* Their names are given to the linker, as the C library's headers declare them otherwise. */
#define INSTEAD_OF(name) __asm__(name) __attribute__((visibility("default")))

int disk_open(const char *path, int flags, ...) INSTEAD_OF("open");
int disk_openat(int directory, const char *path, int flags, ...) INSTEAD_OF("openat");
int disk_close(int fd) INSTEAD_OF("close");
int disk_rename(const char *from, const char *to) INSTEAD_OF("rename");
ssize_t disk_pwrite(int fd, const void *data, size_t bytes, off_t offset) INSTEAD_OF("pwrite");
ssize_t disk_write(int fd, const void *data, size_t bytes) INSTEAD_OF("write");
ssize_t disk_writev(int fd, const struct iovec *parts, int n) INSTEAD_OF("writev");
ssize_t disk_pwritev(int fd, const struct iovec *parts, int n, off_t offset) INSTEAD_OF("pwritev");
int disk_fdatasync(int fd) INSTEAD_OF("fdatasync");
int disk_fsync(int fd) INSTEAD_OF("fsync");
int disk_ftruncate(int fd, off_t size) INSTEAD_OF("ftruncate");
int disk_posix_fallocate(int fd, off_t offset, off_t bytes) INSTEAD_OF("posix_fallocate");
int disk_msync(void *start, size_t bytes, int flags) INSTEAD_OF("msync");
int disk_fallocate(int fd, int mode, off_t offset, off_t bytes) INSTEAD_OF("fallocate");
int disk_sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags)
    INSTEAD_OF("sync_file_range");

/* Watch FD, which was opened as NAME of the watched directory. */
static void watch(int fd, const char *name, int flags, bool made)
{
    if (fd < 0 || fd >= FDS_MAX) {
        abort();
    }
    fds[fd] = (struct watched){
        .is = true,
        .directory = *name == '\0',
        .synchronous = (flags & (O_DSYNC | O_SYNC)) != 0,
    };
    if (!fds[fd].directory) {
        fds[fd].file = file_of(fd, name);
    }
    if (made) {
        note_name(fds[fd].file, name);
    }
}

static int open_in(int directory, const char *path, int flags, mode_t mode)
{
    pthread_mutex_lock(&lock);
    bool below = watched_of(directory) != NULL && watched_of(directory)->directory;
    const char *name = below ? path : name_in_root(path);
    struct stat about;
    bool made = name != NULL && (flags & O_CREAT) != 0 && fstatat(directory, path, &about, 0) < 0;
    int fd = (int)syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0 && name != NULL) {
        watch(fd, name, flags, made);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

static mode_t mode_of(int flags, va_list *arguments)
{
    return (flags & O_CREAT) != 0 ? va_arg(*arguments, mode_t) : 0;
}

int disk_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, &arguments);
    va_end(arguments);
    return open_in(AT_FDCWD, path, flags, mode);
}

int disk_openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, &arguments);
    va_end(arguments);
    return open_in(directory, path, flags, mode);
}

int disk_close(int fd)
{
    pthread_mutex_lock(&lock);
    if (watched_of(fd) != NULL) {
        fds[fd].is = false;
    }
    pthread_mutex_unlock(&lock);
    return (int)syscall(SYS_close, fd);
}

/* Only of what is open, as a file is that has just been made. */
int disk_rename(const char *from, const char *to)
{
    pthread_mutex_lock(&lock);
    const char *name = name_in_root(to);
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    struct stat about;
    if (rc == 0 && name != NULL && stat(to, &about) == 0) {
        for (unsigned i = 0; i < n_files; i++) {
            if (files[i].device == about.st_dev && files[i].inode == about.st_ino) {
                name_file(i, name);
                note_name(i, name);
            }
        }
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

static ssize_t write_at(const struct watched *to, int fd, const void *data, size_t bytes,
                        off_t offset)
{
    ssize_t failure = is_to_fail(to, "write") ? failed_write(bytes) : (ssize_t)bytes;
    if (failure < 0) {
        return failure;
    }
    ssize_t written = syscall(SYS_pwrite64, fd, data, (size_t)failure, offset);
    if (written > 0) {
        note_write(to, data, (size_t)written, (uint64_t)offset);
    }
    return written;
}

ssize_t disk_pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    pthread_mutex_lock(&lock);
    const struct watched *to = watched_of(fd);
    ssize_t written = to == NULL ? syscall(SYS_pwrite64, fd, data, bytes, offset)
                                 : write_at(to, fd, data, bytes, offset);
    pthread_mutex_unlock(&lock);
    return written;
}

/* Others may wait for long in theirs: they take no lock. */
static bool is_watched(int fd)
{
    pthread_mutex_lock(&lock);
    bool is = watched_of(fd) != NULL;
    pthread_mutex_unlock(&lock);
    return is;
}

ssize_t disk_write(int fd, const void *data, size_t bytes)
{
    if (!is_watched(fd)) {
        return syscall(SYS_write, fd, data, bytes);
    }
    ssize_t written = disk_pwrite(fd, data, bytes, lseek(fd, 0, SEEK_CUR));
    IGNORE(lseek(fd, written > 0 ? written : 0, SEEK_CUR) < 0); /* as the same file could before */
    return written;
}

static size_t gather(const struct iovec *parts, int n, uint8_t **ret)
{
    size_t bytes = 0;
    for (int i = 0; i < n; i++) {
        bytes += parts[i].iov_len;
    }
    uint8_t *all = malloc(bytes + 1);
    if (all == NULL) {
        abort();
    }
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        memcpy(all + at, parts[i].iov_base, parts[i].iov_len);
        at += parts[i].iov_len;
    }
    *ret = all;
    return bytes;
}

ssize_t disk_writev(int fd, const struct iovec *parts, int n)
{
    uint8_t *all;
    if (!is_watched(fd)) {
        return syscall(SYS_writev, fd, parts, n);
    }
    size_t bytes = gather(parts, n, &all);
    ssize_t written = disk_write(fd, all, bytes);
    int error = errno;
    free(all);
    errno = error;
    return written;
}

ssize_t disk_pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    uint8_t *all;
    size_t bytes = gather(parts, n, &all);
    ssize_t written = disk_pwrite(fd, all, bytes, offset);
    int error = errno;
    free(all);
    errno = error;
    return written;
}

static int sync_watched(const struct watched *of, const char *verb)
{
    if (is_to_fail(of, verb)) {
        return failed_call();
    }
    if (is_recording) {
        add_event(of->directory ? DISK_SYNC_NAMES : DISK_SYNC, of->file);
    }
    return 0;
}

static int sync_fd(int fd, const char *verb, long number)
{
    pthread_mutex_lock(&lock);
    const struct watched *of = watched_of(fd);
    int rc = of == NULL ? 0 : sync_watched(of, verb);
    pthread_mutex_unlock(&lock);
    return of == NULL ? (int)syscall(number, fd) : rc;
}

int disk_fdatasync(int fd)
{
    return sync_fd(fd, "fdatasync", SYS_fdatasync);
}

int disk_fsync(int fd)
{
    return sync_fd(fd, "fsync", SYS_fsync);
}

int disk_ftruncate(int fd, off_t size)
{
    pthread_mutex_lock(&lock);
    const struct watched *of = watched_of(fd);
    int rc = of != NULL && is_to_fail(of, "ftruncate") ? failed_call()
                                                       : (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0 && of != NULL) {
        note_size(of, (uint64_t)size);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

/* Returns an errno. */
int disk_posix_fallocate(int fd, off_t offset, off_t bytes)
{
    pthread_mutex_lock(&lock);
    const struct watched *of = watched_of(fd);
    bool full = failing && *failed != '\0' && fail_how == DISK_SHORT_FULL;
    int error = of != NULL && full ? ENOSPC : 0;
    if (error == 0 && of != NULL && is_to_fail(of, "fallocate")) {
        error = fault_errno();
    } else if (error == 0 && syscall(SYS_fallocate, fd, 0, offset, bytes) < 0) {
        error = errno;
    } else if (error == 0 && of != NULL) {
        note_size(of, (uint64_t)(offset + bytes));
    }
    pthread_mutex_unlock(&lock);
    return error;
}

/* Nothing here uses these: should a store begin to, it is not to go unseen. */
int disk_msync(void *start, size_t bytes, int flags)
{
    (void)start;
    (void)bytes;
    (void)flags;
    abort();
}

int disk_fallocate(int fd, int mode, off_t offset, off_t bytes)
{
    (void)fd;
    (void)mode;
    (void)offset;
    (void)bytes;
    abort();
}

int disk_sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags)
{
    (void)fd;
    (void)offset;
    (void)bytes;
    (void)flags;
    abort();
}

/* --- where ------------------------------------------------------------------------------------ */

void disk_use_memory(void)
{
    static const char shared[] = "/dev/shm";
    if (getenv("TMPDIR") == NULL && access(shared, W_OK) == 0) {
        IGNORE(setenv("TMPDIR", shared, 1) < 0); /* slower, then */
    }
}

/* --- begin and end ---------------------------------------------------------------------------- */

static void watch_below(const char *directory)
{
    size_t length = strlen(directory);
    if (length >= sizeof root) {
        abort();
    }
    memcpy(root, directory, length + 1);
    memset(fds, 0, sizeof fds);
    n_files = 0;
}

void disk_record(const char *directory, uint64_t (*tick)(void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    watch_below(directory);
    is_recording = true;
    clock_tick = tick;
    clock_arg = arg;
    pthread_mutex_unlock(&lock);
}

struct disk_recording disk_record_end(void)
{
    pthread_mutex_lock(&lock);
    struct disk_recording ended = record;
    record = (struct disk_recording){0};
    is_recording = false;
    *root = '\0';
    pthread_mutex_unlock(&lock);
    return ended;
}

void disk_fail(const char *directory, uint64_t n, enum disk_fault fault)
{
    pthread_mutex_lock(&lock);
    watch_below(directory);
    failing = true;
    calls = 0;
    fail_at = n;
    fail_how = fault;
    *failed = '\0';
    pthread_mutex_unlock(&lock);
}

uint64_t disk_calls(void)
{
    pthread_mutex_lock(&lock);
    uint64_t n = calls;
    pthread_mutex_unlock(&lock);
    return n;
}

const char *disk_failed(void)
{
    return *failed == '\0' ? NULL : failed;
}

void disk_heal(void)
{
    pthread_mutex_lock(&lock);
    failing = false;
    *root = '\0';
    pthread_mutex_unlock(&lock);
}

/* --- time ------------------------------------------------------------------------------------- */

static atomic_int hurry_ms = -1;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
int __real_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until);
/* NOLINTEND(bugprone-reserved-identifier) */

/* All conditions here go by the monotonic clock. */
static struct timespec sooner(const struct timespec *until, int ms)
{
    struct timespec end;
    if (clock_gettime(CLOCK_MONOTONIC, &end) < 0) {
        abort();
    }
    end.tv_nsec += (long)ms * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    bool is_sooner =
        end.tv_sec < until->tv_sec || (end.tv_sec == until->tv_sec && end.tv_nsec < until->tv_nsec);
    return is_sooner ? end : *until;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    int ms = atomic_load(&hurry_ms);
    struct timespec end = ms < 0 ? *until : sooner(until, ms);
    return __real_pthread_cond_timedwait(condition, mutex, &end);
}

void disk_hurry(int ms)
{
    atomic_store(&hurry_ms, ms);
}

/* --- maps ------------------------------------------------------------------------------------- */

unsigned disk_writable_maps(const char *name)
{
    char line[PATH_MAX + 128];
    unsigned n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (maps == NULL) {
        abort();
    }
    while (fgets(line, sizeof line, maps) != NULL) {
        char *end = line + strcspn(line, "\n");
        const char *slash = strrchr(line, '/');
        *end = '\0';
        const char *access = strchr(line, ' ');
        n += slash != NULL && access != NULL && strcmp(slash + 1, name) == 0 && access[2] == 'w';
    }
    IGNORE(fclose(maps) != 0); /* it was read */
    return n;
}
