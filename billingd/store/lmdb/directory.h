/* The data directory: made, looked at and locked before anything in it is opened.
 *
 * Before other threads.  Owns the directory's and the lock's descriptor. */
#pragma once

#include "billingd/store/store.h"

struct directory {
    int fd;      /* of the directory */
    int lock_fd; /* of LOCK in it, which holds the pid of the daemon that has it */
};

/* Make the directory PATH at need, with those above it, readable by its owner alone; refuse file
 * systems that do not keep what a sync promises; take its lock.
 * Returns 0, or a status with REASON: STATUS_BUSY where another process has the lock. */
MUSTCHECK int directory_open(const char *path, struct directory *ret, struct errinfo *reason);

/* The same of one that is there, changing nothing: its lock is taken where there is one.  Returns
 * as above, or STATUS_NOT_FOUND where PATH is not there. */
MUSTCHECK int directory_look(const char *path, struct directory *ret, struct errinfo *reason);

/* Whether PATH, which is not there, could be made.  Returns 0, or a status with REASON. */
MUSTCHECK int directory_check_place(const char *path, struct errinfo *reason);

/* Put on disk which files there are. */
MUSTCHECK int directory_sync(const struct directory *directory, const char *path,
                             struct errinfo *reason);

/* Give the lock up. */
void directory_close(struct directory *directory);

/* Whether the directory INNER is the directory OUTER or lies in it, whatever links and mounts their
 * paths go through.  Returns 0, or -1 with errno. */
MUSTCHECK int directory_lies_in(const char *inner, const char *outer, bool *ret);

/* The name of the file system with the magic number F_TYPE of statfs() if it is one that is not
 * to be trusted with a store, else NULL. */
const char *directory_refused_type(unsigned long f_type);

/* Likewise if it is one that keeps its files in memory. */
const char *directory_volatile_type(unsigned long f_type);
