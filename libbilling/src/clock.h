/* The clock that deadlines are kept by: CLOCK_MONOTONIC, in microseconds.  Any thread. */
#pragma once

#include <stdint.h>

/* The time now. */
int64_t clock_now_us(void);

/* Milliseconds left until DEADLINE_US, rounded up; 0 when it has passed. */
int64_t clock_left_ms(int64_t deadline_us);

/* Sleep until TIME_US, whatever signals come. */
void clock_sleep_until(int64_t time_us);
