#include "libbilling/src/clock.h"

#include <errno.h>
#include <time.h>

int64_t clock_now_us(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_left_ms(int64_t deadline_us)
{
    int64_t left_us = deadline_us - clock_now_us();
    return left_us <= 0 ? 0 : (left_us + 999) / 1000;
}

void clock_sleep_until(int64_t time_us)
{
    struct timespec until = {
        .tv_sec = (time_t)(time_us / 1000000),
        .tv_nsec = (long)(time_us % 1000000) * 1000,
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}
