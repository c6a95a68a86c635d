/* Whether data.mdb is as long as its own pages say.
 *
 * A copy that found no room, or a file system that lost the end of a file, leaves one that opens
 * well, and whoever reads a page behind its end is killed (SIGBUS).  Pages may be missing at the
 * end in good order, too: those that a transaction took and gave back without writing them, which
 * are free. */
#pragma once

#include <stdbool.h>

#include <lmdb.h>

#include "billingd/store/store.h"
#include "proto/status.h"

/* Whether there is something in data.mdb of DIRECTORY, if there is such a file: in an empty one
 * LMDB would begin a store, though a first start never leaves one.  Before it is opened.  Returns
 * 0, or STATUS_CORRUPT with REASON. */
MUSTCHECK int file_length_check_begun(const char *directory, struct errinfo *reason);

/* Whether the file of MDB is shorter than it is to be, or cannot be looked at: then nothing of it
 * is to be read. */
bool file_length_is_short(MDB_env *mdb);

/* Look at the file of MDB, open in DIRECTORY and used by nobody else yet.  Where only free pages
 * are missing it is made as long as it is to be.  Returns 0; STATUS_CORRUPT where others are, with
 * REASON, and the file is as it was; STATUS_STORAGE_FAILED where it cannot be looked at. */
MUSTCHECK int file_length_check(MDB_env *mdb, const char *directory, struct errinfo *reason);
