/* Time that only ever goes forward, in nanoseconds.  Any thread. */
#pragma once

#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* Now; only differences mean anything. */
int64_t clock_ns(void);

/* Processor time that this process has taken, all threads together. */
int64_t clock_own_cpu_ns(void);

/* Processor time that this thread has taken. */
int64_t clock_thread_cpu_ns(void);

/* Processor time that process PID has taken so far; 0 where it cannot be seen. */
int64_t clock_cpu_ns(int pid);
