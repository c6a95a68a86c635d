/* Memory that runs out: of a run of every call of the client library, each allocation fails once.
 * The call says so, or has got over it; nothing is left behind; and the client goes on.  See
 * campaign.h for the arguments; a fault is a run with one failed allocation. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "libbilling/src/arena.h"
#include "tests/fault/campaign.h"
#include "tests/lib/heap.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

enum {
    BATCH_MAX = 150, /* more than fit into one piece of memory of a batch */
    LABEL_MAX = 1024,
    ALLOCATIONS_MIN = 100, /* of a run, or it does not do what it is to */
    PATIENCE_MS = 120000,
    SAID_MIN = 50, /* of them must fail a call: a try that is sent again gets over any of its own */
};

/* An arena asks the heap for pieces that hold many things.  Here each thing is a piece, so that
 * each can fail.  (Linked with -Wl,--wrap=arena_init.) */
/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void __real_arena_init(struct arena *arena, size_t chunk_bytes, size_t bytes_max);
void __wrap_arena_init(struct arena *arena, size_t chunk_bytes, size_t bytes_max);
/* NOLINTEND(bugprone-reserved-identifier) */

void __wrap_arena_init(struct arena *arena, size_t chunk_bytes, size_t bytes_max)
{
    (void)chunk_bytes;
    __real_arena_init(arena, 1, bytes_max);
}

/* A run. */
struct run {
    const char *url;
    unsigned batch; /* items */
    char label[LABEL_MAX + 1];
    billing_client *client;
    /* --- what the library said --- */
    int no_memory; /* so often */
    int wrong;     /* a status that was neither this nor the expected one; else 0 */
};

static void judge(struct run *run, int status, int expected)
{
    if (status == BILLING_E_NO_MEMORY) {
        run->no_memory++;
    } else if (status != expected) {
        run->wrong = status;
    }
}

/* Constructors return NULL instead. */
static bool is_made(struct run *run, const void *handle)
{
    run->no_memory += handle == NULL;
    return handle != NULL;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* What a call gave back, and its error, in whichever of them it is. */
struct result {
    billing_object *reply;
    billing_error *error;
};

static void finish(struct run *run, int status, struct result *result)
{
    char *json = NULL;
    judge(run, status, 0);
    if (status == 0 && result->reply != NULL) {
        judge(run, billing_object_json(result->reply, &json, NULL), 0);
        billing_text_free(json);
    } else if (status != 0) {
        run->wrong = billing_error_kind(result->error) == status ? run->wrong : status;
    }
    billing_object_free(result->reply);
    billing_error_free(result->error);
    *result = (struct result){0};
}

#define DO(run, call, ...)                                                                         \
    do {                                                                                           \
        struct result result = {0};                                                                \
        int status = call((run)->client, __VA_ARGS__, &result.reply, &result.error);               \
        finish((run), status, &result);                                                            \
    } while (0)

static void try_server(struct run *run)
{
    struct result result = {0};
    finish(run, billing_server_info(run->client, &result.reply, &result.error), &result);
    finish(run, billing_server_health(run->client, &result.reply, &result.error), &result);
}

static void try_reads(struct run *run, const billing_query *query)
{
    DO(run, billing_customer_get, "c");
    DO(run, billing_customer_list, NULL);
    DO(run, billing_usage_get, "c", "u");
    DO(run, billing_usage_list, "c", query);
    DO(run, billing_usage_summary, "c", query);
    DO(run, billing_void_get, "c", "u");
    DO(run, billing_adjustment_list, "c", query);
    DO(run, billing_bill_get, "c", NULL);
    DO(run, billing_bill_list, NULL);
    DO(run, billing_bill_records, "c", query);
    DO(run, billing_invoice_get, 1, NULL);
    DO(run, billing_invoice_list, "c", NULL);
    DO(run, billing_invoice_verify, 1);
    DO(run, billing_service_get, "S3");
    DO(run, billing_service_list, NULL);
    DO(run, billing_request_get, "c", "r");
}

static void try_writes(struct run *run, const billing_query *query)
{
    DO(run, billing_customer_create, "Acme", NULL, NULL);
    DO(run, billing_customer_rename, "c", "Acme Inc.");
    DO(run, billing_usage_void, "c", "u", "measured twice", NULL);
    DO(run, billing_invoice_finalize, "c", query, NULL);
    DO(run, billing_service_put, "S3", "GB");
    DO(run, billing_service_delete, "S3");
}

/* A refusal is an object too. */
static void try_refused(struct run *run)
{
    struct result result = {0};
    int status =
        billing_customer_create(run->client, "refused", NULL, NULL, &result.reply, &result.error);
    judge(run, status, BILLING_E_REFUSED);
    billing_object_free(result.reply);
    billing_error_free(result.error);
    judge(run, billing_customer_create(run->client, "refused", NULL, NULL, NULL, NULL),
          BILLING_E_REFUSED);
}

static void try_queries(struct run *run)
{
    billing_query *query = billing_query_new();
    if (is_made(run, query)) {
        judge(run, billing_query_set_cursor(query, "c"), 0);
        judge(run, billing_query_set_service(query, "S3"), 0);
        judge(run, billing_query_set_end_us(query, INT64_C(1763809298000000)), 0);
        try_reads(run, query);
    }
    billing_query_free(query);
    query = billing_query_new();
    if (is_made(run, query)) {
        judge(run, billing_query_set_end_us(query, INT64_C(1763809298000000)), 0);
        try_writes(run, query);
    }
    billing_query_free(query);
}

static void try_adjustment(struct run *run)
{
    billing_adjustment_input *input = billing_adjustment_input_new();
    if (is_made(run, input)) {
        judge(run, billing_adjustment_input_set_customer(input, "c"), 0);
        judge(run, billing_adjustment_input_set_amount(input, "-5"), 0);
        judge(run, billing_adjustment_input_set_reason(input, "goodwill"), 0);
        DO(run, billing_adjustment_create, input);
    }
    billing_adjustment_input_free(input);
}

static void try_usage(struct run *run)
{
    billing_usage_input *input = billing_usage_input_new();
    billing_usage_batch *batch = billing_usage_batch_new();
    bool made = is_made(run, input);
    if (is_made(run, batch) && made) {
        judge(run, billing_usage_input_set_customer(input, "c"), 0);
        judge(run, billing_usage_input_set_service(input, "S3"), 0);
        judge(run, billing_usage_input_set_units(input, "58"), 0);
        judge(run, billing_usage_input_set_price(input, "0.05"), 0);
        judge(run, billing_usage_input_add_label(input, "a", run->label), 0);
        for (unsigned i = 0; i < run->batch; i++) {
            judge(run, billing_usage_batch_add(batch, input), 0);
        }
        DO(run, billing_usage_batch_create, batch);
        DO(run, billing_usage_create, input);
    }
    billing_usage_input_free(input);
    billing_usage_batch_free(batch);
    judge(run, billing_usage_record(run->client, "c", "S3", "58", "0.05", NULL), 0);
}

/* --- a run ------------------------------------------------------------------------------------ */

static billing_options *make_options(struct run *run)
{
    billing_options *options = billing_options_new();
    if (is_made(run, options)) {
        judge(run, billing_options_set_url(options, run->url), 0);
        judge(run, billing_options_set_token(options, "secret"), 0);
        judge(run, billing_options_set_retry_delay_ms(options, 0), 0);
        judge(run, billing_options_set_timeout_ms(options, PATIENCE_MS), 0);
    }
    return options;
}

/* The client: where memory ran out in its making, on a second try. */
static void make_client(struct run *run)
{
    for (int tries = 0; tries < 2 && run->client == NULL; tries++) {
        int before = run->no_memory;
        billing_options *options = make_options(run);
        if (run->no_memory == before) {
            int status = billing_client_new(options, &run->client);
            judge(run, status, 0);
            run->wrong = (status == 0) == (run->client != NULL) ? run->wrong : 1;
        }
        billing_options_free(options);
    }
}

/* All of it, with allocation N, from 0, failing.  Returns how many blocks are left. */
static long run_all(struct run *run, long n)
{
    run->client = NULL;
    run->no_memory = 0;
    run->wrong = 0;
    heap_begin(n);
    make_client(run);
    try_server(run);
    try_queries(run);
    try_refused(run);
    try_adjustment(run);
    try_usage(run);
    heap_heal();
    int before = run->no_memory;
    try_usage(run); /* whatever ran out before, it goes on */
    run->wrong = run->no_memory == before ? run->wrong : BILLING_E_NO_MEMORY;
    billing_client_free(run->client);
    return heap_end();
}

static void fail_each(struct campaign *campaign, uint64_t seed)
{
    struct rng rng = {seed};
    struct fake_daemon *fake = fake_start(NULL, 0);
    struct run run = {.url = fake_url(fake), .batch = 1 + (unsigned)rng_below(&rng, BATCH_MAX)};
    long n = 0;
    int said = 0;
    memset(run.label, 'x', rng_below(&rng, LABEL_MAX + 1));
    assert_i64(run_all(&run, -1), 0);
    assert_int_equal(run.no_memory, 0);
    assert_int_equal(run.wrong, 0);
    for (bool failed = true; failed; n += failed) {
        long left = run_all(&run, n);
        failed = heap_failed();
        said += run.no_memory > 0;
        if (run.wrong != 0 || left != 0) {
            campaign_note(campaign, "allocation %ld: status %d, %ld blocks left", n, run.wrong,
                          left);
        }
    }
    print_message("%ld allocations, %d of them said to fail, the others got over\n", n, said);
    assert_true(n > ALLOCATIONS_MIN);
    assert_true(said >= SAID_MIN);
    campaign->faults += (uint64_t)n;
    fake_stop(fake);
}

int main(int argc, char **argv)
{
    struct campaign campaign = {.part = "memory", .test_faults = 1, .run = fail_each};
    return campaign_main(argc, argv, &campaign);
}
