#include "billingd/ledger/bill_lines.h"

#include <stdlib.h>

#include <xxhash.h>

enum {
    FIRST_SLOTS = 64,
};

void bill_lines_init(struct bill_lines *lines, struct arena *arena)
{
    *lines = (struct bill_lines){.arena = arena};
}

/* Where the line of SERVICE and PRICE is, or would go.  There is always a free slot. */
static struct bill_line **find(struct bill_line **slots, size_t n_slots, struct slice service,
                               struct decimal price)
{
    uint64_t seed = (uint64_t)decimal_mantissa(price) * 64 + (uint64_t)decimal_scale(price);
    size_t at = XXH3_64bits_withSeed(service.data, service.length, seed) & (n_slots - 1);
    while (slots[at] != NULL &&
           !(decimal_equal(slots[at]->price, price) && slice_equal(slots[at]->service, service))) {
        at = (at + 1) & (n_slots - 1);
    }
    return &slots[at];
}

/* Keep the table at most half full. */
static int make_room(struct bill_lines *lines)
{
    if (lines->n < lines->n_slots / 2) {
        return 0;
    }
    size_t n_slots = lines->n_slots == 0 ? FIRST_SLOTS : lines->n_slots * 2;
    struct bill_line **slots = arena_alloc_array(lines->arena, n_slots, sizeof *slots);
    if (slots == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; i < lines->n_slots; i++) {
        struct bill_line *line = lines->slots[i];
        if (line != NULL) {
            *find(slots, n_slots, line->service, line->price) = line;
        }
    }
    lines->slots = slots;
    lines->n_slots = n_slots;
    return 0;
}

static int open_line(struct bill_lines *lines, const struct store_sum *sum,
                     struct bill_line **ret_line)
{
    struct bill_line *line = arena_alloc(lines->arena, sizeof *line);
    if (line == NULL) {
        return STATUS_TOO_LARGE;
    }
    line->price = sum->price;
    *ret_line = line;
    lines->n++;
    return arena_copy(lines->arena, sum->service, &line->service);
}

int bill_lines_add(struct bill_lines *lines, const struct store_sum *sum)
{
    int rc = make_room(lines);
    if (rc < 0) {
        return rc;
    }
    struct bill_line **slot = find(lines->slots, lines->n_slots, sum->service, sum->price);
    if (*slot == NULL) {
        rc = open_line(lines, sum, slot);
        if (rc < 0) {
            return rc;
        }
    }
    struct bill_line *line = *slot;
    line->records += sum->records;
    line->voided += sum->voided;
    line->late += sum->late;
    rc = amount_add(&line->units, sum->units);
    return rc < 0 ? rc : amount_add(&line->exact, sum->amount);
}

int bill_line_compare(struct slice service_a, struct decimal price_a, struct slice service_b,
                      struct decimal price_b)
{
    int order = slice_compare(service_a, service_b);
    return order != 0 ? order : decimal_compare(price_a, price_b);
}

static int compare_lines(const void *a, const void *b)
{
    const struct bill_line *line_a = *(struct bill_line *const *)a;
    const struct bill_line *line_b = *(struct bill_line *const *)b;
    return bill_line_compare(line_a->service, line_a->price, line_b->service, line_b->price);
}

int bill_lines_sort(struct bill_lines *lines, struct bill_line ***ret_sorted)
{
    size_t n = 0;
    struct bill_line **sorted = arena_alloc_array(lines->arena, lines->n + 1, sizeof *sorted);
    if (sorted == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; i < lines->n_slots; i++) {
        if (lines->slots[i] != NULL) {
            sorted[n++] = lines->slots[i];
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_lines);
    *ret_sorted = sorted;
    return 0;
}
