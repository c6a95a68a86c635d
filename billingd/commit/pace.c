#include "billingd/commit/pace.h"

#include <stdbool.h>

#include "billingd/commit/fair_queue.h"

enum {
    STEP = 16,       /* a step is one in so many */
    SMALL_EACH = 16, /* so often a group is small to be measured */
    BYTES_MIN = 2 * FAIR_QUEUE_TURN_BYTES,
    BYTES_MAX = 1 << 30,
};

static size_t stepped(size_t value, bool up)
{
    size_t step = value / STEP + 1;
    return up ? value + step : value - (step < value ? step : 0);
}

void pace_note(struct pace *pace, size_t bytes, int64_t us)
{
    size_t bytes_max = pace->bytes_max;
    if (bytes <= FAIR_QUEUE_TURN_BYTES) {
        pace->small_us = pace->small_us == 0
                             ? us
                             : (int64_t)stepped((size_t)pace->small_us, us > pace->small_us);
        return;
    }
    bool fast = us < pace->small_us + pace->small_us / (int64_t)pace->longer;
    if (fast ? bytes >= bytes_max - bytes_max / 4 : bytes <= bytes_max + bytes_max / 4) {
        bytes_max = stepped(bytes_max, fast);
    }
    pace->bytes_max = bytes_max < BYTES_MAX ? bytes_max : BYTES_MAX;
}

size_t pace_next(struct pace *pace)
{
    if (pace->bytes_max < BYTES_MIN) {
        pace->bytes_max = BYTES_MIN;
    }
    bool small = pace->small_us == 0 || pace->taken % SMALL_EACH == 0;
    pace->taken++;
    return small ? FAIR_QUEUE_TURN_BYTES : pace->bytes_max;
}
