/* `usage export`: what was recorded, streamed page by page to standard output, so that the memory
 * needed is that of one page.  Main thread. */
#pragma once

#include <stdbool.h>

#include "billingctl/export_format.h"

struct ctl;

struct export_settings {
    const struct export_format *format;
    const char *customer; /* NULL: all of them */
    bool by_billed;       /* a void stands where it bills, else where its usage does */
    bool quiet;
};

/* Export what SETTINGS say, in the window and by the clock of the command line.  Returns an enum
 * ctl_exit, having said why it is not CTL_DONE. */
int export_run(const struct ctl *ctl, const struct export_settings *settings);
