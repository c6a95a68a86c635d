#include "tests/fault/clerk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/ledger/adjustment.h"
#include "billingd/ledger/catalogue.h"
#include "billingd/ledger/invoice.h"
#include "billingd/ledger/usage.h"
#include "billingd/ledger/void.h"

enum {
    CUSTOMERS_MAX = 5,
    GROUP_MAX = 64,
    PAGE = 100, /* entries of an invoice's page, which nobody reads */
    ARENA_BYTES_MAX = 1 << 26,
};

static const int64_t birth_us = INT64_C(1763809298000000);
static const int64_t minute_us = INT64_C(60000000);

/* What became of a request in a transaction. */
struct reply {
    struct logged_request *request;
    int status; /* 0, or its refusal */
    struct logged_answer answer;
};

struct group {
    struct reply replies[GROUP_MAX];
    size_t n;
    bool recorded; /* something was */
};

/* --- lists ------------------------------------------------------------------------------------ */

static void list_add(struct clerk_list *list, struct logged_request *request)
{
    if (list->n < CLERK_LIST_MAX) {
        list->requests[list->n++] = request;
    }
}

static struct logged_request *list_take(struct clerk_list *list, size_t at)
{
    struct logged_request *request = list->requests[at];
    list->n--;
    memmove(&list->requests[at], &list->requests[at + 1], (list->n - at) * sizeof *list->requests);
    return request;
}

/* --- asking ----------------------------------------------------------------------------------- */

static struct decimal decimal_of(const char *text)
{
    struct decimal value;
    assert_ok(decimal_parse(text, strlen(text), &value, NULL));
    return value;
}

static struct slice text_of(const char *text)
{
    return text == NULL ? (struct slice){0} : slice_of(text);
}

static struct record asked_of(const struct logged_request *request)
{
    return (struct record){.request_id = slice_of(request->request_id),
                           .recorded_by = SLICE("tester")};
}

static struct customer_ref customer_of(const struct logged_request *request)
{
    return (struct customer_ref){.seq = request->payload.customer->answer.seq};
}

static struct slice labels_of(struct clerk *clerk, const char *value)
{
    struct label label = {SLICE(LOGGED_LABEL), text_of(value)};
    void *bytes = arena_alloc(&clerk->arena, LABELS_BYTES_MAX);
    assert_non_null(bytes);
    return value == NULL ? (struct slice){0}
                         : (struct slice){bytes, labels_encode(&label, 1, bytes)};
}

/* What OUTCOME and RECORD, which is what was recorded with status 0, say to the client. */
static void answer_with(const struct outcome *outcome, const struct record *record,
                        struct reply *ret)
{
    int64_t occurred_at_us;
    ret->status = outcome->status;
    if (outcome->status == 0) {
        ret->answer.seq = record->seq;
        ret->answer.created_at_us = record->created_at_us;
        ret->answer.replayed = outcome->replayed;
        IGNORE(record_times(record, &occurred_at_us, &ret->answer.bills_at_us)); /* else it is 0 */
    }
}

static int ask_customer(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    const struct logged_request *request = ret->request;
    struct customer_create create = {
        .name = text_of(request->payload.name),
        .external_id = text_of(request->payload.external_id),
        .request_id = slice_of(request->request_id),
        .recorded_by = SLICE("tester"),
    };
    int rc = customer_create(txn, &clerk->arena, &create);
    struct record made = {.seq = create.customer.seq,
                          .created_at_us = create.customer.created_at_us,
                          .kind = RECORD_CUSTOMER_CREATED};
    answer_with(&create.outcome, &made, ret);
    return rc;
}

static int ask_usage(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    const struct logged_payload *payload = &ret->request->payload;
    struct usage_create create = {.customer = customer_of(ret->request),
                                  .asked = asked_of(ret->request)};
    create.asked.usage = (struct usage){
        .service = text_of(payload->service),
        .units = decimal_of(payload->units),
        .price = decimal_of(payload->price),
        .labels = labels_of(clerk, payload->label),
        .occurred_at_given = payload->occurred_at_us != 0,
        .occurred_at_us = payload->occurred_at_us,
    };
    int rc = usage_create(txn, &clerk->arena, &clerk->env, &create);
    answer_with(&create.outcome, &create.record, ret);
    return rc;
}

static int ask_void(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    struct void_create create = {.customer = customer_of(ret->request),
                                 .asked = asked_of(ret->request)};
    create.asked.usage_voided.usage = ret->request->payload.usage->answer.seq;
    create.asked.usage_voided.reason = text_of(ret->request->payload.reason);
    int rc = void_create(txn, &clerk->arena, &create);
    answer_with(&create.outcome, &create.record, ret);
    return rc;
}

static int ask_adjustment(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    const struct logged_payload *payload = &ret->request->payload;
    struct adjustment_create create = {.customer = customer_of(ret->request),
                                       .asked = asked_of(ret->request)};
    create.asked.adjustment = (struct adjustment){
        .service = text_of(payload->service),
        .reason = text_of(payload->reason),
        .amount = decimal_of(payload->amount),
        .occurred_at_given = payload->occurred_at_us != 0,
        .occurred_at_us = payload->occurred_at_us,
    };
    int rc = adjustment_create(txn, &clerk->arena, &clerk->env, &create);
    answer_with(&create.outcome, &create.record, ret);
    return rc;
}

/* Drafted in the transaction itself, as if by a reader just before it. */
static int ask_invoice(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    unsigned appended;
    struct invoice_finalize finalize = {
        .customer = customer_of(ret->request),
        .asked = asked_of(ret->request),
        .limit = PAGE,
    };
    finalize.asked.invoice.end_us = ret->request->payload.end_us;
    invoice_finalize_init(&finalize, &clerk->arena);
    int rc = invoice_prepare(store_txn_view(txn), &clerk->arena, &clerk->env, &finalize);
    if (rc == 0 && finalize.outcome.status == STATUS_OUTDATED) {
        rc = invoice_finalize(txn, &clerk->arena, &clerk->env, &finalize, &appended);
    }
    answer_with(&finalize.outcome, &finalize.page.record, ret);
    return rc;
}

static int ask(struct clerk *clerk, struct store_txn *txn, struct reply *ret)
{
    static int (*const asks[])(struct clerk * clerk, struct store_txn * txn, struct reply * ret) = {
        [LOGGED_CUSTOMER] = ask_customer, [LOGGED_USAGE] = ask_usage,
        [LOGGED_VOID] = ask_void,         [LOGGED_ADJUSTMENT] = ask_adjustment,
        [LOGGED_INVOICE] = ask_invoice,
    };
    return asks[ret->request->payload.kind](clerk, txn, ret);
}

/* --- new requests ----------------------------------------------------------------------------- */

static bool chance(struct clerk *clerk, uint64_t in)
{
    return rng_below(&clerk->rng, in) == 0;
}

static struct logged_request *send(struct clerk *clerk, const struct logged_payload *payload)
{
    char request_id[24];
    IGNORE(snprintf(request_id, sizeof request_id, "r%u", clerk->next_id++) < 0); /* it fits */
    return request_log_send(clerk->log, request_id, payload);
}

static struct logged_request *send_customer(struct clerk *clerk)
{
    char external_id[24];
    IGNORE(snprintf(external_id, sizeof external_id, "x%u", clerk->next_id) < 0); /* it fits */
    struct logged_payload payload = {
        .kind = LOGGED_CUSTOMER,
        .name = "Acme",
        .external_id = chance(clerk, 2) ? external_id : NULL,
    };
    return send(clerk, &payload);
}

static int64_t some_time(struct clerk *clerk)
{
    return chance(clerk, 4) ? 0 : rng_between(&clerk->rng, birth_us, clerk->env.now_us);
}

static struct logged_request *send_usage(struct clerk *clerk, const struct logged_request *customer)
{
    static const char *const services[] = {"S3", "Database Hosting", "Egress"};
    static const char *const prices[] = {"0.05", "6.3277086448", "0", "0.0000004"};
    char units[24];
    IGNORE(snprintf(units, sizeof units, "%u.%u5", (unsigned)rng_below(&clerk->rng, 1000),
                    (unsigned)rng_below(&clerk->rng, 10)) < 0); /* it fits */
    struct logged_payload payload = {
        .kind = LOGGED_USAGE,
        .customer = customer,
        .service = services[rng_below(&clerk->rng, 3)],
        .units = units,
        .price = prices[rng_below(&clerk->rng, 4)],
        .label =
            chance(clerk, 3) ? "a label of some length, so that records differ in theirs" : NULL,
        .occurred_at_us = some_time(clerk),
    };
    return send(clerk, &payload);
}

static struct logged_request *send_void(struct clerk *clerk)
{
    struct logged_request *usage =
        list_take(&clerk->used, (size_t)rng_below(&clerk->rng, clerk->used.n));
    struct logged_payload payload = {
        .kind = LOGGED_VOID,
        .customer = usage->payload.customer,
        .usage = usage,
        .reason = "measured twice",
    };
    return send(clerk, &payload);
}

static struct logged_request *send_adjustment(struct clerk *clerk,
                                              const struct logged_request *customer)
{
    struct logged_payload payload = {
        .kind = LOGGED_ADJUSTMENT,
        .customer = customer,
        .service = chance(clerk, 2) ? "S3" : NULL,
        .amount = chance(clerk, 2) ? "-19.95" : "7.5",
        .reason = "goodwill",
        .occurred_at_us = some_time(clerk),
    };
    return send(clerk, &payload);
}

/* Up to now: the clock goes on, so no period comes twice. */
static struct logged_request *send_invoice(struct clerk *clerk,
                                           const struct logged_request *customer)
{
    struct logged_payload payload = {
        .kind = LOGGED_INVOICE,
        .customer = customer,
        .end_us = clerk->env.now_us - minute_us / 2,
    };
    return send(clerk, &payload);
}

static struct logged_request *send_new(struct clerk *clerk)
{
    uint64_t dice = rng_below(&clerk->rng, 100);
    if (clerk->ready.n == 0 || (dice < 4 && clerk->ready.n < CUSTOMERS_MAX)) {
        return send_customer(clerk);
    }
    const struct logged_request *customer =
        clerk->ready.requests[rng_below(&clerk->rng, clerk->ready.n)];
    if (dice < 14 && clerk->used.n > 0) {
        return send_void(clerk);
    }
    return dice < 20   ? send_adjustment(clerk, customer)
           : dice < 23 ? send_invoice(clerk, customer)
                       : send_usage(clerk, customer);
}

/* --- a transaction ---------------------------------------------------------------------------- */

static int ask_service(struct clerk *clerk, struct store_txn *txn, bool *ret_recorded)
{
    static const char *const names[] = {"S3", "Egress"};
    struct slice name = slice_of(names[rng_below(&clerk->rng, 2)]);
    struct catalogue_put put = {.name = name, .unit = SLICE("GB"), .recorded_by = SLICE("tester")};
    struct catalogue_delete delete = {.name = name, .recorded_by = SLICE("tester")};
    int rc;
    if (chance(clerk, 2)) {
        rc = catalogue_put(txn, &clerk->arena, &put);
        *ret_recorded |= put.recorded;
    } else {
        rc = catalogue_delete(txn, &delete);
        *ret_recorded |= rc == 0 && delete.outcome.status == 0;
    }
    return rc;
}

/* What is open comes first, in its order. */
static void gather(struct clerk *clerk, unsigned requests_max, struct group *group)
{
    while (clerk->open.n > 0 && group->n < GROUP_MAX / 2) {
        group->replies[group->n++].request = list_take(&clerk->open, 0);
    }
    for (uint64_t n = 1 + rng_below(&clerk->rng, requests_max); n > 0 && group->n < GROUP_MAX;
         n--) {
        group->replies[group->n++].request = send_new(clerk);
    }
}

static int ask_all(struct clerk *clerk, struct store_txn *txn, struct group *group)
{
    int rc = 0;
    for (size_t i = 0; i < group->n && rc == 0; i++) {
        struct reply *reply = &group->replies[i];
        rc = ask(clerk, txn, reply);
        group->recorded |= reply->status == 0 && !reply->answer.replayed;
    }
    return rc;
}

static void note_answer(struct clerk *clerk, const struct reply *reply)
{
    if (reply->status < 0) {
        request_log_refuse(clerk->log, reply->request, status_info(reply->status)->name);
        return;
    }
    request_log_acknowledge(clerk->log, reply->request, &reply->answer);
    if (reply->request->payload.kind == LOGGED_CUSTOMER) {
        list_add(&clerk->ready, reply->request);
    } else if (reply->request->payload.kind == LOGGED_USAGE) {
        list_add(&clerk->used, reply->request);
    }
}

static void note_answers(struct clerk *clerk, const struct group *group, int rc)
{
    for (size_t i = 0; i < group->n; i++) {
        if (rc == 0) {
            note_answer(clerk, &group->replies[i]);
        } else {
            assert_true(clerk->open.n < CLERK_LIST_MAX);
            list_add(&clerk->open, group->replies[i].request);
        }
    }
}

/* The last record that is there; 0 also where it cannot be seen. */
static uint64_t last_seq(struct store *store)
{
    struct store_view *view;
    struct store_info info = {0};
    if (store_snapshot(store, &view) < 0) {
        return 0;
    }
    IGNORE(store_info(view, &info) < 0); /* then it is 0 */
    store_release(view);
    return info.last_seq;
}

static int carry_out(struct clerk *clerk, struct store *store, struct group *group,
                     bool with_service)
{
    struct store_txn *txn;
    arena_done(&clerk->arena); /* what the one before it needed */
    arena_init(&clerk->arena, ARENA_BYTES_MAX);
    int rc = store_begin(store, clerk->env.now_us, &txn);
    if (rc < 0) {
        return rc;
    }
    rc = ask_all(clerk, txn, group);
    if (rc == 0 && with_service) {
        rc = ask_service(clerk, txn, &group->recorded);
    }
    if (rc == 0 && group->recorded) {
        return store_commit(txn);
    }
    store_abort(txn);
    return rc;
}

int clerk_step(struct clerk *clerk, struct store *store, unsigned requests_max)
{
    struct group group = {0};
    uint64_t before = last_seq(store);
    clerk->env.now_us += minute_us;
    gather(clerk, requests_max, &group);
    int rc = carry_out(clerk, store, &group, chance(clerk, 8));
    if (rc == STATUS_STORAGE_FULL && last_seq(store) != before) {
        clerk->broken++;
    }
    note_answers(clerk, &group, rc);
    return rc;
}

/* --- once more -------------------------------------------------------------------------------- */

/* What TICK does not know the outcome of, as if the client had begun again with its log of then. */
static void gather_unknown(struct clerk *clerk, uint64_t tick, struct group *group)
{
    for (size_t i = 0; i < request_log_count(clerk->log); i++) {
        struct logged_request *request = request_log_at(clerk->log, i);
        if (request->sent_tick <= tick && logged_outcome_at(request, tick) == LOGGED_UNKNOWN) {
            assert_true(group->n < GROUP_MAX);
            group->replies[group->n++].request = request;
        }
    }
}

int clerk_send_unknown(struct clerk *clerk, struct store *store, uint64_t tick,
                       unsigned *ret_recorded)
{
    struct group group = {0};
    gather_unknown(clerk, tick, &group);
    int rc = carry_out(clerk, store, &group, false);
    *ret_recorded = 0;
    for (size_t i = 0; i < group.n && rc == 0; i++) {
        bool refused = group.replies[i].status < 0;
        *ret_recorded += !refused;
        clerk->broken += refused != (group.replies[i].request->outcome == LOGGED_REFUSED);
    }
    return rc;
}

/* --- begin and end ---------------------------------------------------------------------------- */

void clerk_init(struct clerk *clerk, uint64_t seed)
{
    *clerk = (struct clerk){
        .log = request_log_create(NULL),
        .rng = {seed},
        .env = {.now_us = birth_us, .currency = "USD", .minor_digits = 2},
    };
    arena_init(&clerk->arena, ARENA_BYTES_MAX);
    list_add(&clerk->open, send_customer(clerk));
}

void clerk_done(struct clerk *clerk)
{
    arena_done(&clerk->arena);
    request_log_destroy(clerk->log);
}
