#include "billingd/store/lmdb/backup_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "billingd/base/clock.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/directory.h"

enum {
    DIGITS = 12,
    PATH_BYTES_MAX = PATH_MAX - 64, /* so that what is put behind it fits */
};

static const char marker[] = ".partial-";

/* What opening a store makes beside its data; the data file is the last, so that what is taken away
 * in part still looks like what it is. */
static const char *const files[] = {"LOCK", "lock.mdb", "data.mdb.new", "data.mdb"};

enum {
    N_FILES = sizeof files / sizeof files[0],
    N_SPARE_FILES = N_FILES - 1, /* that a backup need not have */
};

static int failed(const char *verb, const char *path, struct errinfo *reason)
{
    int error = errno;
    bool full = error == ENOSPC || error == EDQUOT;
    return errinfo_set(reason, full ? STATUS_STORAGE_FULL : STATUS_STORAGE_FAILED,
                       "cannot %s '%.120s': %s", verb, path, strerror(error));
}

/* Whether NAME is that of a partial backup. */
static bool is_partial(const char *name)
{
    size_t length = strlen(name);
    size_t tail = sizeof marker - 1 + DIGITS;
    if (length <= tail || memcmp(name + length - tail, marker, sizeof marker - 1) != 0) {
        return false;
    }
    return strspn(name + length - DIGITS, "0123456789abcdef") == DIGITS;
}

/* --- what may be asked for -------------------------------------------------------------------- */

/* Copy PATH without slashes at its end; and what is before its last part. */
static int split(const char *path, char ret_path[PATH_MAX], char ret_parent[PATH_MAX],
                 struct errinfo *reason)
{
    size_t length = strlen(path);
    if (path[0] != '/') {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is not absolute: it is to begin with '/'", path);
    }
    if (length > PATH_BYTES_MAX) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS, "has %zu bytes; up to %d are allowed",
                           length, (int)PATH_BYTES_MAX);
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    memcpy(ret_path, path, length);
    ret_path[length] = '\0';
    size_t parent = (size_t)(strrchr(ret_path, '/') - ret_path);
    parent = parent == 0 ? 1 : parent;
    memcpy(ret_parent, path, parent);
    ret_parent[parent] = '\0';
    return 0;
}

/* A backup in the store would be copied into itself when the directory is, and goes with it when it
 * goes.  Where a path leads nowhere, others say so. */
static int check_apart(const char *path, const char *parent, const char *data_dir,
                       struct errinfo *reason)
{
    bool inside = false;
    bool around = false;
    if (directory_lies_in(path, data_dir, &inside) == 0 && inside &&
        directory_lies_in(data_dir, path, &around) == 0 && around) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is the data directory itself; a backup is made outside of it",
                           path);
    }
    if (directory_lies_in(parent, data_dir, &inside) == 0 && inside) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is in the data directory, '%.120s'; a backup is made outside "
                           "of it, since what takes that away takes both",
                           path, data_dir);
    }
    if (directory_lies_in(data_dir, path, &around) == 0 && around) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is there already, and holds the data directory, '%.120s'",
                           path, data_dir);
    }
    return 0;
}

/* On 0 REASON may have a warning. */
static int check_parent(const char *parent, struct errinfo *reason)
{
    struct stat about;
    struct statfs system;
    if (stat(parent, &about) < 0) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "the directory that it is to be in, '%.120s', is not there for the "
                           "daemon: %s",
                           parent, strerror(errno));
    }
    if (!S_ISDIR(about.st_mode)) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s', which it is to be in, is not a directory", parent);
    }
    if (faccessat(AT_FDCWD, parent, W_OK | X_OK, AT_EACCESS) < 0) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "the daemon may not write in '%.120s', which it is to be in: %s", parent,
                           strerror(errno));
    }
    if (statfs(parent, &system) < 0) {
        return failed("look at", parent, reason);
    }
    const char *type = directory_refused_type((unsigned long)system.f_type);
    if (type != NULL) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is on a %s file system, which does not keep what a sync "
                           "promises: choose a local disk, and copy the backup from there",
                           parent, type);
    }
    type = directory_volatile_type((unsigned long)system.f_type);
    return type == NULL ? 0
                        : errinfo_set(reason, 0,
                                      "'%.120s' is on a %s file system, which is in memory: the "
                                      "next boot has no backup there",
                                      parent, type);
}

/* Also makes PATH and PARENT of DIRECTORY. */
static int check(const char *directory, const char *data_dir, char ret_path[PATH_MAX],
                 char ret_parent[PATH_MAX], struct errinfo *reason)
{
    struct stat about;
    int rc = split(directory, ret_path, ret_parent, reason);
    if (rc == 0) {
        rc = check_apart(ret_path, ret_parent, data_dir, reason);
    }
    if (rc < 0) {
        return rc;
    }
    if (is_partial(strrchr(ret_path, '/') + 1)) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' ends as a backup does that is not whole: the next one beside "
                           "it would take it away",
                           ret_path);
    }
    if (lstat(ret_path, &about) == 0) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "'%.120s' is there already; a backup is made at a new place", ret_path);
    }
    return check_parent(ret_parent, reason);
}

int backup_target_check(const char *directory, const char *data_dir, struct errinfo *reason)
{
    char path[PATH_MAX];
    char parent[PATH_MAX];
    return check(directory, data_dir, path, parent, reason);
}

/* --- what was left behind --------------------------------------------------------------------- */

static bool is_file_of_ours(const char *name)
{
    bool ours = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    for (size_t i = 0; i < N_FILES && !ours; i++) {
        ours = strcmp(name, files[i]) == 0;
    }
    return ours;
}

/* Whether nothing is in the directory of FD but what a store's is. */
static bool has_only_ours(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    bool ours = list != NULL;
    if (list == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return false;
    }
    for (const struct dirent *row = readdir(list); row != NULL && ours; row = readdir(list)) {
        ours = is_file_of_ours(row->d_name);
    }
    closedir(list);
    return ours;
}

static void remove_files(int fd, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        IGNORE(unlinkat(fd, files[i], 0) < 0); /* mostly it is not there; else the next may */
    }
}

static void sweep_one(int parent_fd, const char *name)
{
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && has_only_ours(fd)) {
        remove_files(fd, N_FILES);
        IGNORE(unlinkat(parent_fd, name, AT_REMOVEDIR) < 0); /* the next backup tries again */
    }
    close(fd);
}

/* Take away what processes left that died.  What cannot be is no reason not to go on. */
static void sweep(int parent_fd)
{
    int copy = openat(parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (list == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return;
    }
    for (const struct dirent *row = readdir(list); row != NULL; row = readdir(list)) {
        if (is_partial(row->d_name)) {
            sweep_one(parent_fd, row->d_name);
        }
    }
    closedir(list);
}

/* --- making it -------------------------------------------------------------------------------- */

/* A disk that is full in the end would stop whoever else writes to it, the store perhaps. */
static int check_room(int parent_fd, const char *parent, uint64_t bytes, struct errinfo *reason)
{
    struct statvfs about;
    if (fstatvfs(parent_fd, &about) < 0) {
        return failed("look at", parent, reason);
    }
    uint64_t room = (uint64_t)about.f_bavail * about.f_frsize;
    if (room < bytes) {
        return errinfo_set(reason, STATUS_STORAGE_FULL,
                           "the backup takes %" PRIu64 " bytes, and '%.120s' has room for %" PRIu64,
                           bytes, parent, room);
    }
    return 0;
}

static int make_partial(struct backup_target *target, struct errinfo *reason)
{
    uint64_t digits = (uint64_t)clock_wall_us() % (UINT64_C(1) << (4 * DIGITS)); /* no other's */
    int length = snprintf(target->partial, sizeof target->partial, "%s%s%0*" PRIx64, target->path,
                          marker, (int)DIGITS, digits);
    if (length >= (int)sizeof target->partial) {
        errno = ENAMETOOLONG;
        return failed("make", target->path, reason);
    }
    if (mkdir(target->partial, 0700) < 0) {
        return failed("make", target->partial, reason);
    }
    target->fd = open(target->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target->fd < 0 || flock(target->fd, LOCK_EX | LOCK_NB) < 0) {
        int rc = failed("lock", target->partial, reason);
        IGNORE(rmdir(target->partial) < 0); /* as well as can be */
        return rc;
    }
    return 0;
}

int backup_target_begin(const char *directory, const char *data_dir, uint64_t bytes,
                        struct backup_target *ret, struct errinfo *reason)
{
    char parent[PATH_MAX];
    struct backup_target target = {.parent_fd = -1, .fd = -1};
    int rc = check(directory, data_dir, target.path, parent, reason);
    if (rc < 0) {
        return rc;
    }
    reason->message[0] = '\0'; /* who asked for it was warned */
    target.parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (target.parent_fd < 0) {
        return failed("open", parent, reason);
    }
    sweep(target.parent_fd);
    rc = check_room(target.parent_fd, parent, bytes, reason);
    if (rc == 0) {
        rc = make_partial(&target, reason);
    }
    if (rc < 0) {
        backup_target_done(&target);
        return rc;
    }
    *ret = target;
    return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

static int sync_data(const struct backup_target *target, struct errinfo *reason)
{
    int fd = openat(target->fd, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return failed("open the data file in", target->partial, reason);
    }
    int rc = fsync(fd) < 0 ? failed("sync the data file in", target->partial, reason) : 0;
    close(fd);
    return rc;
}

/* Never over what is there, not even an empty directory, which rename() would replace. */
static int give_name(const struct backup_target *target, struct errinfo *reason)
{
    int rc = renameat2(AT_FDCWD, target->partial, AT_FDCWD, target->path, RENAME_NOREPLACE);
    struct stat about;
    if (rc < 0 && errno == EINVAL) { /* a file system that does not know how */
        errno = EEXIST;
        rc = lstat(target->path, &about) == 0 ? -1 : rename(target->partial, target->path);
    }
    return rc < 0 ? failed("give the backup its name", target->path, reason) : 0;
}

int backup_target_finish(struct backup_target *target, struct errinfo *reason)
{
    remove_files(target->fd, N_SPARE_FILES);
    int rc = sync_data(target, reason);
    if (rc == 0 && fsync(target->fd) < 0) {
        rc = failed("sync", target->partial, reason);
    }
    if (rc == 0) {
        rc = give_name(target, reason);
    }
    if (rc < 0) {
        return rc;
    }
    if (fsync(target->parent_fd) < 0) { /* nobody knows whether its name is there for good */
        rc = failed("sync the directory of", target->path, reason);
        if (rename(target->path, target->partial) == 0) {
            return rc;
        }
    }
    close(target->fd);
    target->fd = -1;
    return rc;
}

void backup_target_done(struct backup_target *target)
{
    if (target->fd >= 0) {
        remove_files(target->fd, N_FILES);
        IGNORE(rmdir(target->partial) < 0); /* else the next backup will */
        close(target->fd);
    }
    if (target->parent_fd >= 0) {
        close(target->parent_fd);
    }
}
