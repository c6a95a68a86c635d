/* The system calls by which a store reaches its files: recorded in their order, or made to fail.
 *
 * disk.c's open(), pwrite(), fdatasync() and so on stand before the C library's in a program that
 * it is linked into, for liblmdb too.  Only files below the watched directory are concerned; what
 * they sync is not synced: no test needs a disk that outlives the machine.
 *
 * A store that wrote through its map would go unseen: disk_writable_maps() tells whether one
 * could.  LMDB's is read-only, since it is opened without MDB_WRITEMAP; its table of readers in
 * lock.mdb is written so, and is of no worth once the daemon has ended.
 *
 * The calls: any thread.  Those below: main thread, those that begin something while no other
 * thread is using the files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DISK_FILES_MAX = 64, /* that are opened under one watched directory */
    DISK_NAME_MAX = 24,
    DISK_SECTOR_BYTES = 512, /* what a disk writes whole or not at all */
};

/* Have the kit's directories in memory, where the machine has a place for files there: before the
 * first of them. */
void disk_use_memory(void);

/* --- recording -------------------------------------------------------------------------------- */

enum disk_change {
    DISK_WRITE,      /* BYTES at OFFSET */
    DISK_RESIZE,     /* the file ends at OFFSET */
    DISK_SYNC,       /* all changes to the file up to here are on disk */
    DISK_NAME,       /* the file has NAME from now on, and nothing else has */
    DISK_SYNC_NAMES, /* all names up to here are on disk */
};

/* A change, which is complete before the next begins. */
struct disk_event {
    enum disk_change change;
    unsigned file; /* from 0 */
    bool durable;  /* through a synchronous descriptor: on disk when it returned */
    uint64_t offset;
    size_t bytes;
    const uint8_t *data; /* owned by the recording */
    char name[DISK_NAME_MAX];
    uint64_t tick; /* what the caller's clock said before it */
};

struct disk_recording {
    struct disk_event *events; /* owned */
    size_t n;
    size_t room;
};

/* Record all that happens below DIRECTORY, which exists, from now on, with what TICK(ARG) says. */
void disk_record(const char *directory, uint64_t (*tick)(void *arg), void *arg);

/* Record no more.  What was recorded is the caller's, who frees it with disk_recording_free(). */
struct disk_recording disk_record_end(void);
void disk_recording_free(struct disk_recording *recording);

/* --- failing ---------------------------------------------------------------------------------- */

enum disk_fault {
    DISK_EIO,
    DISK_ENOSPC,
    DISK_EINTR,
    DISK_SHORT,      /* half of it is written; a sync fails with EIO */
    DISK_SHORT_FULL, /* the same, and there is no room for more until the fault is over */
    DISK__FAULTS,
};

extern const char *const disk_fault_names[DISK__FAULTS];

/* Of the calls that write or sync below DIRECTORY, by whatever thread, let the first N - 1 pass
 * from now on and the Nth fail, once.  N 0: none. */
void disk_fail(const char *directory, uint64_t n, enum disk_fault fault);

/* How many such calls there were since. */
uint64_t disk_calls(void);

/* Whether the Nth was among them, and what it was: "fdatasync of data.mdb"; NULL: it was not.  The
 * text lives until the next disk_fail(). */
const char *disk_failed(void);

/* No more faults; nothing is watched. */
void disk_heal(void);

/* --- time ------------------------------------------------------------------------------------- */

/* From now on waits with a deadline end at once, or within MS where that is sooner than theirs; a
 * negative MS: as they say.  So a sealer that waits for company, or for room on the disk, costs a
 * test no time.  Linked with -Wl,--wrap=pthread_cond_timedwait. */
void disk_hurry(int ms);

/* --- maps ------------------------------------------------------------------------------------- */

/* How many maps of files called NAME this process can write to. */
unsigned disk_writable_maps(const char *name);
