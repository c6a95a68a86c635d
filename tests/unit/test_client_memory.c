/* Every allocation of the client library fails once: the call says so, or has got over it, and
 * nothing is left behind.
 *
 * Linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free. */
#include <stdlib.h>
#include <string.h>

#include <billing/billing.h>

#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

/* --- the heap --------------------------------------------------------------------------------- */

/* Of the thread that counts alone: the fake daemon's must not fail. */
static _Thread_local struct {
    bool counts;
    long until_failure; /* this many more succeed, then one fails; below 0: none does */
    bool failed;
    long blocks; /* taken and not given back */
} heap;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
/* NOLINTEND(bugprone-reserved-identifier) */

static bool is_to_fail(void)
{
    if (!heap.counts || heap.until_failure-- != 0) {
        return false;
    }
    heap.failed = true;
    return true;
}

static void *taken(void *block)
{
    heap.blocks += heap.counts && block != NULL;
    return block;
}

void *__wrap_malloc(size_t size)
{
    return is_to_fail() ? NULL : taken(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : taken(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (is_to_fail()) {
        return NULL;
    }
    return block == NULL ? taken(__real_malloc(size)) : __real_realloc(block, size);
}

void __wrap_free(void *block)
{
    heap.blocks -= heap.counts && block != NULL;
    __real_free(block);
}

/* --- what is tried ---------------------------------------------------------------------------- */

/* How often the library said that it has no memory, and what it said otherwise, if that is not
 * to be. */
struct verdict {
    int no_memory;
    int wrong; /* a status that is neither */
};

static void judge(struct verdict *verdict, int status, int expected)
{
    if (status == BILLING_E_NO_MEMORY) {
        verdict->no_memory++;
    } else if (status != expected) {
        verdict->wrong = status;
    }
}

/* The constructors return NULL instead. */
static void judge_new(struct verdict *verdict, const void *handle)
{
    verdict->no_memory += handle == NULL;
}

static billing_client *make_client(const char *url, struct verdict *verdict)
{
    billing_client *client = NULL;
    billing_options *options = billing_options_new();
    judge_new(verdict, options);
    int url_status = billing_options_set_url(options, url);
    judge(verdict, options == NULL ? 0 : url_status, 0);
    if (url_status == 0) {
        judge(verdict, billing_options_set_token(options, "secret"), 0);
        judge(verdict, billing_options_set_retry_delay_ms(options, 0), 0);
        int status = billing_client_new(options, &client);
        judge(verdict, status, 0);
        if ((status == 0) != (client != NULL)) {
            verdict->wrong = 1;
        }
    }
    billing_options_free(options);
    return client;
}

static void try_reads(billing_client *client, struct verdict *verdict)
{
    billing_object *reply;
    billing_error *error;
    char *json;
    billing_query *query = billing_query_new();
    judge_new(verdict, query);
    if (query != NULL) {
        IGNORE(billing_query_set_cursor(query, "c") != 0); /* the call says it again */
        judge(verdict, billing_usage_list(client, "c", query, &reply, &error), 0);
        if (reply != NULL) {
            judge(verdict, billing_object_json(reply, &json, NULL), 0);
            billing_text_free(json);
        }
        billing_object_free(reply);
        billing_error_free(error);
    }
    billing_query_free(query);
    judge(verdict, billing_bill_get(client, "c", NULL, &reply, &error), 0);
    billing_object_free(reply);
    billing_error_free(error);
}

static void try_writes(billing_client *client, struct verdict *verdict)
{
    billing_object *reply;
    billing_error *error;
    judge(verdict, billing_customer_create(client, "Acme", NULL, NULL, &reply, &error), 0);
    billing_object_free(reply);
    billing_error_free(error);
    judge(verdict, billing_customer_create(client, "refused", NULL, NULL, &reply, &error),
          BILLING_E_REFUSED);
    billing_object_free(reply);
    billing_error_free(error);
    judge(verdict, billing_customer_create(client, "refused", NULL, NULL, NULL, NULL),
          BILLING_E_REFUSED);
}

static void try_adjustment(billing_client *client, struct verdict *verdict)
{
    billing_object *reply = NULL;
    billing_error *error = NULL;
    billing_adjustment_input *input = billing_adjustment_input_new();
    judge_new(verdict, input);
    if (input != NULL) {
        IGNORE(billing_adjustment_input_set_customer(input, "c") != 0); /* the call says it again */
        IGNORE(billing_adjustment_input_set_reason(input, "r") != 0);
        judge(verdict, billing_adjustment_create(client, input, &reply, &error), 0);
        billing_object_free(reply);
        billing_error_free(error);
    }
    billing_adjustment_input_free(input);
}

static void try_batch(billing_client *client, struct verdict *verdict)
{
    char value[1024 + 1];
    billing_object *reply = NULL;
    billing_error *error = NULL;
    billing_usage_input *input = billing_usage_input_new();
    billing_usage_batch *batch = billing_usage_batch_new();
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    judge_new(verdict, input);
    judge_new(verdict, batch);
    if (input != NULL && batch != NULL) {
        IGNORE(billing_usage_input_set_customer(input, "c") != 0); /* adding says it again */
        IGNORE(billing_usage_input_add_label(input, "a", value) != 0);
        for (int i = 0; i < 150; i++) {
            judge(verdict, billing_usage_batch_add(batch, input), 0);
        }
        judge(verdict, billing_usage_batch_create(client, batch, &reply, &error), 0);
        billing_object_free(reply);
        billing_error_free(error);
        judge(verdict, billing_usage_create(client, input, &reply, &error), 0);
        billing_object_free(reply);
        billing_error_free(error);
    }
    billing_usage_input_free(input);
    billing_usage_batch_free(batch);
}

/* All of it, with allocation N, from 0, failing.  Whether there was such a one. */
static bool try_all(const char *url, long n, struct verdict *ret)
{
    *ret = (struct verdict){0};
    heap.blocks = 0;
    heap.failed = false;
    heap.until_failure = n;
    heap.counts = true;
    billing_client *client = make_client(url, ret);
    if (client != NULL) {
        try_reads(client, ret);
        try_writes(client, ret);
        try_adjustment(client, ret);
        try_batch(client, ret);
    }
    billing_client_free(client);
    heap.counts = false;
    return heap.failed;
}

static void allocations__each_fails_once__said_or_got_over_and_nothing_left(void **state)
{
    struct verdict verdict;
    long n = 0;
    int said = 0;
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    assert_false(try_all(fake_url(fake), -1, &verdict));
    assert_int_equal(verdict.no_memory, 0);
    assert_int_equal(verdict.wrong, 0);
    assert_i64(heap.blocks, 0);
    for (; try_all(fake_url(fake), n, &verdict); n++) {
        if (verdict.wrong != 0 || heap.blocks != 0) {
            testkit_fail("allocation %ld: status %d, %ld blocks left", n, verdict.wrong,
                         heap.blocks);
        }
        said += verdict.no_memory > 0;
    }
    print_message("%ld allocations, %d of them said to fail, the others got over\n", n, said);
    assert_true(n > 30);
    assert_true(said > n / 3);
    fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(allocations__each_fails_once__said_or_got_over_and_nothing_left),
};

TESTKIT_MAIN(tests)
