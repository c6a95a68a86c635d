#include "tests/model/history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/check_segments.h"
#include "tests/lib/check_store.h"

enum {
    LONG_EVERY = 16, /* histories */
    STEPS = 200,     /* of an ordinary one, about */
    STEPS_LONG = 2000,
    PAGE_MAX = 1000, /* rows */
};

int64_t history_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        abort();
    }
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- asking ----------------------------------------------------------------------------------- */

Billing__V1__Request *history_request(struct history *history, Billing__V1__Request__CallCase call,
                                      void *payload)
{
    Billing__V1__Request *request =
        MESSAGE_NEW(&history->scratch, Billing__V1__Request, billing__v1__request);
    request->call_case = call;
    request->create_usage = payload; /* one place for all */
    return request;
}

/* To stderr: cmocka cuts what is long. */
static void say(const char *what, const char *words)
{
    IGNORE(fprintf(stderr, "%-12s%s\n", what, words) < 0); /* nowhere else to say it */
}

static void complain(struct history *history, const void *request, const void *expected,
                     const void *got, const char *words)
{
    struct memory *scratch = &history->scratch;
    say("seed:", memory_format(scratch, "BILLING_MODEL_SEED=%" PRIu64 " BILLING_MODEL_HISTORIES=1",
                               history->seed));
    say("step:", memory_format(scratch, "%u, %s", history->step, history->operation));
    say("request:", message_words(scratch, request));
    say("expected:", message_words(scratch, expected));
    say("got:", message_words(scratch, got));
    say("difference:", words);
    testkit_fail("the daemon and the model differ at step %u", history->step);
}

/* Call the daemon.  The answer is in the step's memory. */
static Billing__V1__Response *call(struct history *history, Billing__V1__Request *request)
{
    PUT(request, call_id, ++history->client.last_call_id);
    Billing__V1__Response *received = raw_client_call(&history->client, request);
    Billing__V1__Response *got = message_copy(&history->scratch, received);
    billing__v1__response__free_unpacked(received, NULL);
    return got;
}

/* When the daemon recorded the first item of a batch that it did record; 0: none. */
static int64_t batch_time(struct history *history, const Billing__V1__Request *request,
                          const Billing__V1__Response *got)
{
    const Billing__V1__CreateUsageBatch *batch = request->create_usage_batch;
    for (size_t i = 0; i < got->create_usage_batch->n_results && i < batch->n_usage; i++) {
        const Billing__V1__UsageBatchResult *result = got->create_usage_batch->results[i];
        if (result->status != BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED) {
            continue;
        }
        Billing__V1__GetUsage *get =
            MESSAGE_NEW(&history->scratch, Billing__V1__GetUsage, billing__v1__get_usage);
        PUT(get, customer_id, batch->usage[i]->customer_id);
        PUT(get, usage_id, result->id);
        const Billing__V1__Response *usage =
            call(history, history_request(history, BILLING__V1__REQUEST__CALL_GET_USAGE, get));
        const void *object = message_below(message_below(usage));
        return object == NULL ? 0 : message_time(object, "created_at");
    }
    return 0;
}

/* The daemon's clock when it made what GOT shows; the wall clock's where that tells nothing, or a
 * time at which it cannot have been made. */
static int64_t time_of(struct history *history, const Billing__V1__Request *request,
                       const Billing__V1__Response *got, int64_t before)
{
    static const char *const names[] = {"finalized_at", "updated_at", "created_at"};
    const void *object = message_below(message_below(got));
    int64_t time = 0;
    if (got->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH &&
        request->call_case == BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH) {
        time = batch_time(history, request, got);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0] && time == 0 && object != NULL; i++) {
        time = message_time(object, names[i]);
    }
    int64_t after = history_now();
    return time >= before && time <= after ? time : after;
}

static void compare(struct history *history, const Billing__V1__Request *request,
                    const Billing__V1__Response *expected, const Billing__V1__Response *got)
{
    const char *words = message_difference(&history->scratch, expected, got);
    if (words != NULL) {
        complain(history, request, expected, got, words);
    }
}

static void ask(struct history *history, Billing__V1__Request *request, int64_t before)
{
    const Billing__V1__Response *got = call(history, request);
    int64_t now = time_of(history, request, got, before);
    compare(history, request, model_answer(&history->model, &history->scratch, now, request, got),
            got);
}

void history_ask(struct history *history, Billing__V1__Request *request)
{
    ask(history, request, history_now());
}

static void remember(struct history *history, const Billing__V1__Request *request)
{
    Billing__V1__Request *copy = message_copy(&history->memory, request);
    MEMORY_PUSH(&history->memory, history->sent, history->n_sent, copy);
}

void history_write(struct history *history, Billing__V1__Request *request)
{
    remember(history, request);
    history_ask(history, request);
}

/* --- pages ------------------------------------------------------------------------------------ */

/* What a row is known by. */
static const ProtobufCBinaryData *row_name(const ProtobufCMessage *row)
{
    return message_bytes(row, "id");
}

/* How many rows of ALL there are up to the one with the id LAST. */
static size_t place_behind(const Billing__V1__Response *all, const char *last)
{
    size_t n = message_rows(all, NULL, 0);
    const ProtobufCMessage **rows = calloc(n + 1, sizeof *rows);
    if (rows == NULL) {
        abort();
    }
    size_t place = message_rows(all, rows, n);
    while (place > 0) {
        const ProtobufCBinaryData *name = row_name(rows[place - 1]);
        if (name != NULL && name->len == strlen(last) && memcmp(name->data, last, name->len) == 0) {
            break;
        }
        place--;
    }
    free(rows);
    return place;
}

/* The members that all requests for pages have. */
struct paging {
    protobuf_c_boolean *has_limit;
    uint32_t *limit;
    protobuf_c_boolean *has_cursor;
    ProtobufCBinaryData *cursor;
    uint32_t limit_default;
    bool filtered;  /* the last page may be empty */
    bool may_write; /* what arrives meanwhile is in its place */
};

#define PAGING(message, fallback)                                                                  \
    (struct paging)                                                                                \
    {                                                                                              \
        .has_limit = &(message)->has_limit, .limit = &(message)->limit,                            \
        .has_cursor = &(message)->has_cursor, .cursor = &(message)->cursor,                        \
        .limit_default = (fallback),                                                               \
    }

static struct paging paging_of(Billing__V1__Request *request)
{
    struct paging paging;
    switch (request->call_case) {
    case BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS:
        return PAGING(request->list_customers, 100);
    case BILLING__V1__REQUEST__CALL_LIST_USAGE:
        paging = PAGING(request->list_usage, 100);
        paging.filtered = request->list_usage->has_service;
        paging.may_write = !paging.filtered;
        return paging;
    case BILLING__V1__REQUEST__CALL_LIST_ADJUSTMENTS:
        paging = PAGING(request->list_adjustments, 100);
        paging.filtered = request->list_adjustments->has_service;
        paging.may_write = !paging.filtered;
        return paging;
    case BILLING__V1__REQUEST__CALL_LIST_BILL_RECORDS:
        paging = PAGING(request->list_bill_records, 100);
        paging.filtered = request->list_bill_records->has_service ||
                          request->list_bill_records->has_price_per_unit;
        paging.may_write = !paging.filtered && request->list_bill_records->has_start;
        return paging;
    case BILLING__V1__REQUEST__CALL_SUMMARIZE_USAGE:
        paging = PAGING(request->summarize_usage, 100);
        paging.filtered = request->summarize_usage->has_service;
        return paging;
    case BILLING__V1__REQUEST__CALL_GET_BILL:
        return PAGING(request->get_bill, PAGE_MAX);
    case BILLING__V1__REQUEST__CALL_LIST_BILLS:
        paging = PAGING(request->list_bills, 100);
        paging.filtered = request->list_bills->has_end && !request->list_bills->has_start;
        return paging;
    case BILLING__V1__REQUEST__CALL_GET_INVOICE:
        return PAGING(request->get_invoice, PAGE_MAX);
    case BILLING__V1__REQUEST__CALL_LIST_INVOICES:
        return PAGING(request->list_invoices, 100);
    default:
        return PAGING(request->list_services, 100);
    }
}

/* Pages of a size that makes for a few of them, if there are many rows. */
static void choose_limit(struct history *history, struct paging *paging)
{
    int64_t low = 1 + (int64_t)history->model.n_entries / 8;
    if (!once_in(&history->values, 3)) {
        *paging->has_limit = true;
        *paging->limit = (uint32_t)rng_between(&history->rng, low, low + 20);
    }
}

static const ProtobufCBinaryData *cursor_of(const Billing__V1__Response *response)
{
    return message_bytes(message_chosen(response), "next_cursor");
}

/* Set the cursor of EXPECTED, which has MORE rows behind it, to that of GOT. */
static void take_cursor(Billing__V1__Response *expected, const Billing__V1__Response *got,
                        bool more)
{
    const ProtobufCBinaryData *cursor = cursor_of(got);
    message_put_bytes(message_chosen(expected), "next_cursor",
                      !more            ? NULL
                      : cursor != NULL ? cursor
                                       : &(ProtobufCBinaryData){0});
}

void history_walk(struct history *history, Billing__V1__Request *request)
{
    struct paging paging = paging_of(request);
    size_t place = 0;
    const char *last = NULL;
    bool more = true;
    choose_limit(history, &paging);
    while (more) {
        const Billing__V1__Response *got = call(history, request);
        Billing__V1__Response *expected =
            model_answer(&history->model, &history->scratch, history_now(), request, got);
        if (expected->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM) {
            compare(history, request, expected, got);
            return;
        }
        size_t limit = *paging.has_limit ? *paging.limit : paging.limit_default;
        size_t all = message_rows(expected, NULL, 0);
        if (last != NULL) {
            place = place_behind(expected, last);
        }
        more = all - place > limit || (paging.filtered && cursor_of(got) != NULL);
        message_cut_rows(expected, place, limit);
        take_cursor(expected, got, more);
        compare(history, request, expected, got);
        place += limit;
        if (!more) {
            return;
        }
        *paging.has_cursor = true;
        *paging.cursor = *cursor_of(got);
        if (paging.may_write && once_in(&history->values, 3)) {
            const ProtobufCMessage *row = NULL;
            const ProtobufCMessage **rows =
                memory_alloc(&history->scratch, limit * sizeof(const ProtobufCMessage *));
            size_t n = message_rows(got, rows, limit);
            row = n > 0 ? rows[n - 1] : NULL;
            last = row != NULL ? message_text(&history->scratch, *row_name(row)) : NULL;
            operation_record(history);
        } else {
            last = NULL;
        }
    }
}

/* --- ends and beginnings ---------------------------------------------------------------------- */

static void connect_to_daemon(struct history *history)
{
    if (!raw_client_open(&history->client, daemon_process_unix(history->daemon))) {
        testkit_fail("cannot connect to the daemon");
    }
}

static void start_again(struct history *history)
{
    raw_client_close(&history->client);
    daemon_process_restart(history->daemon);
    connect_to_daemon(history);
}

void history_restart(struct history *history)
{
    if (once_in(&history->values, 2)) {
        daemon_process_stop(history->daemon);
    } else {
        daemon_process_kill(history->daemon);
    }
    start_again(history);
}

void history_lose(struct history *history, Billing__V1__Request *request)
{
    int64_t before = history_now();
    remember(history, request);
    PUT(request, call_id, ++history->client.last_call_id);
    enum sock_result result = raw_client_send_request(&history->client, request);
    if (result != SOCK_OK) {
        testkit_fail("sending a request: %s", sock_result_name(result));
    }
    if (once_in(&history->values, 2)) { /* else it may not even have been read */
        Billing__V1__GetServerInfo *info = MESSAGE_NEW(
            &history->scratch, Billing__V1__GetServerInfo, billing__v1__get_server_info);
        Billing__V1__Request *ping =
            history_request(history, BILLING__V1__REQUEST__CALL_GET_SERVER_INFO, info);
        Billing__V1__Response *answer = NULL;
        PUT(ping, call_id, ++history->client.last_call_id);
        IGNORE(raw_client_send_request(&history->client, ping) != SOCK_OK);
        IGNORE(raw_client_receive(&history->client, SOCK_PATIENCE_MS, &answer) != SOCK_OK);
        billing__v1__response__free_unpacked(answer, NULL); /* of whichever */
    }
    daemon_process_kill(history->daemon);
    start_again(history);
    history->model.maybe_recorded = true;
    ask(history, request, before);
    history->model.maybe_recorded = false;
}

static void begin(struct history *history, uint64_t seed)
{
    /* Of these: few records a block, and few a segment, so that all happens that takes millions. */
    static const char *const stores[] = {
        NULL,
        "lmdb:?block_bytes=600",
        "lmdb:?head_records=3&merge_width=2&slice_bytes=16368",
        "lmdb:?head_records=1&merge_width=8&block_bytes=600",
    };
    const char *store = stores[seed % (sizeof stores / sizeof stores[0])];
    const char *args[5] = {0};
    size_t n = 0;
    *history = (struct history){.seed = seed, .operation = "start"};
    history->rng = (struct rng){.state = seed * UINT64_C(0x9e3779b97f4a7c15)};
    values_init(&history->values, &history->rng, &history->scratch, history_now());
    model_init(&history->model, &history->memory);
    history->model.recorded_by = memory_format(&history->memory, "uid:%u", (unsigned)getuid());
    history->model.listed = once_in(&history->values, 3);
    if (store != NULL) {
        args[n++] = "--store";
        args[n++] = store;
    }
    if (history->model.listed) {
        args[n++] = "--catalogue";
        args[n++] = "listed";
    }
    const char **kept = testkit_alloc(sizeof args);
    memcpy(kept, args, sizeof args);
    history->daemon = daemon_process_start(&(struct daemon_options){.args = kept});
    connect_to_daemon(history);
}

static bool end(struct history *history)
{
    raw_client_close(&history->client);
    daemon_process_stop(history->daemon);
    bool merged = check_segments_merged(daemon_process_data_dir(history->daemon));
    IGNORE(check_store(daemon_process_data_dir(history->daemon)) == 0); /* as many as there are */
    daemon_process_destroy(history->daemon);
    model_done(&history->model);
    memory_done(&history->scratch);
    memory_done(&history->memory);
    return merged;
}

bool history_run(uint64_t seed)
{
    struct history history;
    begin(&history, seed);
    int64_t steps = seed % LONG_EVERY == 1 ? STEPS_LONG : STEPS;
    steps = rng_between(&history.rng, steps / 2, steps * 3 / 2);
    for (int64_t i = 0; i < steps; i++) {
        memory_done(&history.scratch);
        history.step++;
        if (history.model.n_customers > 0 && once_in(&history.values, 4)) {
            check_any(&history);
        } else {
            operation_any(&history);
        }
    }
    memory_done(&history.scratch);
    check_all(&history);
    return end(&history);
}
