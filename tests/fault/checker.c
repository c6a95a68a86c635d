#include "tests/fault/checker.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fault/checker_parts.h"

enum {
    READERS = 4,
};

/* --- what is noted ---------------------------------------------------------------------------- */

static void note(struct checker_result *result, uint64_t *count, const char *text)
{
    (*count)++;
    if (result->n_texts < CHECKER_TEXTS_MAX) {
        result->texts[result->n_texts++] = memory_format(&result->memory, "%s", text);
    }
}

void check_note(struct check *check, uint64_t *count, const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        abort();
    }
    note(check->result, count, text);
    free(text);
}

const char *check_status_name(int status)
{
    return status == 0 ? "ok" : status_info(status)->name;
}

/* --- requests by their keys ------------------------------------------------------------------- */

/* A name space: the index of the customer's creation, or -1 for creations themselves. */
static int64_t scope_of(const struct logged_request *request)
{
    const struct logged_request *customer = request->payload.customer;
    return customer == NULL ? -1 : (int64_t)customer->index;
}

static int compare_keys(int64_t scope_a, struct slice id_a, const struct logged_request *b)
{
    int64_t scope_b = scope_of(b);
    return scope_a != scope_b ? (scope_a > scope_b ? 1 : -1)
                              : slice_compare(id_a, slice_of(b->request_id));
}

static int compare_requests(const void *a, const void *b)
{
    const struct logged_request *request = *(struct logged_request *const *)a;
    return compare_keys(scope_of(request), slice_of(request->request_id),
                        *(struct logged_request *const *)b);
}

static void sort_requests(struct check *check)
{
    size_t n = request_log_count(check->log);
    check->by_key = memory_alloc(&check->memory, n * sizeof(struct logged_request *));
    check->found = memory_alloc(&check->memory, n * sizeof *check->found);
    for (size_t i = 0; i < n; i++) {
        struct logged_request *request = request_log_at(check->log, i);
        if (request->sent_tick <= check->until_tick) {
            check->by_key[check->n_by_key++] = request;
        }
    }
    if (check->n_by_key > 0) {
        qsort(check->by_key, check->n_by_key, sizeof *check->by_key, compare_requests);
    }
}

static struct logged_request *find_request(const struct check *check, int64_t scope,
                                           struct slice request_id)
{
    size_t low = 0;
    size_t high = check->n_by_key;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_keys(scope, request_id, check->by_key[middle]);
        if (order == 0) {
            return check->by_key[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

struct checked_customer *check_customer(const struct check *check, uint64_t seq)
{
    size_t low = 0;
    size_t high = check->n_customers;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->customers[middle]->seq == seq) {
            return check->customers[middle];
        }
        if (check->customers[middle]->seq > seq) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* --- the journal ------------------------------------------------------------------------------ */

/* The request that made RECORD; NULL: nobody asked for it. */
static struct logged_request *request_of(const struct check *check, const struct record *record)
{
    const struct checked_customer *customer = check_customer(check, record_scope(record));
    if (record->request_id.length == 0 || (customer == NULL && record_scope(record) != 0)) {
        return NULL;
    }
    return find_request(check, customer == NULL ? -1 : (int64_t)customer->request->index,
                        record->request_id);
}

static void note_foreign(struct check *check, const struct record *record, const char *why)
{
    if (check->options->garbled) {
        return;
    }
    check_note(check, &check->result->foreign, "record %" PRIu64 ", kind %d, request id '%.*s': %s",
               record->seq, (int)record->kind, (int)record->request_id.length,
               record->request_id.data, why);
}

/* Whether RECORD is a part of the invoice before it. */
static bool is_entries(struct check *check, const struct record *record)
{
    return record->kind == RECORD_INVOICE_ENTRIES &&
           record->invoice_entries.invoice == check->last_invoice_seq;
}

static bool is_ignored(const struct check *check, const struct record *record)
{
    return check->options->services_ignored &&
           (record->kind == RECORD_SERVICE_PUT || record->kind == RECORD_SERVICE_DELETED);
}

static int see_record(const struct record *record, void *arg)
{
    struct check *check = arg;
    if (record->seq != ++check->last_seq) {
        check_note(check, &check->result->unsound, "record %" PRIu64 " where %" PRIu64 " should be",
                   record->seq, check->last_seq);
        check->last_seq = record->seq;
    }
    if (is_entries(check, record) || is_ignored(check, record)) {
        return 0;
    }
    const struct logged_request *request = request_of(check, record);
    if (request == NULL) {
        note_foreign(check, record, "nobody asked for it");
    } else if (check->found[request->index] != 0) {
        check_note(check, &check->result->doubled,
                   "request %zu ('%s') is there as record %" PRIu64 " and %" PRIu64, request->index,
                   request->request_id, check->found[request->index], record->seq);
    } else {
        check->found[request->index] = record->seq;
        if (logged_outcome_at(request, check->until_tick) == LOGGED_REFUSED) {
            note_foreign(check, record, "it was refused");
        }
        check_record(check, record, request);
    }
    return 0;
}

/* --- the log ---------------------------------------------------------------------------------- */

/* Its request id has to lead to what is there, or a retry would record it again. */
static void check_lookup(struct check *check, const struct logged_request *request)
{
    const struct logged_request *creation = request->payload.customer;
    uint64_t expected = check->found[request->index];
    uint64_t scope = creation == NULL ? 0 : check->found[creation->index];
    struct store_key key = {scope, slice_of(request->request_id)};
    struct record record;
    if (creation != NULL && scope == 0) {
        return;
    }
    int rc = store_request(check->view, key, &record);
    uint64_t got = rc == 0 ? record.seq : 0;
    if ((rc < 0 && rc != STATUS_NOT_FOUND) || got != expected) {
        check_note(check, &check->result->unsound,
                   "looked up, request %zu ('%s') is record %" PRIu64 " (%s); it is %" PRIu64,
                   request->index, request->request_id, got, check_status_name(rc), expected);
    }
}

static void check_request(struct check *check, const struct logged_request *request)
{
    struct checker_result *result = check->result;
    bool found = check->found[request->index] != 0;
    switch (logged_outcome_at(request, check->until_tick)) {
    case LOGGED_ACKNOWLEDGED:
        result->acknowledged++;
        if (!found) {
            check_note(check, &result->lost, "request %zu ('%s'), acknowledged as %s, is not there",
                       request->index, request->request_id,
                       request->answer.id == NULL ? "recorded" : request->answer.id);
        }
        break;
    case LOGGED_REFUSED:
        result->refused++;
        break;
    case LOGGED_UNKNOWN:
        result->unknown++;
        result->found += found;
        break;
    }
    if (request->contradiction != NULL && check->until_tick == UINT64_MAX) {
        check_note(check, &result->wrong_answer, "request %zu ('%s'): %s", request->index,
                   request->request_id, request->contradiction);
    }
    check_lookup(check, request);
}

/* --- the store's own opinion ------------------------------------------------------------------ */

static int see_finding(const struct store_finding *finding, void *arg)
{
    struct check *check = arg;
    check_note(check, &check->result->unsound,
               "verify: %s, %s: record %" PRIu64 ", segment %" PRIu64 ": %s",
               store_fault_name(finding->fault), finding->table, finding->seq, finding->segment,
               finding->text);
    return 0;
}

static void verify_store(struct check *check)
{
    const struct store_verify how = {.finding_cb = see_finding, .arg = check};
    struct store_verified verified;
    int rc = store_verify(check->view, &how, &verified);
    if (rc < 0 || verified.records != check->last_seq) {
        check_note(check, &check->result->unsound, "verify: %s, %" PRIu64 " records of %" PRIu64,
                   check_status_name(rc), rc < 0 ? 0 : verified.records, check->last_seq);
    }
}

/* --- the whole -------------------------------------------------------------------------------- */

static void done(struct check *check)
{
    for (size_t i = 0; i < check->n_customers; i++) {
        plain_ledger_destroy(check->customers[i]->ledger);
    }
    memory_done(&check->memory);
}

static void run(struct check *check)
{
    struct store_info info;
    int rc = store_info(check->view, &info);
    if (rc == 0) {
        check->id_key = info.id_key;
        sort_requests(check);
        rc = store_scan_journal(check->view, 0, see_record, check);
    }
    if (rc < 0) {
        check_note(check, &check->result->unsound, "the journal cannot be read: %s behind %" PRIu64,
                   check_status_name(rc), check->last_seq);
        return;
    }
    if (info.last_seq != check->last_seq) {
        check_note(check, &check->result->unsound,
                   "the journal ends with %" PRIu64 " in place of %" PRIu64, check->last_seq,
                   info.last_seq);
    }
    for (size_t i = 0; i < check->n_by_key; i++) {
        check_request(check, check->by_key[i]);
    }
    if (!check->options->bills_skipped && !check->options->garbled) {
        check_bills(check);
    }
    verify_store(check);
}

void checker_run(struct request_log *log, struct store *store,
                 const struct checker_options *options, struct checker_result *result)
{
    static const struct checker_options defaults = {0};
    struct check check = {
        .log = log,
        .options = options == NULL ? &defaults : options,
        .result = result,
    };
    uint64_t until = check.options->known_until;
    check.until_tick = until == 0 ? UINT64_MAX : until;
    int rc = store_snapshot(store, &check.view);
    if (rc < 0) {
        check_note(&check, &result->unsound, "no view of the store: %s", check_status_name(rc));
        return;
    }
    run(&check);
    store_release(check.view);
    done(&check);
}

void checker_run_at(struct request_log *log, const char *uri, const char *data_dir,
                    const struct checker_options *options, struct checker_result *result)
{
    struct store_options store_options = {
        .data_dir = data_dir,
        .map_bytes = (uint64_t)1 << 36,
        .readers_max = READERS,
        .currency = "USD",
    };
    struct errinfo reason;
    struct store *store;
    int rc = store_open(uri, &store_options, &store, &reason);
    if (rc < 0) {
        struct check check = {.result = result};
        check_note(&check, &result->unsound, "the store does not open: %s: %s",
                   check_status_name(rc), reason.message);
        return;
    }
    checker_run(log, store, options, result);
    store_close(store);
}
