/* How fast records go by: in all, by window, and the longest time in which none did.
 *
 * A struct of zeros but for its window is one to be started.  One thread at a time. */
#pragma once

#include <stdint.h>

#include "bench/report.h"

enum {
    PACE_WINDOWS_MAX = 1024, /* those behind have no rate of their own */
};

struct pace {
    uint64_t window; /* records in one */
    uint64_t records;
    int64_t start_ns;
    int64_t last_ns; /* when records went by last, or the start */
    int64_t longest_pause_ns;
    /* --- of the window that runs --- */
    uint64_t window_records;
    int64_t window_start_ns;
    /* --- of those that are over --- */
    unsigned windows;
    double rates[PACE_WINDOWS_MAX]; /* records/s */
};

/* Begin PACE at NOW_NS, with windows of WINDOW records. */
void pace_start(struct pace *pace, uint64_t window, int64_t now_ns);

/* RECORDS more have been acknowledged by NOW_NS. */
void pace_add(struct pace *pace, uint64_t records, int64_t now_ns);

/* Put records, seconds, records_per_s, longest_pause_ms and windows into REPORT. */
void pace_report(const struct pace *pace, struct report *report);
