#include "billingd/store/lmdb/request_table.h"

#include <stdlib.h>

#include "billingd/base/assert.h"

enum {
    FIRST_SLOTS = 64,
};

static const uint64_t REACH = UINT64_C(1) << 31;

void request_table_init(struct request_table *table)
{
    *table = (struct request_table){0};
}

void request_table_done(struct request_table *table)
{
    free(table->slots);
    request_table_init(table);
}

void request_table_clear(struct request_table *table, size_t bytes_kept)
{
    if (table->n_slots * sizeof *table->slots > bytes_kept) {
        request_table_done(table);
    } else if (table->n > 0) {
        memset(table->slots, 0, table->n_slots * sizeof *table->slots);
        table->n = 0;
    }
}

/* How many it holds before it grows: at five eighths a search for what is not there takes four
 * steps, and a table for a power of two takes a quarter more. */
static size_t room_of(size_t n_slots)
{
    return n_slots / 8 * 5;
}

/* Where what has this TAG is, or in a slot behind it. */
static size_t home(const struct request_table *table, uint32_t tag)
{
    return tag & (table->n_slots - 1);
}

static void insert(struct request_table *table, struct request_slot slot)
{
    size_t at = home(table, slot.tag);
    while (table->slots[at].offset != 0) {
        at = (at + 1) & (table->n_slots - 1);
    }
    table->slots[at] = slot;
}

static int resize(struct request_table *table, size_t n_slots)
{
    struct request_table larger = {.n_slots = n_slots, .n = table->n, .base = table->base};
    if (n_slots - 1 > UINT32_MAX) { /* nor would the seqs be within reach */
        return STATUS_NO_MEMORY;
    }
    larger.slots = calloc(n_slots, sizeof *larger.slots);
    if (larger.slots == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < table->n_slots; i++) {
        if (table->slots[i].offset != 0) {
            insert(&larger, table->slots[i]);
        }
    }
    free(table->slots);
    *table = larger;
    return 0;
}

int request_table_reserve(struct request_table *table, size_t n)
{
    size_t n_slots = table->n_slots > 0 ? table->n_slots : FIRST_SLOTS;
    if (n > SIZE_MAX / 4 - table->n) { /* its slots have no number; nor is there such a memory */
        return STATUS_NO_MEMORY;
    }
    while (room_of(n_slots) < table->n + n) {
        n_slots *= 2;
    }
    return n_slots > table->n_slots ? resize(table, n_slots) : 0;
}

void request_table_add(struct request_table *table, struct request_row row)
{
    REQUIRE(row.seq != 0 && table->n < room_of(table->n_slots));
    if (table->n == 0) {
        table->base = row.seq - REACH; /* wraps, and back again */
    }
    uint64_t offset = row.seq - table->base;
    REQUIRE(offset > 0 && offset <= UINT32_MAX);
    insert(table, (struct request_slot){(uint32_t)row.low, (uint32_t)offset});
    table->n++;
}

/* Free the slot AT, and move into it what would not be found any more with a gap before it. */
static void close_gap(struct request_table *table, size_t at)
{
    size_t mask = table->n_slots - 1;
    for (size_t next = (at + 1) & mask; table->slots[next].offset != 0; next = (next + 1) & mask) {
        size_t distance = (next - home(table, table->slots[next].tag)) & mask;
        if (distance >= ((next - at) & mask)) {
            table->slots[at] = table->slots[next];
            at = next;
        }
    }
    table->slots[at].offset = 0;
}

void request_table_remove(struct request_table *table, struct request_row row)
{
    size_t at = SIZE_MAX;
    uint64_t seq = request_table_next(table, row.low, &at);
    while (seq != 0 && seq != row.seq) {
        seq = request_table_next(table, row.low, &at);
    }
    if (seq != 0) {
        close_gap(table, at);
        table->n--;
    }
}

uint64_t request_table_next(const struct request_table *table, uint64_t low, size_t *at)
{
    if (table->n == 0) {
        return 0;
    }
    uint32_t tag = (uint32_t)low;
    size_t mask = table->n_slots - 1;
    size_t slot = *at == SIZE_MAX ? home(table, tag) : (*at + 1) & mask;
    for (; table->slots[slot].offset != 0; slot = (slot + 1) & mask) {
        if (table->slots[slot].tag == tag) {
            *at = slot;
            return table->base + table->slots[slot].offset;
        }
    }
    return 0;
}

void request_table_prefetch(const struct request_table *table, uint64_t low)
{
    if (table->n_slots > 0) {
        __builtin_prefetch(&table->slots[home(table, (uint32_t)low)]);
    }
}
