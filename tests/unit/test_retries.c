/* Exactly once, by the thousand: random requests and retries under few request ids, alone and in
 * batches, many at a time, while the store fails now and then; held against a model that learns
 * from the answers alone. */
#include <stdlib.h>

#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

enum {
    CUSTOMERS = 3,
    IDS = 60,
    PAYLOADS = 3,
    ROUNDS = 120,
    REQUESTS_MAX = 12, /* handed over before any answer is looked at */
    ITEMS_MAX = 5,
};

/* What one request id of one customer stands for, as far as answers have told. */
struct known {
    bool recorded;
    unsigned payload;
    const char *id; /* of the usage */
};

struct model {
    const char *customers[CUSTOMERS];
    struct known known[CUSTOMERS][IDS];
    uint64_t records;
    uint64_t units;
    uint64_t replays;
};

struct wanted {
    unsigned customer;
    unsigned id;
    unsigned payload;
};

struct asked {
    struct desk_answer *answer;
    struct wanted items[ITEMS_MAX];
    unsigned n; /* 0: a request of its own for items[0] */
};

static struct wanted random_wanted(struct rng *rng)
{
    return (struct wanted){
        .customer = (unsigned)rng_below(rng, CUSTOMERS),
        .id = (unsigned)rng_below(rng, IDS),
        .payload = rng_below(rng, 4) == 0 ? (unsigned)rng_below(rng, PAYLOADS) : 0,
    };
}

/* Payload P is P + 1 units, at 0.05 or 0.050. */
static Billing__V1__UsageInput *input_of(const struct model *model, struct rng *rng,
                                         const struct wanted *wanted)
{
    Billing__V1__UsageInput *m = desk_usage_input(
        rng_below(rng, 2) == 0 ? model->customers[wanted->customer]
                               : testkit_format("external:ext-%u", wanted->customer),
        "S", testkit_format("%u", wanted->payload + 1), rng_below(rng, 2) == 0 ? "0.05" : "0.050",
        testkit_format("id-%u", wanted->id));
    m->has_occurred_at = true;
    m->occurred_at = 1000;
    return m;
}

static void ask(struct desk *desk, const struct model *model, struct rng *rng, struct asked *asked)
{
    asked->n = rng_below(rng, 3) == 0 ? 1 + (unsigned)rng_below(rng, ITEMS_MAX) : 0;
    asked->items[0] = random_wanted(rng);
    if (asked->n == 0) {
        asked->answer = desk_submit(
            desk, desk_request(CALL(CREATE_USAGE), input_of(model, rng, &asked->items[0])));
        return;
    }
    Billing__V1__UsageInput **items = testkit_alloc(asked->n * sizeof *items);
    for (unsigned i = 0; i < asked->n; i++) {
        asked->items[i] = i > 0 && rng_below(rng, 3) == 0 ? asked->items[i - 1] /* twice */
                                                          : random_wanted(rng);
        items[i] = input_of(model, rng, &asked->items[i]);
    }
    asked->answer = desk_submit(
        desk, desk_request(CALL(CREATE_USAGE_BATCH), desk_batch_input(items, asked->n, NULL)));
}

/* --- what the answers say --------------------------------------------------------------------- */

static void learn_recorded(struct model *model, const struct wanted *wanted, bool replayed,
                           const char *id)
{
    struct known *known = &model->known[wanted->customer][wanted->id];
    if (replayed) {
        assert_true(known->recorded);
        assert_u64(wanted->payload, known->payload);
        assert_string_equal(id, known->id);
        model->replays++;
        return;
    }
    assert_false(known->recorded); /* never twice */
    *known = (struct known){.recorded = true, .payload = wanted->payload, .id = id};
    model->records++;
    model->units += wanted->payload + 1;
}

/* Only another payload under a used id may be refused here. */
static void learn_refused(struct model *model, const struct wanted *wanted,
                          const Billing__V1__Problem *problem)
{
    const struct known *known = &model->known[wanted->customer][wanted->id];
    desk_check_problem(problem, STATUS_REQUEST_ID_REUSED);
    assert_true(known->recorded && known->payload != wanted->payload);
    assert_string_equal(desk_text(problem->existing_id), known->id);
    assert_u64(problem->n_errors, 1);
    desk_field(problem, "units_consumed", STATUS_REQUEST_ID_REUSED);
}

static void learn_batch(struct model *model, const struct asked *asked,
                        const Billing__V1__UsageBatchReply *reply)
{
    assert_u64(reply->n_results, asked->n);
    for (unsigned i = 0; i < asked->n; i++) {
        const Billing__V1__UsageBatchResult *result = reply->results[i];
        if (result->status == BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED) {
            learn_refused(model, &asked->items[i], result->problem);
        } else {
            learn_recorded(model, &asked->items[i],
                           result->status == BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED,
                           desk_text(result->id));
        }
    }
}

static bool is_of_the_store(const Billing__V1__Problem *problem)
{
    const char *code = desk_text(problem->code);
    return strcmp(code, "storage_full") == 0 || strcmp(code, "storage_damaged") == 0;
}

static void learn(struct model *model, const struct asked *asked,
                  const Billing__V1__Response *response)
{
    if (response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH) {
        learn_batch(model, asked, response->create_usage_batch);
    } else if (response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE) {
        learn_recorded(model, &asked->items[0], response->replayed,
                       desk_text(response->create_usage->usage->id));
    } else if (!is_of_the_store(response->problem)) {
        learn_refused(model, &asked->items[0], response->problem);
    }
}

/* --- what is there in the end ----------------------------------------------------------------- */

static void check_requests(struct desk *desk, const struct model *model)
{
    for (unsigned c = 0; c < CUSTOMERS; c++) {
        for (unsigned i = 0; i < IDS; i++) {
            const struct known *known = &model->known[c][i];
            Billing__V1__Response *response =
                call(desk, CALL(GET_REQUEST),
                     get_request_input(model->customers[c], testkit_format("id-%u", i)));
            if (known->recorded) {
                assert_string_equal(desk_text(response->get_request->request->id), known->id);
            } else {
                desk_problem(response, STATUS_REQUEST_NOT_FOUND);
            }
        }
    }
}

/* All bills together: 0.05 for every unit that was answered as recorded, and for no other. */
static void check_bills(struct desk *desk, const struct model *model)
{
    uint64_t units = 0;
    uint64_t records = 0;
    for (unsigned c = 0; c < CUSTOMERS; c++) {
        Billing__V1__GetBill *m = bill_input(model->customers[c]);
        m->has_start = m->has_end = true;
        m->start = 1000;
        m->end = 1001;
        const Billing__V1__Bill *bill = call(desk, CALL(GET_BILL), m)->get_bill->bill;
        for (size_t i = 0; i < bill->n_lines; i++) {
            records += bill->lines[i]->records;
            units += strtoull(desk_text(bill->lines[i]->units_consumed), NULL, 10);
        }
    }
    assert_u64(records, model->records);
    assert_u64(units, model->units);
}

static void fail_somewhere(struct desk *desk, struct rng *rng)
{
    static const enum memory_call calls[] = {MEMORY_BEGIN, MEMORY_ANNOUNCE, MEMORY_APPEND,
                                             MEMORY_COMMIT};
    memory_store_fail(desk->memory, calls[rng_below(rng, 4)],
                      rng_below(rng, 2) == 0 ? STATUS_STORAGE_FULL : STATUS_CORRUPT,
                      (unsigned)rng_below(rng, 8), 1 + (unsigned)rng_below(rng, 2));
}

static void writes__random_retries_and_faults__are_recorded_exactly_once(void **state)
{
    struct rng rng = rng_make("exactly once");
    struct desk *desk = desk_open(NULL);
    struct model *model = testkit_alloc(sizeof *model);
    (void)state;
    for (unsigned c = 0; c < CUSTOMERS; c++) {
        model->customers[c] = desk_add_customer(desk, testkit_format("ext-%u", c));
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct asked asked[REQUESTS_MAX];
        unsigned n = 1 + (unsigned)rng_below(&rng, REQUESTS_MAX);
        bool together =
            rng_below(&rng, 2) == 0; /* behind one commit, so that they share the next */
        if (together) {
            memory_store_hold_commits(desk->memory);
        }
        if (rng_below(&rng, 2) == 0) {
            fail_somewhere(desk, &rng);
        }
        for (unsigned i = 0; i < n; i++) {
            ask(desk, model, &rng, &asked[i]);
        }
        memory_store_open_gate(desk->memory);
        for (unsigned i = 0; i < n; i++) { /* in the order in which they were carried out */
            learn(model, &asked[i], desk_wait(desk, asked[i].answer));
        }
    }
    memory_store_fail(desk->memory, MEMORY_BEGIN, 0, 0, 0);
    assert_u64(memory_store_counts(desk->memory).records, CUSTOMERS + model->records);
    assert_true(model->records > IDS && model->replays > IDS);
    check_requests(desk, model);
    check_bills(desk, model);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(writes__random_retries_and_faults__are_recorded_exactly_once),
};

TESTKIT_MAIN(tests)
