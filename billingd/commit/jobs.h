/* Jobs: what takes minutes, beside everything else: backups and verifications, one at a time, on a
 * thread of their own at a low priority.
 *
 *   jobs_start .. jobs_get .. jobs_cancel .. jobs_get
 *
 * What a job came to is kept until JOBS_KEPT later ones have ended; a restart forgets it.  A job
 * that fails, or finds damage, says so in the log as well: nobody may be asking.
 *
 * Any thread, but for creating and destroying; answers from memory, at once, but where it says
 * otherwise. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingd/base/arena.h"
#include "billingd/store/record.h"
#include "billingd/store/store.h"

struct jobs;

enum {
    JOBS_KEPT = 8,
    JOB_FINDINGS_MAX = 100, /* that are kept; all are counted */
    JOB_FINDING_TEXT_BYTES = 256,
    JOB_DIRECTORY_BYTES = 1024 + 1, /* LIMIT_DIRECTORY_BYTES and a NUL */
};

enum job_kind {
    JOB_BACKUP,
    JOB_VERIFICATION,
};

enum job_state {
    JOB_RUNNING,
    JOB_DONE, /* whatever it found */
    JOB_FAILED,
    JOB_CANCELLED,
};

struct job_finding {
    enum store_fault fault;
    const char *table;     /* static */
    uint64_t seq;          /* of the first record that it is about; 0: of none */
    enum record_kind kind; /* of that record; 0: it cannot be told */
    uint64_t rows;
    char text[JOB_FINDING_TEXT_BYTES]; /* cut to that */
};

struct job {
    uint64_t id; /* random: one of an earlier run of the daemon names nothing */
    enum job_kind kind;
    enum job_state state;
    int64_t started_at_us;
    int64_t ended_at_us;                 /* 0: it runs */
    uint64_t steps_done;                 /* of a backup: bytes */
    uint64_t steps;                      /* 0: not known yet */
    char detail[sizeof(struct errinfo)]; /* why it failed */

    /* --- of a backup --- */
    char warning[sizeof(struct errinfo)]; /* what speaks against its place; "": nothing */
    char directory[JOB_DIRECTORY_BYTES];
    uint64_t bytes; /* copied so far; of the whole, once it is done */

    uint64_t last_seq; /* of the newest record that was copied or checked, once it is done */

    /* --- of a verification, once it is done --- */
    uint64_t records;
    uint64_t rows;
    uint64_t n_findings; /* all so far */

    struct job_finding *findings; /* the first of them; owned */
    size_t n_kept;
};

/* Start the thread, which works on STORE.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int jobs_create(struct store *store, struct jobs **ret_jobs);

/* Begin a verification.  *RET_ID is its id; on STATUS_JOB_RUNNING, that of the one that runs.
 * Returns 0, STATUS_JOB_RUNNING, STATUS_NO_MEMORY or STATUS_SHUTTING_DOWN. */
MUSTCHECK int jobs_start_verification(struct jobs *jobs, uint64_t *ret_id);

/* Likewise a backup to DIRECTORY, which is copied, has fewer than JOB_DIRECTORY_BYTES bytes and no
 * NUL among them.  Looks at disks first, so not on the loop thread: also returns as
 * store_backup_check(), with REASON. */
MUSTCHECK int jobs_start_backup(struct jobs *jobs, struct slice directory, uint64_t *ret_id,
                                struct errinfo *reason);

/* The job ID as it is now, its findings in ARENA.  Returns 0 or STATUS_JOB_NOT_FOUND. */
MUSTCHECK int jobs_get(struct jobs *jobs, uint64_t id, struct arena *arena, struct job *ret);

/* The job ID is to end soon; nothing where it has ended.  Returns 0 or STATUS_JOB_NOT_FOUND. */
MUSTCHECK int jobs_cancel(struct jobs *jobs, uint64_t id);

/* Cancel what runs, and begin nothing more.  NULL is fine. */
void jobs_drain(struct jobs *jobs);

/* The same, wait until it has ended, and free JOBS.  NULL is fine. */
void jobs_destroy(struct jobs *jobs);
