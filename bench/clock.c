#include "bench/clock.h"

#include <time.h>

#include "bench/fail.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    check(clock_gettime(id, &now) == 0, "clock_gettime");
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t clock_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_own_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_cpu_ns(int pid)
{
    clockid_t id;
    return pid <= 0 || clock_getcpuclockid(pid, &id) != 0 ? 0 : read_clock(id);
}
