#include "libbilling/src/random.h"

#include <errno.h>
#include <sys/random.h>

bool random_fill(void *data, size_t bytes)
{
    ssize_t n;
    do {
        n = getrandom(data, bytes, 0);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes; /* up to 256 come whole */
}

int64_t random_up_to(int64_t most)
{
    uint64_t bits;
    if (!random_fill(&bits, sizeof bits)) {
        return most;
    }
    return (int64_t)(bits % ((uint64_t)most + 1));
}
