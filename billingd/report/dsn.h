/* Where reports go: a DSN as Sentry hands it out,
 *
 *   https://KEY@HOST[:PORT][/PATH]/PROJECT
 *
 * and what follows from it.  Pure; any thread. */
#pragma once

#include "proto/status.h"

enum {
    REPORT_DSN_BYTES_MAX = 512,
    REPORT_KEY_BYTES_MAX = 64,
};

struct report_dsn {
    char url[REPORT_DSN_BYTES_MAX + 32]; /* of the envelope endpoint */
    char key[REPORT_KEY_BYTES_MAX + 1];
};

/* Parse TEXT, of which every part is to be as above: http or https; KEY of letters and digits (the
 * secret behind a colon that old ones have is passed over); HOST a name or an address; PROJECT a
 * number.  Returns 0, or STATUS_OUT_OF_BOUNDS with what is wrong in *RET_WHAT, a static text. */
MUSTCHECK int report_dsn_parse(const char *text, struct report_dsn *ret, const char **ret_what);
