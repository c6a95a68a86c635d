/* How the kernel schedules a thread, as sched_setattr(2) has it.  Declared here because the C
 * library does not have it yet, and the kernel's own header does not go with the library's. */
#pragma once

#include <stdint.h>

struct scheduling {
    uint32_t size; /* of this struct, in bytes */
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* of SCHED_OTHER: how long a turn is, since Linux 6.12 */
    uint64_t deadline_ns;
    uint64_t period_ns;
};
