#include "billingd/base/random.h"

#include <sys/random.h>
#include <sys/types.h>

#include "billingd/base/assert.h"

void random_bytes(void *buffer, size_t bytes)
{
    char *at = buffer;
    while (bytes > 0) {
        ssize_t got = getrandom(at, bytes, 0);
        INVARIANT(got > 0); /* no signal handlers here, and the pool is ready long before */
        at += got;
        bytes -= (size_t)got;
    }
}
