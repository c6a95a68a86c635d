#include "billingd/base/assert.h"

#include <stdlib.h>

#include "billingd/base/log.h"

void assert_failed(const char *kind, const char *condition, const char *file, int line)
{
    log_error(LOG_DAEMON, "check failed", LOG_TEXT("kind", kind), LOG_TEXT("condition", condition),
              LOG_TEXT("file", file), LOG_INT("line", line));
    abort();
}
