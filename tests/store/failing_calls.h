/* Calls into LMDB, allocations, and calls of the system that fail once, when a test says so.
 *
 * For a program of one file, which is linked with -Wl,--wrap= of each of them. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <lmdb.h>

enum fault {
    FAIL_MEMORY,
    FAIL_LMDB,
    FAIL_SYSTEM,
    FAULTS,
};

/* Of the main thread alone: the sealer's goes on. */
static _Thread_local struct {
    enum fault which;
    long until; /* so many more succeed, then one fails; below 0: none does */
    bool met;
    long all; /* that were met */
} faults = {.until = -1};

static inline bool meets(enum fault which)
{
    if (faults.until < 0 || faults.which != which || faults.until-- > 0) {
        return false;
    }
    faults.met = true;
    faults.all++;
    return true;
}

static inline void fail_after(enum fault which, long until)
{
    faults.which = which;
    faults.met = false;
    faults.until = until;
}

/* Returns whether there was one. */
static inline bool end_faults(void)
{
    faults.until = -1;
    return faults.met;
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
#define WRAP(type, name, parameters)                                                               \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters

#define WRAP_LMDB(name, parameters, arguments)                                                     \
    WRAP(int, name, parameters)                                                                    \
    {                                                                                              \
        return meets(FAIL_LMDB) ? ENOMEM : __real_##name arguments;                                \
    }

#define WRAP_HEAP(name, parameters, arguments)                                                     \
    WRAP(void *, name, parameters)                                                                 \
    {                                                                                              \
        return meets(FAIL_MEMORY) ? NULL : __real_##name arguments;                                \
    }

WRAP_HEAP(malloc, (size_t bytes), (bytes))
WRAP_HEAP(calloc, (size_t count, size_t bytes), (count, bytes))
WRAP_HEAP(realloc, (void *block, size_t bytes), (block, bytes))

#define WRAP_SYSTEM(type, name, parameters, arguments)                                             \
    WRAP(type, name, parameters)                                                                   \
    {                                                                                              \
        if (meets(FAIL_SYSTEM)) {                                                                  \
            errno = EIO;                                                                           \
            return -1;                                                                             \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }

WRAP_SYSTEM(int, lstat, (const char *path, struct stat *about), (path, about))
WRAP_SYSTEM(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP_SYSTEM(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
WRAP_SYSTEM(int, openat, (int fd, const char *path, int flags, mode_t mode),
            (fd, path, flags, mode))
WRAP_SYSTEM(int, fstatfs, (int fd, struct statfs *about), (fd, about))
WRAP_SYSTEM(int, flock, (int fd, int operation), (fd, operation))
WRAP_SYSTEM(int, fsync, (int fd), (fd))
WRAP_SYSTEM(int, ftruncate, (int fd, off_t bytes), (fd, bytes))
WRAP_SYSTEM(ssize_t, pwrite, (int fd, const void *data, size_t bytes, off_t at),
            (fd, data, bytes, at))
WRAP_SYSTEM(ssize_t, getrandom, (void *data, size_t bytes, unsigned flags), (data, bytes, flags))

WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg))
{
    return meets(FAIL_SYSTEM) ? EAGAIN : __real_pthread_create(thread, attributes, start, arg);
}

WRAP_LMDB(mdb_env_create, (MDB_env * *env), (env))
WRAP_LMDB(mdb_env_set_mapsize, (MDB_env * env, size_t bytes), (env, bytes))
WRAP_LMDB(mdb_env_set_maxreaders, (MDB_env * env, unsigned n), (env, n))
WRAP_LMDB(mdb_env_set_maxdbs, (MDB_env * env, MDB_dbi n), (env, n))
WRAP_LMDB(mdb_env_open, (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
          (env, path, flags, mode))
WRAP_LMDB(mdb_reader_check, (MDB_env * env, int *dead), (env, dead))
WRAP_LMDB(mdb_txn_begin, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **txn),
          (env, parent, flags, txn))
WRAP_LMDB(mdb_txn_renew, (MDB_txn * txn), (txn))
WRAP_LMDB(mdb_dbi_open, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *dbi),
          (txn, name, flags, dbi))
WRAP_LMDB(mdb_stat, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *stat), (txn, dbi, stat))
WRAP_LMDB(mdb_get, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value),
          (txn, dbi, key, value))
WRAP_LMDB(mdb_put, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags),
          (txn, dbi, key, value, flags))
WRAP_LMDB(mdb_del, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value),
          (txn, dbi, key, value))
WRAP_LMDB(mdb_cursor_open, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **cursor), (txn, dbi, cursor))
WRAP_LMDB(mdb_cursor_get, (MDB_cursor * cursor, MDB_val *key, MDB_val *value, MDB_cursor_op op),
          (cursor, key, value, op))
/* NOLINTEND(bugprone-reserved-identifier) */

/* Nothing here is about what a sync keeps. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved name */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return 0;
}
