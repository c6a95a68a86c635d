#include "billingd/store/lmdb/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "billingd/store/errinfo.h"

/* Locks and the shared map are not kept across machines, and what sits on another process may
 * say that it synced when it did not. */
static const struct refused_type {
    uint32_t magic;
    const char *name;
} refused_types[] = {
    {NFS_SUPER_MAGIC, "NFS"},   {SMB_SUPER_MAGIC, "SMB"},   {CIFS_SUPER_MAGIC, "CIFS"},
    {SMB2_SUPER_MAGIC, "SMB"},  {FUSE_SUPER_MAGIC, "FUSE"}, {V9FS_MAGIC, "9P"},
    {CEPH_SUPER_MAGIC, "Ceph"}, {AFS_SUPER_MAGIC, "AFS"},   {AFS_FS_MAGIC, "AFS"},
    {CODA_SUPER_MAGIC, "Coda"}, {NCP_SUPER_MAGIC, "NCP"},   {OCFS2_SUPER_MAGIC, "OCFS2"},
    {0x01161970, "GFS2"},       {0x0BD00BD0, "Lustre"},     {0x786F4256, "VirtualBox"},
};

const char *directory_refused_type(unsigned long f_type)
{
    for (size_t i = 0; i < sizeof refused_types / sizeof refused_types[0]; i++) {
        if (refused_types[i].magic == (uint32_t)f_type) {
            return refused_types[i].name;
        }
    }
    return NULL;
}

const char *directory_volatile_type(unsigned long f_type)
{
    switch ((uint32_t)f_type) {
    case TMPFS_MAGIC:
        return "tmpfs";
    case RAMFS_MAGIC:
        return "ramfs";
    default:
        return NULL;
    }
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Go up from the directory of *FD, which is replaced by that of each above it. */
static int climb_to(int *fd, const struct stat *wanted, bool *ret)
{
    struct stat here;
    struct stat above;
    if (fstat(*fd, &here) < 0) {
        return -1;
    }
    bool found = is_same(&here, wanted);
    while (!found) { /* as often as the path is deep */
        int up = openat(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (up < 0) {
            return -1;
        }
        close(*fd);
        *fd = up;
        if (fstat(up, &above) < 0) {
            return -1;
        }
        if (is_same(&above, &here)) {
            break; /* the root */
        }
        here = above;
        found = is_same(&here, wanted);
    }
    *ret = found;
    return 0;
}

int directory_lies_in(const char *inner, const char *outer, bool *ret)
{
    struct stat wanted;
    if (stat(outer, &wanted) < 0) {
        return -1;
    }
    int fd = open(inner, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int rc = climb_to(&fd, &wanted, ret);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

static int sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    int rc = fsync(fd);
    int error = errno;
    close(fd);
    errno = error;
    return rc;
}

/* PATH without its last part: "/" and "." where nothing else is left. */
static void parent_of(const char *path, char parent[PATH_MAX])
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    if (length == 0) {
        path = ".";
        length = 1;
    }
    memcpy(parent, path, length);
    parent[length] = '\0';
}

/* mkdir -p, each on disk before the next.  As deep as the path is, which is bounded. */
static int make(const char *path)
{
    char parent[PATH_MAX];
    if (mkdir(path, 0700) < 0) {
        if (errno == EEXIST) {
            return 0;
        }
        if (errno != ENOENT) {
            return -1;
        }
        parent_of(path, parent);
        if (make(parent) < 0 || (mkdir(path, 0700) < 0 && errno != EEXIST)) {
            return -1;
        }
    }
    parent_of(path, parent);
    return sync_path(parent);
}

static int system_failure(const char *verb, const char *path, struct errinfo *reason)
{
    int error = errno;
    bool full = error == ENOSPC || error == EDQUOT;
    return errinfo_set(reason, full ? STATUS_STORAGE_FULL : STATUS_STORAGE_FAILED,
                       "cannot %s data directory '%.120s': %s", verb, path, strerror(error));
}

static int check_type(const struct directory *directory, const char *path, struct errinfo *reason)
{
    struct statfs about;
    if (fstatfs(directory->fd, &about) < 0) {
        return system_failure("look at", path, reason);
    }
    const char *name = directory_refused_type((unsigned long)about.f_type);
    if (name != NULL) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "data directory '%.120s' is on a %s file system, which does not keep "
                           "what a sync promises: choose a local disk",
                           path, name);
    }
    return 0;
}

static int lock_refused(const struct directory *directory, const char *path, struct errinfo *reason)
{
    char holder[24] = "";
    ssize_t length = pread(directory->lock_fd, holder, sizeof holder - 1, 0);
    holder[length > 0 ? strcspn(holder, "\n") : 0] = '\0';
    return errinfo_set(reason, STATUS_BUSY,
                       "data directory '%.120s' is in use by process %s: one daemon a directory",
                       path, *holder == '\0' ? "(unknown)" : holder);
}

/* For the message of lock_refused() alone: a full disk must not keep a daemon from reading.  In
 * place, then cut, so that it needs no room where there was a pid before. */
static void write_pid(int lock_fd)
{
    char pid[24];
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (pwrite(lock_fd, pid, (size_t)length, 0) != length || ftruncate(lock_fd, length) < 0) {
        IGNORE(ftruncate(lock_fd, 0) < 0); /* "(unknown)" is better than a wrong one */
    }
}

/* The file LOCK, which is open. */
static int lock(const struct directory *directory, const char *path, struct errinfo *reason)
{
    if (flock(directory->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? lock_refused(directory, path, reason)
                                    : system_failure("lock", path, reason);
    }
    return 0;
}

static int take_lock(struct directory *directory, const char *path, struct errinfo *reason)
{
    directory->lock_fd =
        openat(directory->fd, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (directory->lock_fd < 0) {
        return system_failure("lock", path, reason);
    }
    int rc = lock(directory, path, reason);
    if (rc == 0) {
        write_pid(directory->lock_fd);
    }
    return rc;
}

int directory_open(const char *path, struct directory *ret, struct errinfo *reason)
{
    struct directory directory = {.fd = -1, .lock_fd = -1};
    if (make(path) < 0) {
        return system_failure("make", path, reason);
    }
    directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.fd < 0) {
        return system_failure("open", path, reason);
    }
    int rc = check_type(&directory, path, reason);
    if (rc == 0) {
        rc = take_lock(&directory, path, reason);
    }
    if (rc < 0) {
        directory_close(&directory);
        return rc;
    }
    *ret = directory;
    return 0;
}

/* LOCK, where it is there, as it is. */
static int try_lock(struct directory *directory, const char *path, struct errinfo *reason)
{
    directory->lock_fd = openat(directory->fd, "LOCK", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (directory->lock_fd < 0) {
        return errno == ENOENT ? 0 : system_failure("lock", path, reason);
    }
    return lock(directory, path, reason);
}

/* What a start writes to must be so that it can, for whoever asks. */
static int check_writable(const struct directory *directory, const char *path,
                          struct errinfo *reason)
{
    static const char *const files[] = {"LOCK", "data.mdb"};
    static const char *const verbs[] = {"write to LOCK in", "write to data.mdb in"};
    if (faccessat(directory->fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        return system_failure("write to", path, reason);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (faccessat(directory->fd, files[i], R_OK | W_OK, AT_EACCESS) < 0 && errno != ENOENT) {
            return system_failure(verbs[i], path, reason);
        }
    }
    return 0;
}

int directory_look(const char *path, struct directory *ret, struct errinfo *reason)
{
    struct directory directory = {.fd = -1, .lock_fd = -1};
    directory.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory.fd < 0) {
        return errno == ENOENT ? STATUS_NOT_FOUND : system_failure("open", path, reason);
    }
    int rc = check_type(&directory, path, reason);
    if (rc == 0) {
        rc = try_lock(&directory, path, reason);
    }
    if (rc == 0) {
        rc = check_writable(&directory, path, reason);
    }
    if (rc < 0) {
        directory_close(&directory);
        return rc;
    }
    *ret = directory;
    return 0;
}

int directory_check_place(const char *path, struct errinfo *reason)
{
    char above[PATH_MAX];
    struct directory directory = {.fd = -1, .lock_fd = -1};
    if (strlen(path) >= sizeof above) {
        errno = ENAMETOOLONG;
        return system_failure("make", path, reason);
    }
    IGNORE(snprintf(above, sizeof above, "%s", path) < 0); /* it fits */
    do { /* up to what is there: "/" and "." are */
        char below[PATH_MAX];
        memcpy(below, above, sizeof below);
        parent_of(below, above);
        directory.fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } while (directory.fd < 0 && errno == ENOENT && strcmp(above, "/") != 0 &&
             strcmp(above, ".") != 0);
    if (directory.fd < 0 || faccessat(directory.fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        int rc = system_failure("make", path, reason);
        directory_close(&directory);
        return rc;
    }
    int rc = check_type(&directory, path, reason);
    directory_close(&directory);
    return rc;
}

int directory_sync(const struct directory *directory, const char *path, struct errinfo *reason)
{
    return fsync(directory->fd) < 0 ? system_failure("sync", path, reason) : 0;
}

void directory_close(struct directory *directory)
{
    /* LOCK stays: taking it away would let a third process lock another file of that name. */
    if (directory->lock_fd >= 0) {
        close(directory->lock_fd);
    }
    if (directory->fd >= 0) {
        close(directory->fd);
    }
}
