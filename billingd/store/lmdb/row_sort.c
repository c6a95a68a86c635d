/* Radix sort, from the last byte that counts to the first: stable, and one pass over the rows for
 * each byte.  A byte that is the same in all rows takes none, so that small customers and near
 * times cost what they differ by.  Sorting by comparison would mispredict every other branch. */
#include "billingd/store/lmdb/row_sort.h"

#include <stdbool.h>
#include <string.h>

enum {
    BYTES = 8, /* of a word */
    VALUES = 256,
    FEW = 64, /* rows that are sorted sooner by insertion */
};

static inline bool before(const struct row_words *a, const struct row_words *b)
{
    if (a->word[0] != b->word[0]) {
        return a->word[0] < b->word[0];
    }
    if (a->word[1] != b->word[1]) {
        return a->word[1] < b->word[1];
    }
    return a->word[2] < b->word[2];
}

static void sort_by_insertion(struct row_words *rows, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct row_words row = rows[i];
        size_t at = i;
        for (; at > 0 && before(&row, &rows[at - 1]); at--) {
            rows[at] = rows[at - 1];
        }
        rows[at] = row;
    }
}

static inline size_t byte_of(const struct row_words *row, unsigned byte)
{
    return (uint8_t)(row->word[byte / BYTES] >> (8 * (BYTES - 1 - byte % BYTES)));
}

/* In which bits of the first two words any two rows differ. */
static struct row_words differing_bits(const struct row_words *rows, size_t n)
{
    struct row_words bits = {{0}};
    for (size_t i = 1; i < n; i++) {
        bits.word[0] |= rows[i].word[0] ^ rows[0].word[0];
        bits.word[1] |= rows[i].word[1] ^ rows[0].word[1];
    }
    return bits;
}

/* The rows of FROM into TO by one of their bytes, those that are equal in it as they were. */
static void spread(const struct row_words *from, struct row_words *to, size_t n, unsigned byte)
{
    size_t places[VALUES] = {0};
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        places[byte_of(&from[i], byte)]++;
    }
    for (size_t i = 0; i < VALUES; i++) {
        size_t count = places[i];
        places[i] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++) {
        to[places[byte_of(&from[i], byte)]++] = from[i];
    }
}

static void sort_by_bytes(struct row_words *rows, struct row_words *scratch, size_t n,
                          unsigned leading_bytes)
{
    struct row_words differing = differing_bits(rows, n);
    struct row_words *from = rows;
    struct row_words *to = scratch;
    for (unsigned byte = leading_bytes; byte-- > 0;) {
        if (byte_of(&differing, byte) != 0) {
            spread(from, to, n, byte);
            to = from;
            from = to == rows ? scratch : rows;
        }
    }
    if (from != rows) {
        memcpy(rows, from, n * sizeof *rows);
    }
}

void row_sort(struct row_words *rows, struct row_words *scratch, size_t n, unsigned leading_bytes)
{
    if (n > FEW) {
        sort_by_bytes(rows, scratch, n, leading_bytes);
    }
    sort_by_insertion(rows, n);
}
