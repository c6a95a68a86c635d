#include "billingd/store/lmdb/verify_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEPS_BETWEEN_CALLS = 4096,
    TEXT_BYTES = 768,
    HOLES_FIRST = 16,
};

static int tell(struct verify *verify, enum store_fault fault, struct verify_place place,
                const char *text)
{
    struct store_finding finding = {
        .fault = fault,
        .table = place.table,
        .seq = place.seq,
        .segment = place.segment,
        .chunk = place.chunk,
        .rows = place.rows == 0 ? 1 : place.rows,
        .text = text,
    };
    verify->result.findings++;
    return verify->how->finding_cb(&finding, verify->how->arg);
}

int verify_found(struct verify *verify, enum store_fault fault, struct verify_place place,
                 const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    IGNORE(vsnprintf(text, sizeof text, format, arguments) < 0); /* cut is fine */
    va_end(arguments);
    return tell(verify, fault, place, text);
}

int verify_found_row(struct verify *verify, enum store_fault fault, enum env_table table,
                     uint64_t seq, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    struct verify_place place = {.table = env_table_name(table), .seq = seq, .chunk = -1};
    va_start(arguments, format);
    IGNORE(vsnprintf(text, sizeof text, format, arguments) < 0); /* cut is fine */
    va_end(arguments);
    verify->suspect[table] |= fault == STORE_MISSING;
    return tell(verify, fault, place, text);
}

int verify_step(struct verify *verify, uint64_t steps)
{
    verify->done += steps;
    verify->since++;
    if (verify->since < STEPS_BETWEEN_CALLS) {
        return 0;
    }
    verify->since = 0;
    /* Damage may make more of a table than there should be. */
    uint64_t done = verify->done < verify->all ? verify->done : verify->all;
    return verify->how->progress_cb(done, verify->all, verify->how->arg);
}

/* --- what cannot be read ---------------------------------------------------------------------- */

int verify_add_hole(struct verify *verify, uint64_t first_seq, uint64_t last_seq)
{
    if (verify->n_holes > 0 && verify->holes[verify->n_holes - 1].first_seq == last_seq + 1) {
        verify->holes[verify->n_holes - 1].first_seq = first_seq;
        return 0;
    }
    if (verify->n_holes == verify->holes_max) {
        size_t max = verify->holes_max == 0 ? HOLES_FIRST : verify->holes_max * 2;
        struct verify_hole *holes = realloc(verify->holes, max * sizeof *holes);
        if (holes == NULL) {
            return STATUS_NO_MEMORY;
        }
        verify->holes = holes;
        verify->holes_max = max;
    }
    verify->holes[verify->n_holes] = (struct verify_hole){first_seq, last_seq};
    verify->n_holes++;
    return 0;
}

bool verify_has_hole(const struct verify *verify, uint64_t first_seq, uint64_t last_seq)
{
    size_t low = 0; /* the first hole that begins at LAST_SEQ or before it: the last such */
    size_t high = verify->n_holes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (verify->holes[middle].first_seq > last_seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < verify->n_holes && verify->holes[low].last_seq >= first_seq;
}

bool verify_is_hole(const struct verify *verify, uint64_t seq)
{
    return verify_has_hole(verify, seq, seq);
}
