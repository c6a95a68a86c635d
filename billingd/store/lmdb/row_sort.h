/* Sorting rows of three words: struct request_row, struct place_row, and whatever is made to look
 * like them.
 *
 * Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct row_words {
    uint64_t word[3];
};

/* Sort N rows at ROWS by their words, the first first, as numbers without a sign.  SCRATCH has room
 * for as many.
 *
 * The LEADING_BYTES (1 to 16, from the highest of the first word) tell apart all rows but some that
 * come in order already or are few: time grows with N times as many of these bytes as differ, and
 * with the square of how many rows are equal in them and not in order. */
void row_sort(struct row_words *rows, struct row_words *scratch, size_t n, unsigned leading_bytes);
