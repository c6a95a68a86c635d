#include "billingd/store/lmdb/verify.h"

#include <stdlib.h>

#include "billingd/base/random.h"
#include "billingd/store/lmdb/verify_api_keys.h"
#include "billingd/store/lmdb/verify_customers.h"
#include "billingd/store/lmdb/verify_journal.h"
#include "billingd/store/lmdb/verify_rows.h"
#include "billingd/store/lmdb/verify_segments.h"
#include "billingd/store/lmdb/verify_services.h"
#include "billingd/store/lmdb/verify_tables.h"

/* How many steps it will take: each record is read twice, each row once, and those of request ids
 * a second time. */
static uint64_t count_steps(const struct verify *verify)
{
    const struct view_rows *rows = &verify->view->rows;
    uint64_t steps = 2 * verify->last_seq;
    for (size_t i = 0; i < rows->segments.n; i++) {
        const struct segment *segment = &rows->segments.segments[i];
        for (enum segment_table table = SEGMENT_REQUESTS; table <= SEGMENT_SUMS; table++) {
            steps += segment_count(segment, table);
        }
        steps += segment->n_requests;
    }
    for (size_t i = 0; i < rows->list->n; i++) {
        const struct run *run = rows->list->runs[i];
        if (view_rows_has(rows, run)) {
            steps += 2 * run->n_requests + run->n_usage + run->n_late + run->n_sums;
        }
    }
    return steps;
}

static int check_all(struct verify *verify)
{
    int rc = verify_manifest(verify);
    if (rc == 0) {
        rc = verify_journal(verify);
    }
    if (rc == 0) {
        rc = verify_tables_end(verify);
    }
    if (rc == 0) {
        rc = verify_rows(verify);
    }
    return rc < 0 ? rc : verify->how->progress_cb(verify->all, verify->all, verify->how->arg);
}

static int check_with_cursor(struct verify *verify)
{
    const struct lmdb_view *view = verify->view;
    int rc =
        env_status(mdb_cursor_open(view->txn, view->env->tables[ENV_JOURNAL], &verify->journal));
    if (rc == 0) {
        rc = check_all(verify);
        mdb_cursor_close(verify->journal);
    }
    return rc;
}

/* Whatever is read of the head is to be in order. */
static int sort_head(struct verify *verify)
{
    int rc = 0;
    const struct view_rows *rows = &verify->view->rows;
    for (size_t i = 0; i < rows->list->n && rc == 0; i++) {
        struct run *run = rows->list->runs[i];
        rc = view_rows_has(rows, run) ? run_sort(run) : 0;
    }
    return rc;
}

int verify_run(struct store_view *view, const struct store_verify *how, struct store_verified *ret)
{
    struct verify verify = {.view = (struct lmdb_view *)view, .how = how}; /* its first member */
    random_bytes(&verify.seed, sizeof verify.seed);
    int rc = verify_journal_end(&verify);
    if (rc == 0) {
        rc = sort_head(&verify);
    }
    if (rc < 0) {
        return rc;
    }
    verify.all = count_steps(&verify);
    verify.customers = verify_customers_create(&verify);
    verify.services = verify_services_create();
    verify.api_keys = verify_api_keys_create(&verify);
    bool has_memory =
        verify.customers != NULL && verify.services != NULL && verify.api_keys != NULL;
    rc = has_memory ? check_with_cursor(&verify) : STATUS_NO_MEMORY;
    verify_customers_destroy(verify.customers);
    verify_services_destroy(verify.services);
    verify_api_keys_destroy(verify.api_keys);
    free(verify.holes);
    if (rc == 0) {
        *ret = verify.result;
    }
    return rc;
}
