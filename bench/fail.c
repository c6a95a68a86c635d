#include "bench/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    IGNORE(fprintf(stderr, "%s: ", program_invocation_short_name) < 0); /* nowhere else to say it */
    IGNORE(vfprintf(stderr, format, args) < 0);                         /* nor here */
    IGNORE(fputc('\n', stderr) == EOF);                                 /* nor here */
    va_end(args);
    exit(1);
}

void fail_errno(const char *what)
{
    fail("%s: %s", what, strerror(errno));
}

void check_status(int status, const char *what)
{
    if (status != 0) {
        fail("%s: %s", what, status_info(status)->title);
    }
}

void check_lmdb(int rc, const char *what)
{
    if (rc != 0) {
        fail("%s: %s", what, mdb_strerror(rc));
    }
}
