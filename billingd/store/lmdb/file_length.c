#include "billingd/store/lmdb/file_length.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/env.h"

enum {
    FREE_TABLE = 0, /* LMDB's own, of free pages: by transaction, their number, then each of them */
};

int file_length_check_begun(const char *directory, struct errinfo *reason)
{
    char path[PATH_MAX + 16];
    struct stat about;
    IGNORE(snprintf(path, sizeof path, "%s/data.mdb", directory) < 0); /* it fits */
    if (stat(path, &about) < 0 || !S_ISREG(about.st_mode) || about.st_size > 0) {
        return 0; /* what else may be wrong is found where it is opened */
    }
    return errinfo_set(reason, STATUS_CORRUPT,
                       "'%.120s/data.mdb' has nothing in it, as a copy leaves it that found no "
                       "room: copy it again, or restore a backup",
                       directory);
}

/* How many of the pages from FIRST on are on LMDB's list of free ones. */
static int count_free(MDB_txn *txn, size_t first, size_t *ret_n)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val list;
    size_t n = 0;
    int rc = mdb_cursor_open(txn, FREE_TABLE, &cursor);
    if (rc != 0) {
        return rc;
    }
    while ((rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        const size_t *pages = list.mv_data;
        for (size_t i = 1; i <= pages[0] && (i + 1) * sizeof *pages <= list.mv_size; i++) {
            n += pages[i] >= first;
        }
    }
    mdb_cursor_close(cursor);
    *ret_n = n;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Whether the pages from FIRST to LAST are all free.  What is missing of the file must be there to
 * be read, though not what it was. */
static bool are_free(MDB_env *mdb, size_t first, size_t last)
{
    MDB_txn *txn;
    size_t n = 0;
    int rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &txn);
    if (rc == 0) {
        rc = count_free(txn, first, &n);
        mdb_txn_abort(txn);
    }
    return rc == 0 && n == last - first + 1;
}

/* How long the file of MDB is to be, and what it is like. */
static int measure(MDB_env *mdb, off_t *ret_called_for, struct stat *ret_about)
{
    MDB_envinfo info;
    MDB_stat pages;
    int fd = -1;
    INVARIANT(mdb_env_info(mdb, &info) == 0 && mdb_env_stat(mdb, &pages) == 0 &&
              mdb_env_get_fd(mdb, &fd) == 0);
    *ret_called_for = (off_t)((info.me_last_pgno + 1) * pages.ms_psize);
    return fstat(fd, ret_about);
}

bool file_length_is_short(MDB_env *mdb)
{
    struct stat about;
    off_t called_for;
    return measure(mdb, &called_for, &about) < 0 || about.st_size < called_for;
}

int file_length_check(MDB_env *mdb, const char *directory, struct errinfo *reason)
{
    MDB_envinfo info;
    MDB_stat pages;
    struct stat about;
    int fd = -1;
    INVARIANT(mdb_env_info(mdb, &info) == 0 && mdb_env_stat(mdb, &pages) == 0 &&
              mdb_env_get_fd(mdb, &fd) == 0);
    off_t called_for;
    if (measure(mdb, &called_for, &about) < 0) {
        return errinfo_set(reason, STATUS_STORAGE_FAILED, "cannot look at '%.120s/data.mdb'",
                           directory);
    }
    if (about.st_size >= called_for) {
        return 0;
    }
    if (ftruncate(fd, called_for) < 0) {
        return errinfo_set(reason, STATUS_STORAGE_FAILED, "cannot lengthen '%.120s/data.mdb'",
                           directory);
    }
    if (are_free(mdb, (size_t)about.st_size / pages.ms_psize, info.me_last_pgno)) {
        return 0;
    }
    IGNORE(ftruncate(fd, about.st_size) < 0); /* else it is refused by what is read as zeros */
    return errinfo_set(reason, STATUS_CORRUPT,
                       "'%.120s/data.mdb' is cut short, %lld of %lld bytes: copy it again, or "
                       "restore a backup",
                       directory, (long long)about.st_size, (long long)called_for);
}
