#include <stdlib.h>

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/row_sort.h"
#include "billingd/store/lmdb/run.h"

enum {
    RECORDS_FIRST = 64,       /* room to begin with */
    RECORDS_KEPT = 16 * 1024, /* room to keep: some 6 MiB */
    RECORDS_BOUND = 1u << 29, /* beyond any memory; its slots still have a number */
    SUMS_A_RECORD = 2,        /* at most */
    SLOTS_A_RECORD = 4,       /* at least twice as many */
    FINGERPRINT_BYTES = 4,    /* tell all but some of a billion pairs apart */
    WORD_BYTES = 8,
};

static_assert(sizeof(struct request_row) == sizeof(struct row_words) &&
                  sizeof(struct place_row) == sizeof(struct row_words),
              "they are sorted as words");

void run_builder_init(struct run_builder *builder, uint64_t id_key)
{
    *builder = (struct run_builder){.id_key = id_key, .first_seq = 1, .round = 1};
}

void run_builder_done(struct run_builder *builder)
{
    free(builder->requests);
    free(builder->usage);
    free(builder->late);
    free(builder->sums);
    free(builder->slots);
    run_builder_init(builder, builder->id_key);
}

void run_builder_reset(struct run_builder *builder, uint64_t first_seq)
{
    if (builder->records_max > RECORDS_KEPT || builder->round == UINT32_MAX) {
        run_builder_done(builder);
    }
    builder->round++;
    builder->first_seq = first_seq;
    builder->last_seq = first_seq - 1;
    builder->n_requests = 0;
    builder->n_usage = 0;
    builder->n_late = 0;
    builder->n_sums = 0;
}

uint64_t run_builder_count(const struct run_builder *builder)
{
    return builder->last_seq + 1 - builder->first_seq;
}

/* --- sums ------------------------------------------------------------------------------------- */

/* The slot of the sum that is the same as ROW, or the free one where it would be. */
static struct run_sum_slot *find_slot(const struct run_builder *builder, const struct sum_row *row)
{
    size_t mask = builder->records_max * SLOTS_A_RECORD - 1;
    size_t at = XXH3_64bits_withSeed(row, SUM_ROW_KEY_BYTES, builder->id_key) & mask;
    while (builder->slots[at].round == builder->round &&
           !sum_row_same(&builder->sums[builder->slots[at].at], row)) {
        at = (at + 1) & mask;
    }
    return &builder->slots[at];
}

static int add_sum(struct run_builder *builder, const struct sum_row *row)
{
    struct run_sum_slot *slot = find_slot(builder, row);
    if (slot->round == builder->round) {
        return sum_row_add(&builder->sums[slot->at], row);
    }
    *slot = (struct run_sum_slot){.round = builder->round, .at = (uint32_t)builder->n_sums};
    builder->sums[builder->n_sums++] = *row;
    return 0;
}

/* --- room ------------------------------------------------------------------------------------- */

/* *ARRAY, on the heap, with room for BYTES.  Where there is no memory it stays as it was. */
static int resize(void **array, size_t bytes)
{
    void *moved = realloc(*array, bytes);
    if (moved == NULL) {
        return STATUS_NO_MEMORY;
    }
    *array = moved;
    return 0;
}

static int resize_slots(struct run_builder *builder, size_t records_max)
{
    struct run_sum_slot *slots = calloc(records_max, SLOTS_A_RECORD * sizeof *slots);
    if (slots == NULL) {
        return STATUS_NO_MEMORY;
    }
    free(builder->slots);
    builder->slots = slots;
    builder->records_max = records_max;
    for (size_t i = 0; i < builder->n_sums; i++) {
        *find_slot(builder, &builder->sums[i]) =
            (struct run_sum_slot){.round = builder->round, .at = (uint32_t)i};
    }
    return 0;
}

/* Room for one record more. */
static int make_room(struct run_builder *builder)
{
    size_t max = builder->records_max == 0 ? RECORDS_FIRST : builder->records_max * 2;
    if (run_builder_count(builder) < builder->records_max) {
        return 0;
    }
    if (max > RECORDS_BOUND ||
        resize((void **)&builder->requests, max * sizeof *builder->requests) < 0 ||
        resize((void **)&builder->usage, max * sizeof *builder->usage) < 0 ||
        resize((void **)&builder->late, max * sizeof *builder->late) < 0 ||
        resize((void **)&builder->sums, max * SUMS_A_RECORD * sizeof *builder->sums) < 0) {
        return STATUS_NO_MEMORY;
    }
    return resize_slots(builder, max);
}

/* --- adding a record -------------------------------------------------------------------------- */

static void add_request(struct run_builder *builder, const struct record *record)
{
    struct store_key key = {record_scope(record), record->request_id};
    if (key.request_id.length > 0) {
        struct request_row *row = &builder->requests[builder->n_requests++];
        row_fingerprint(key, builder->id_key, &row->high, &row->low);
        row->seq = record->seq;
    }
}

static void add_places(struct run_builder *builder, const struct record *record)
{
    const struct usage *usage = &record->usage;
    bool late = usage->bills_at_us != usage->occurred_at_us;
    struct place_row row = {
        .customer = usage->customer,
        .time_us = usage->occurred_at_us,
        .seq_late = record->seq << 1 | late,
    };
    builder->usage[builder->n_usage++] = row;
    if (late) {
        row.time_us = usage->bills_at_us;
        builder->late[builder->n_late++] = row;
    }
}

int run_builder_add(struct run_builder *builder, const struct record *record,
                    const struct record *voided)
{
    struct sum_row sums[SUMS_A_RECORD];
    unsigned n_sums = 0;
    const struct record *used = record->kind == RECORD_USAGE_VOIDED ? voided : record;
    REQUIRE(record->seq == builder->last_seq + 1);
    int rc = make_room(builder);
    if (rc == 0 && (record->kind == RECORD_USAGE || record->kind == RECORD_USAGE_VOIDED)) {
        REQUIRE(used != NULL && used->kind == RECORD_USAGE);
        rc = sum_rows_of(record, &used->usage, used->seq, builder->id_key, sums, &n_sums);
    }
    for (unsigned i = 0; i < n_sums && rc == 0; i++) {
        rc = add_sum(builder, &sums[i]);
    }
    if (rc < 0) {
        return rc;
    }
    add_request(builder, record);
    if (record->kind == RECORD_USAGE) {
        add_places(builder, record);
    }
    builder->last_seq = record->seq;
    return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Room for sorting what is largest: the sums need two of it. */
static struct row_words *allocate_scratch(const struct run_builder *builder)
{
    size_t n = larger(larger(builder->n_requests, builder->n_usage),
                      larger(builder->n_late, builder->n_sums * 2));
    return malloc(larger(n, 1) * sizeof(struct row_words));
}

/* *RET_SORTED: N rows, sorted, on the heap; NULL for none. */
static int copy_sorted(const void *rows, size_t n, unsigned leading_bytes,
                       struct row_words *scratch, void **ret_sorted)
{
    if (n == 0) {
        return 0;
    }
    *ret_sorted = malloc(n * sizeof(struct row_words));
    if (*ret_sorted == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(*ret_sorted, rows, n * sizeof(struct row_words));
    row_sort(*ret_sorted, scratch, n, leading_bytes);
    return 0;
}

/* What sums are sorted by: large as they are, they move once.  The last word points to the sum; the
 * two before it have the order as far as they have room for it. */
static struct row_words sum_words(const struct sum_row *sum)
{
    return (struct row_words){
        {sum->customer, (uint64_t)sum->hour << 32 | sum->service_high >> 32, (uintptr_t)sum}};
}

static const struct sum_row *sum_at(const struct row_words *words)
{
    return (const struct sum_row *)(uintptr_t)words->word[2];
}

static int compare_sums(const void *a, const void *b)
{
    return sum_row_compare(sum_at(a), sum_at(b));
}

/* Sort those again that are equal in what the words have room for: the prices of a service. */
static void sort_equal(struct row_words *words, size_t n)
{
    for (size_t first = 0, behind = 1; first < n; first = behind++) {
        while (behind < n && words[behind].word[0] == words[first].word[0] &&
               words[behind].word[1] == words[first].word[1]) {
            behind++;
        }
        if (behind - first > 1) {
            qsort(&words[first], behind - first, sizeof *words, compare_sums);
        }
    }
}

static int copy_sums(const struct run_builder *builder, struct row_words *scratch, struct run *run)
{
    size_t n = builder->n_sums;
    if (n == 0) {
        return 0;
    }
    run->sums = malloc(n * sizeof *run->sums);
    if (run->sums == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        scratch[i] = sum_words(&builder->sums[i]);
    }
    row_sort(scratch, scratch + n, n, 2 * WORD_BYTES);
    sort_equal(scratch, n);
    for (size_t i = 0; i < n; i++) {
        run->sums[i] = *sum_at(&scratch[i]);
    }
    run->n_sums = n;
    return 0;
}

static int fill(struct run *run, const struct run_builder *builder, struct row_words *scratch)
{
    if (scratch == NULL ||
        copy_sorted(builder->requests, builder->n_requests, FINGERPRINT_BYTES, scratch,
                    (void **)&run->requests) < 0 ||
        copy_sorted(builder->usage, builder->n_usage, 2 * WORD_BYTES, scratch,
                    (void **)&run->usage) < 0 ||
        copy_sorted(builder->late, builder->n_late, 2 * WORD_BYTES, scratch, (void **)&run->late) <
            0) {
        return STATUS_NO_MEMORY;
    }
    run->n_requests = builder->n_requests;
    run->n_usage = builder->n_usage;
    run->n_late = builder->n_late;
    return copy_sums(builder, scratch, run);
}

int run_build(struct run_builder *builder, struct run **ret_run)
{
    REQUIRE(run_builder_count(builder) > 0);
    struct run *run = run_create(builder->first_seq, builder->last_seq);
    if (run == NULL) {
        return STATUS_NO_MEMORY;
    }
    struct row_words *scratch = allocate_scratch(builder);
    int rc = fill(run, builder, scratch);
    free(scratch);
    if (rc < 0) {
        run_release(run);
        return rc;
    }
    *ret_run = run;
    return 0;
}
