/* Rows: what the engine derives from the records of the journal, so that it finds them again.
 *
 * Fixed in size and sorted, in arrays in memory (run.h); in chunks on disk (segment.h) they are
 * packed (row_pack.h), and in those of older stores lie as they do in memory.  The journal is the
 * truth: all of this can be made again.
 *
 * Pure; any thread. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "billingd/store/sum.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are stored as they lie in memory");

/* Which record was made under a request id.  By fingerprint, then seq. */
struct request_row {
    uint64_t high; /* fingerprint of scope and request id, keyed by the store */
    uint64_t low;
    uint64_t seq;
};

/* Where a usage record stands in time: by occurred_at in one array, and those that came late by
 * bills_at in another.  By customer, time (of which none is negative), then seq. */
struct place_row {
    uint64_t customer;
    int64_t time_us;
    uint64_t seq_late; /* seq << 1, and 1 where it came late */
};

static inline uint64_t place_row_seq(const struct place_row *row)
{
    return row->seq_late >> 1;
}

static inline bool place_row_is_late(const struct place_row *row)
{
    return (row->seq_late & 1) != 0;
}

/* By which clocks a sum counts. */
enum {
    SUM_BY_OCCURRED = 1 << STORE_BY_OCCURRED,
    SUM_BY_BILLED = 1 << STORE_BY_BILLED,
};

/* What a customer used of a service at a price in an hour, less what was voided.  By customer,
 * hour, service, price, then clocks: what lies before `units_scale`.  Several may be equal in that:
 * as many as it takes for what they add up to fit.
 *
 * What it costs is units x price, exactly, since all have one price. */
struct sum_row {
    uint64_t customer;
    uint64_t service_high; /* hash of the service's name, keyed by the store */
    uint64_t service_low;
    int64_t price_mantissa;
    uint32_t hour; /* since 1970 */
    int8_t price_scale;
    uint8_t clocks; /* SUM_BY_*: both where the two hours are one */
    int8_t units_scale;
    uint8_t unused;
    uint64_t named_by;  /* seq of a usage record of that service: it has the name */
    uint64_t units_low; /* with units_high, 80 bits of a mantissa: x 10^-units_scale */
    int16_t units_high;
    uint16_t records;
    uint16_t voided;
    uint16_t late;
};

enum {
    SUM_ROW_KEY_BYTES = offsetof(struct sum_row, units_scale),
};

static_assert(sizeof(struct request_row) == 24 && sizeof(struct place_row) == 24 &&
                  sizeof(struct sum_row) == 64 && SUM_ROW_KEY_BYTES == 38,
              "rows are stored: no padding, none of another size");

/* The keyed fingerprint of KEY.  Two keys may have the same one: what it leads to is to be checked.
 * *RET_HIGH and *RET_LOW. */
void row_fingerprint(struct store_key key, uint64_t id_key, uint64_t *ret_high, uint64_t *ret_low);

/* The hash of the name of a service, keyed by the store. */
void row_service_hash(struct slice service, uint64_t id_key, uint64_t *ret_high, uint64_t *ret_low);

/* The order of two rows: below 0, 0 or above 0 as A belongs before B, is equal to it or belongs
 * behind it.  Here in full, for what is called for every row. */
static inline int request_row_compare(const struct request_row *a, const struct request_row *b)
{
    if (a->high != b->high) {
        return a->high < b->high ? -1 : 1;
    }
    if (a->low != b->low) {
        return a->low < b->low ? -1 : 1;
    }
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* The same of places. */
static inline int place_row_compare(const struct place_row *a, const struct place_row *b)
{
    if (a->customer != b->customer) {
        return a->customer < b->customer ? -1 : 1;
    }
    if (a->time_us != b->time_us) {
        return a->time_us < b->time_us ? -1 : 1;
    }
    return (a->seq_late > b->seq_late) - (a->seq_late < b->seq_late);
}

/* The same of sums. */
int sum_row_compare(const struct sum_row *a, const struct sum_row *b);

/* The same of any two rows of a kind, for qsort() and the like. */
int request_row_order(const void *a, const void *b);
int place_row_order(const void *a, const void *b);
int sum_row_order(const void *a, const void *b);

/* Whether sum_row_compare() would return 0. */
static inline bool sum_row_same(const struct sum_row *a, const struct sum_row *b)
{
    return memcmp(a, b, SUM_ROW_KEY_BYTES) == 0;
}

/* *SUM += ROW, which is the same by sum_row_same().  Returns whether it fits; if not, *SUM is as it
 * was. */
bool sum_row_add(struct sum_row *sum, const struct sum_row *row);

/* The units of ROW and what they cost.  Return 0, or STATUS_CORRUPT for what no records add up
 * to. */
MUSTCHECK int sum_row_amounts(const struct sum_row *row, struct amount *ret_units,
                              struct amount *ret_amount);

/* The rows that RECORD, a usage (USAGE is &RECORD->usage, USAGE_SEQ its seq) or a void (of that
 * usage), adds to the sums: returns how many, 1 or 2. */
unsigned sum_rows_of(const struct record *record, const struct usage *usage, uint64_t usage_seq,
                     uint64_t id_key, struct sum_row ret[2]);
