/* The lines of a bill while they are added up: one for each service and price.
 *
 * Sums come in any order and any number; everything lies in an arena.  One thread. */
#pragma once

#include "billingd/base/arena.h"
#include "billingd/store/store.h"

struct bill_lines {
    struct arena *arena;
    struct bill_line **slots; /* hash table by service and price; a power of two */
    size_t n_slots;
    size_t n;
};

/* No lines yet; they will be kept in ARENA. */
void bill_lines_init(struct bill_lines *lines, struct arena *arena);

/* Add SUM to its line.  Returns 0, STATUS_TOO_LARGE (arena), or STATUS_OUT_OF_BOUNDS where a total
 * leaves 128 bits. */
MUSTCHECK int bill_lines_add(struct bill_lines *lines, const struct store_sum *sum);

/* The lines by service, then price, in an array of lines->n pointers in the arena.  More can be
 * added to LINES afterwards.  Returns 0 or STATUS_TOO_LARGE. */
MUSTCHECK int bill_lines_sort(struct bill_lines *lines, struct bill_line ***ret_sorted);

/* The order of lines on a bill. */
int bill_line_compare(struct slice service_a, struct decimal price_a, struct slice service_b,
                      struct decimal price_b);
