/* Rows as bytes that take little room on disk: each by what it differs in from the one before it,
 * in numbers as short as they are small.  What is unpacked is what was packed, in any order of
 * rows, but for `unused` members, which become 0; in the order of their table they take a third.
 *
 * Of a sum most is the same in many rows, though not in the one before: what has a service, a
 * price, clocks.  Those are kept, the last of each in a place that a hash of it says, and a row
 * names the place.
 *
 * Pure; one packing in one thread at a time. */
#pragma once

#include "billingd/store/lmdb/rows.h"
#include "billingd/store/lmdb/segment.h"

enum {
    ROW_PACK_BYTES_MAX = 96, /* of one row */
    ROW_PACK_KINDS = 256,    /* of sums that are remembered: the number of one takes a byte */
};

/* How far rows are packed, or unpacked. */
struct row_packing {
    enum segment_table table;
    union {
        struct request_row request;
        struct place_row place;
        struct sum_row sum;
    } last;
    struct sum_kind {
        uint64_t service_high;
        uint64_t service_low;
        int64_t price_mantissa;
        uint64_t customer; /* of the last row of the kind, */
        uint64_t named_by; /* and what it takes the name of the service from */
        int8_t price_scale;
        uint8_t clocks;
        int8_t units_scale; /* likewise */
    } kinds[ROW_PACK_KINDS];
};

/* Ready *PACKING for the first row of TABLE, which is none of filters. */
void row_pack_begin(struct row_packing *packing, enum segment_table table);

/* Pack ROW to BYTES, which have room for ROW_PACK_BYTES_MAX.  Returns how many it took. */
size_t row_pack(struct row_packing *packing, const void *row, uint8_t *bytes);

/* Let ROW, a sum, take the name of its service from the record that the last of its kind and
 * customer does: any record of that service has it, and one is shorter to say. */
void row_pack_share_name(const struct row_packing *packing, struct sum_row *row);

/* Unpack N rows of TABLE out of the LENGTH bytes at BYTES, behind which there may be more than they
 * take.  Fills RET_ROWS.  Returns 0, or STATUS_CORRUPT where it is none that was packed. */
MUSTCHECK int row_unpack(enum segment_table table, const uint8_t *bytes, size_t length, size_t n,
                         void *ret_rows);
