#include "billingd/store/sum.h"
#include "tests/lib/memory_rows.h"

/* --- reading ---------------------------------------------------------------------------------- */

int memory_info(struct store_view *view, struct store_info *ret)
{
    struct memory_view *v = memory_view_of(view);
    *ret = (struct store_info){.engine = "memory", .id_key = 42, .last_seq = v->n, .bytes = 4096};
    for (uint64_t seq = 1; seq <= v->n; seq++) {
        enum record_kind kind = memory_row(v, seq)->record.kind;
        ret->customers += kind == RECORD_CUSTOMER_CREATED;
        ret->usage += kind == RECORD_USAGE;
        ret->invoices += kind == RECORD_INVOICE;
        ret->api_keys += kind == RECORD_KEY_CREATED;
        ret->api_keys -= kind == RECORD_KEY_REVOKED;
    }
    return memory_pass_alone(v->memory, MEMORY_INFO);
}

static int give(struct memory_view *view, const struct row *row, struct record *ret)
{
    int rc = memory_pass_alone(view->memory, MEMORY_READ);
    if (rc < 0) {
        return rc;
    }
    if (row == NULL) {
        return STATUS_NOT_FOUND;
    }
    if (memory_is_damaged(view, row)) {
        view->damaged = row->record.seq;
        return STATUS_CORRUPT;
    }
    memory_lend_record(view, row, ret);
    return 0;
}

int memory_record(struct store_view *view, uint64_t seq, struct record *ret)
{
    return give(memory_view_of(view), memory_row(memory_view_of(view), seq), ret);
}

int memory_request(struct store_view *view, struct store_key key, struct record *ret)
{
    return give(memory_view_of(view), memory_find_request(memory_view_of(view), key), ret);
}

static int64_t billed_until(struct memory_view *view, uint64_t customer)
{
    const struct row *last =
        memory_find_last(view, RECORD_INVOICE, memory_is_of_customer, &customer);
    if (last != NULL) {
        return last->record.invoice.end_us;
    }
    pthread_mutex_lock(&view->memory->lock);
    int64_t time_us = view->memory->billed_customer == customer ? view->memory->billed_until_us : 0;
    pthread_mutex_unlock(&view->memory->lock);
    return time_us;
}

int memory_customer(struct store_view *view, uint64_t seq, struct store_customer *ret)
{
    struct memory_view *v = memory_view_of(view);
    const struct row *row = memory_row(v, seq);
    int rc = memory_pass_alone(v->memory, MEMORY_READ);
    if (rc < 0) {
        return rc;
    }
    if (row == NULL || row->record.kind != RECORD_CUSTOMER_CREATED) {
        return STATUS_NOT_FOUND;
    }
    if (memory_is_damaged(v, row)) {
        v->damaged = seq;
        return STATUS_CORRUPT;
    }
    struct slice name = row->record.customer_created.name;
    *ret = (struct store_customer){
        .seq = seq,
        .created_at_us = row->record.created_at_us,
        .updated_at_us = row->record.created_at_us,
        .billed_until_us = billed_until(v, seq),
    };
    const struct row *rename =
        memory_find_last(v, RECORD_CUSTOMER_RENAMED, memory_is_of_customer, &seq);
    if (rename != NULL) {
        name = rename->record.customer_renamed.name;
        ret->updated_at_us = rename->record.created_at_us;
    }
    ret->name = memory_lend(v, name);
    ret->external_id = memory_lend(v, row->record.customer_created.external_id);
    return 0;
}

int memory_external_id(struct store_view *view, struct slice external_id, uint64_t *ret_seq)
{
    const struct row *row = memory_find_external_id(memory_view_of(view), external_id);
    int rc = memory_pass_alone(memory_view_of(view)->memory, MEMORY_READ);
    if (rc < 0 || row == NULL) {
        return rc < 0 ? rc : STATUS_NOT_FOUND;
    }
    *ret_seq = row->record.seq;
    return 0;
}

static int end_of_scan(int rc)
{
    return rc == STORE_SCAN_STOP ? 0 : rc;
}

int memory_scan_customers(struct store_view *view, uint64_t after_seq, store_customer_fn row_cb,
                          void *arg)
{
    int rc = 0;
    for (uint64_t seq = after_seq + 1; seq <= memory_view_of(view)->n && rc == 0; seq++) {
        struct store_customer customer;
        rc = memory_customer(view, seq, &customer);
        rc = rc == STATUS_NOT_FOUND ? 0 : rc == 0 ? row_cb(&customer, arg) : rc;
    }
    return end_of_scan(rc);
}

struct place {
    struct store_position position;
    const struct row *row;
};

static int compare_places(const void *a, const void *b)
{
    const struct store_position *left = &((const struct place *)a)->position;
    const struct store_position *right = &((const struct place *)b)->position;
    if (left->time_us != right->time_us) {
        return left->time_us < right->time_us ? -1 : 1;
    }
    return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* The bit of KIND in the rows of a range; 0: it stands on no bill. */
static unsigned rows_bit(enum record_kind kind)
{
    return kind == RECORD_USAGE          ? STORE_USAGE
           : kind == RECORD_USAGE_VOIDED ? STORE_VOIDS
           : kind == RECORD_ADJUSTMENT   ? STORE_ADJUSTMENTS
                                         : 0;
}

/* What is in RANGE of the kinds in ROWS, sorted, in memory of its own. */
static size_t rows_in(struct memory_view *view, const struct store_range *range, unsigned rows,
                      struct place **ret_places)
{
    struct place *places = memory_need((view->n + 1) * sizeof *places);
    size_t n = 0;
    for (uint64_t seq = 1; seq <= view->n; seq++) {
        const struct row *row = memory_row(view, seq);
        int64_t occurred_at_us;
        int64_t bills_at_us;
        if ((rows_bit(row->record.kind) & rows) == 0 ||
            record_customer(&row->record) != range->customer ||
            !record_times(&row->record, &occurred_at_us, &bills_at_us)) {
            continue;
        }
        int64_t time_us = range->by == STORE_BY_BILLED ? bills_at_us : occurred_at_us;
        if (time_us >= range->start_us && time_us < range->end_us) {
            places[n++] = (struct place){{time_us, seq}, row};
        }
    }
    qsort(places, n, sizeof *places, compare_places);
    *ret_places = places;
    return n;
}

static int give_row(struct memory_view *view, const struct row *row, store_record_fn row_cb,
                    void *arg)
{
    struct record record;
    int rc = give(view, row, &record);
    return rc == 0 ? row_cb(&record, arg) : rc;
}

int memory_scan(struct store_view *view, const struct store_range *range, store_record_fn row_cb,
                void *arg)
{
    struct place after = {.position = range->after};
    bool from_start = range->after.time_us == 0 && range->after.seq == 0;
    struct place *places;
    size_t n = rows_in(memory_view_of(view), range, range->rows, &places);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (from_start || compare_places(&places[i], &after) > 0) {
            rc = give_row(memory_view_of(view), places[i].row, row_cb, arg);
        }
    }
    free(places);
    return end_of_scan(rc);
}

/* A position out of a record, for whoever wants no more. */
struct position_taker {
    enum store_clock by;
    store_position_fn row_cb;
    void *arg;
};

static int take_position(const struct record *record, void *arg)
{
    const struct position_taker *taker = arg;
    int64_t times_us[2]; /* by enum store_clock */
    memory_check(record_times(record, &times_us[STORE_BY_OCCURRED], &times_us[STORE_BY_BILLED]),
                 "what has no time was found by its time");
    return taker->row_cb((struct store_position){times_us[taker->by], record->seq}, taker->arg);
}

int memory_scan_positions(struct store_view *view, const struct store_range *range,
                          store_position_fn row_cb, void *arg)
{
    struct position_taker taker = {range->by, row_cb, arg};
    return memory_scan(view, range, take_position, &taker);
}

int memory_scan_journal(struct store_view *view, uint64_t after_seq, store_record_fn row_cb,
                        void *arg)
{
    int rc = 0;
    for (uint64_t seq = after_seq; seq < memory_view_of(view)->n && rc == 0; seq++) {
        rc = give_row(memory_view_of(view), memory_row(memory_view_of(view), seq + 1), row_cb, arg);
    }
    return end_of_scan(rc);
}

/* ROW and the usage that it is, or voids. */
static int give_sum(struct memory_view *view, const struct row *row, enum store_clock by,
                    store_sum_fn row_cb, void *arg)
{
    struct record record;
    struct record usage;
    struct store_sum sum;
    bool is_void = row->record.kind == RECORD_USAGE_VOIDED;
    int rc = give(view, row, &record);
    if (rc == 0) {
        rc = give(view, is_void ? memory_row(view, record.usage_voided.usage) : row, &usage);
    }
    if (rc < 0) {
        return rc;
    }
    memory_check(store_sum_of(&record, &usage.usage, by, &sum) == 0,
                 "an amount beyond its bound was appended");
    return row_cb(&sum, arg);
}

int memory_scan_sums(struct store_view *view, const struct store_range *range, store_sum_fn row_cb,
                     void *arg)
{
    struct place *places;
    size_t n = rows_in(memory_view_of(view), range, STORE_USAGE | STORE_VOIDS, &places);
    int rc = 0;
    for (size_t i = n; i > 0 && rc == 0; i--) {
        rc = give_sum(memory_view_of(view), places[i - 1].row, range->by, row_cb, arg);
    }
    free(places);
    return end_of_scan(rc);
}

uint64_t memory_damaged(struct store_view *view)
{
    return memory_view_of(view)->damaged;
}

int memory_void(struct store_view *view, uint64_t usage_seq, struct record *ret)
{
    return give(memory_view_of(view), memory_find_void(memory_view_of(view), usage_seq), ret);
}

int memory_invoice(struct store_view *view, uint64_t number, struct record *ret)
{
    const struct row *row =
        memory_find_last(memory_view_of(view), RECORD_INVOICE, memory_is_numbered, &number);
    return give(memory_view_of(view), row, ret);
}

int memory_scan_invoices(struct store_view *view, uint64_t customer, uint64_t after_number,
                         store_record_fn row_cb, void *arg)
{
    int rc = 0;
    for (uint64_t seq = 1; seq <= memory_view_of(view)->n && rc == 0; seq++) {
        const struct row *row = memory_find_kind(memory_view_of(view), seq, RECORD_INVOICE);
        if (row != NULL && row->record.invoice.number > after_number &&
            (customer == 0 || row->record.invoice.customer == customer)) {
            rc = give_row(memory_view_of(view), row, row_cb, arg);
        }
    }
    return end_of_scan(rc);
}

int memory_service(struct store_view *view, struct slice name, struct store_service *ret)
{
    const struct row *created;
    const struct row *updated = memory_find_service(memory_view_of(view), name, &created);
    int rc = memory_pass_alone(memory_view_of(view)->memory, MEMORY_READ);
    if (rc < 0 || updated == NULL) {
        return rc < 0 ? rc : STATUS_NOT_FOUND;
    }
    *ret = (struct store_service){
        .name = memory_lend(memory_view_of(view), updated->record.service_put.name),
        .unit = memory_lend(memory_view_of(view), updated->record.service_put.unit),
        .created_at_us = created->record.created_at_us,
        .updated_at_us = updated->record.created_at_us,
    };
    return 0;
}

/* The row that puts the first service behind NAME, there or deleted since; NULL: none. */
static const struct row *next_put(struct memory_view *view, struct slice name)
{
    const struct row *next = NULL;
    for (uint64_t seq = 1; seq <= view->n; seq++) {
        const struct row *row = memory_find_kind(view, seq, RECORD_SERVICE_PUT);
        if (row != NULL && slice_compare(row->record.service_put.name, name) > 0 &&
            (next == NULL ||
             slice_compare(row->record.service_put.name, next->record.service_put.name) < 0)) {
            next = row;
        }
    }
    return next;
}

int memory_scan_services(struct store_view *view, struct slice after_name, store_service_fn row_cb,
                         void *arg)
{
    int rc = 0;
    const struct row *row = next_put(memory_view_of(view), after_name);
    while (row != NULL && rc == 0) {
        struct store_service service;
        struct slice name = row->record.service_put.name;
        rc = memory_service(view, name, &service);
        rc = rc == STATUS_NOT_FOUND ? 0 : rc == 0 ? row_cb(&service, arg) : rc;
        row = next_put(memory_view_of(view), name);
    }
    return end_of_scan(rc);
}

/* --- verifying -------------------------------------------------------------------------------- */

static int tell_damaged(const struct store_verify *how, uint64_t seq)
{
    struct store_finding finding = {
        .fault = STORE_DAMAGED,
        .table = "journal",
        .seq = seq,
        .chunk = -1,
        .rows = 1,
        .text = "a test has damaged it",
    };
    return how->finding_cb(&finding, how->arg);
}

int memory_verify(struct store_view *view, const struct store_verify *how,
                  struct store_verified *ret)
{
    struct memory_view *v = memory_view_of(view);
    struct store_verified verified = {0};
    int rc = 0;
    for (uint64_t seq = 1; seq <= v->n && rc == 0; seq++) {
        bool damaged = memory_is_damaged(v, memory_row(v, seq));
        verified.records += !damaged;
        verified.findings += damaged;
        rc = damaged ? tell_damaged(how, seq) : 0;
        if (rc == 0) {
            rc = how->progress_cb(seq, v->n, how->arg);
        }
    }
    if (rc == 0) {
        *ret = verified;
    }
    return rc;
}

/* --- backing up ------------------------------------------------------------------------------- */

static int no_backups(struct errinfo *reason)
{
    const char text[] = "a store in memory makes no backups";
    memcpy(reason->message, text, sizeof text);
    return STATUS_NOT_IMPLEMENTED;
}

int memory_backup_check(struct store *store, const char *directory, struct errinfo *reason)
{
    (void)store;
    (void)directory;
    return no_backups(reason);
}

int memory_backup(struct store *store, const struct store_backup *how, struct store_copied *ret,
                  struct errinfo *reason)
{
    (void)store;
    (void)how;
    (void)ret;
    return no_backups(reason);
}
