/* The two clocks.  Any thread. */
#pragma once

#include <stdint.h>

/* Microseconds since 1970-01-01T00:00:00Z by the wall clock, which may jump either way. */
int64_t clock_wall_us(void);

/* Microseconds of a clock that only ever goes forward: for deadlines and durations. */
int64_t clock_monotonic_us(void);
