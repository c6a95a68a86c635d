#include "billingd/base/failpoint.h"

#ifdef BILLING_FAILPOINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/status.h"

void failpoint_pass(const char *name)
{
    static atomic_long passed;
    const char *wanted = getenv("BILLING_FAILPOINT");
    size_t length = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, length) != 0 || wanted[length] != ':') {
        return;
    }
    char *behind;
    if (atomic_fetch_add(&passed, 1) + 1 != strtol(wanted + length + 1, &behind, 10)) {
        return;
    }
    while (strcmp(behind, ":hang") == 0) {
        IGNORE(pause() < 0); /* whatever signal comes, it is not meant for this thread */
    }
    IGNORE(raise(SIGKILL)); /* does not return */
}
#endif
