#include "billingd/base/clock.h"

#include <time.h>

#include "proto/status.h"

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};
    IGNORE(clock_gettime(id, &now) != 0); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}
