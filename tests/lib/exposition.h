/* A strict reader of what /metrics shows: the text format of Prometheus, version 0.0.4, and its
 * conventions for names.  What is not as it should be fails the test.  Main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct exposition_sample {
    const char *family;
    const char *series; /* name and labels, as they stand there */
    double value;
};

struct exposition {
    struct exposition_sample *samples; /* the kit's, as all texts here */
    size_t n;
    const char **families;
    size_t n_families;
};

/* Read TEXT. */
struct exposition exposition_read(const char *text);

/* The value of SERIES, "name{label=\"value\"}"; 0 where there is none. */
double exposition_value(const struct exposition *exposition, const char *series);

/* Whether there is a family NAME. */
bool exposition_has(const struct exposition *exposition, const char *name);
