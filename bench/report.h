/* What a mode has found: names and figures in the order in which they were put in, printed as a
 * table for people or as one JSON object in the last line of stdout.
 *
 * One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/latency.h"

struct report; /* on the heap until the process ends */

/* An empty one but for the name of MODE. */
struct report *report_create(const char *mode);

/* Add VALUE to REPORT under NAME; both are copied. */
void report_text(struct report *report, const char *name, const char *value);
void report_count(struct report *report, const char *name, uint64_t value);

/* The seed, which the table has as it is typed. */
void report_seed(struct report *report, uint64_t seed);

/* DIGITS of VALUE behind the point. */
void report_number(struct report *report, const char *name, double value, int digits);
void report_numbers(struct report *report, const char *name, const double *values, size_t n,
                    int digits);

/* NAME_p50_us, _p99_us, _p999_us and _max_us. */
void report_latency(struct report *report, const char *name, const struct latency *latency);

/* WHAT, the caller's for good, went wrong, and the figures are to be seen all the same. */
void report_flaw(struct report *report, const char *what);

/* Print it on stdout, and a flaw on stderr; fails the program where stdout cannot be written to.
 * Returns the program's exit status: 1 where there is a flaw, else 0. */
int report_print(const struct report *report, bool json);
