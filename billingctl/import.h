/* `usage import`: a file of usage, recorded batch by batch.  Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "billingctl/import_format.h"

struct ctl;

enum {
    IMPORT_BATCH_ROWS = 1000, /* unless --batch says otherwise */
};

struct import_settings {
    const char *path; /* "-": standard input */
    const struct import_format *format;
    const char *customer;     /* of rows that name none; or NULL */
    const char *rejects_path; /* or NULL */
    size_t batch_rows;
    bool derive_ids;
    bool quiet;
};

/* Import what SETTINGS say.  While it runs, SIGINT and SIGTERM end it after the batch that is under
 * way.  Returns an enum ctl_exit, or CTL_SIGNAL + the signal. */
int import_run(const struct ctl *ctl, const struct import_settings *settings);
