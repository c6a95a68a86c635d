#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/run.h"

enum {
    RECORDS_FIRST = 64,       /* room to begin with */
    RECORDS_KEPT = 16 * 1024, /* room to keep: some 3 MiB */
    RECORDS_BOUND = 1u << 29, /* beyond any memory */
    SUMS_A_RECORD = 2,        /* at most */
};

void run_builder_init(struct run_builder *builder, uint64_t id_key)
{
    *builder = (struct run_builder){.id_key = id_key, .first_seq = 1};
}

void run_builder_done(struct run_builder *builder)
{
    free(builder->requests);
    free(builder->usage);
    free(builder->late);
    free(builder->sums);
    run_builder_init(builder, builder->id_key);
}

void run_builder_reset(struct run_builder *builder, uint64_t first_seq)
{
    if (builder->records_max > RECORDS_KEPT) {
        run_builder_done(builder);
    }
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
    builder->records_max = max;
    return 0;
}

/* --- adding a record -------------------------------------------------------------------------- */

bool run_builder_request(const struct run_builder *builder, const struct record *record,
                         struct request_row *ret)
{
    struct store_key key = {record_scope(record), record->request_id};
    if (key.request_id.length == 0) {
        return false;
    }
    row_fingerprint(key, builder->id_key, &ret->high, &ret->low);
    ret->seq = record->seq;
    return true;
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
                    const struct request_row *request, const struct record *voided)
{
    const struct record *used = record->kind == RECORD_USAGE_VOIDED ? voided : record;
    REQUIRE(record->seq == builder->last_seq + 1);
    int rc = make_room(builder);
    if (rc < 0) {
        return rc;
    }
    if (record->kind == RECORD_USAGE || record->kind == RECORD_USAGE_VOIDED) {
        REQUIRE(used != NULL && used->kind == RECORD_USAGE);
        builder->n_sums += sum_rows_of(record, &used->usage, used->seq, builder->id_key,
                                       &builder->sums[builder->n_sums]);
    }
    if (request != NULL) {
        builder->requests[builder->n_requests++] = *request;
    }
    if (record->kind == RECORD_USAGE) {
        add_places(builder, record);
    }
    builder->last_seq = record->seq;
    return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

/* *RET: a copy of N rows of BYTES at ROWS, on the heap; NULL for none. */
static int copy(const void *rows, size_t n, size_t bytes, void **ret)
{
    if (n == 0) {
        return 0;
    }
    *ret = malloc(n * bytes);
    if (*ret == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(*ret, rows, n * bytes);
    return 0;
}

static int fill(struct run *run, const struct run_builder *builder)
{
    run->n_requests = builder->n_requests;
    run->n_usage = builder->n_usage;
    run->n_late = builder->n_late;
    run->n_sums = builder->n_sums;
    int rc =
        copy(builder->requests, run->n_requests, sizeof *run->requests, (void **)&run->requests);
    if (rc == 0) {
        rc = copy(builder->usage, run->n_usage, sizeof *run->usage, (void **)&run->usage);
    }
    if (rc == 0) {
        rc = copy(builder->late, run->n_late, sizeof *run->late, (void **)&run->late);
    }
    return rc < 0 ? rc : copy(builder->sums, run->n_sums, sizeof *run->sums, (void **)&run->sums);
}

int run_build(struct run_builder *builder, struct run **ret_run)
{
    REQUIRE(run_builder_count(builder) > 0);
    struct run *run = run_create(builder->first_seq, builder->last_seq);
    int rc = run == NULL ? STATUS_NO_MEMORY : fill(run, builder);
    if (rc < 0) {
        run_release(run);
        return rc;
    }
    atomic_store_explicit(&run->sorted, false, memory_order_relaxed); /* nobody else has it yet */
    *ret_run = run;
    return 0;
}
