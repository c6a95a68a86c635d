/* The progress of a long run, on one line of a terminal.  Main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "billingctl/text.h"

struct progress {
    bool shown;
    uint64_t size; /* of what is read, in bytes; 0: not known */
    int64_t begun_ms;
    int64_t drawn_ms;
};

/* *PROGRESS is of reading SIZE bytes; nothing is ever shown where WANTED is false or standard error
 * is no terminal. */
void progress_begin(struct progress *progress, uint64_t size, bool wanted);

/* BYTES were read and ROWS are settled: show it, unless that was done a moment ago. */
void progress_update(struct progress *progress, uint64_t bytes, uint64_t rows);

/* DONE of STEPS, 0 where it is not known how many, are done: show it, unless that was done a moment
 * ago. */
void progress_update_steps(struct progress *progress, uint64_t done, uint64_t steps);

/* Take the line away. */
void progress_end(struct progress *progress);

/* Append the line for BYTES of SIZE and ROWS after ELAPSED_MS milliseconds.  Pure. */
void progress_put_line(struct text *text, uint64_t size, uint64_t bytes, uint64_t rows,
                       int64_t elapsed_ms);

/* Append the line for DONE of STEPS after ELAPSED_MS milliseconds.  Pure. */
void progress_put_steps(struct text *text, uint64_t done, uint64_t steps, int64_t elapsed_ms);
