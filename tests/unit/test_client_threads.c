/* Clients that several threads, or a parent and its child, use at once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <billing/billing.h>

#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

enum {
    THREADS = 8,
    CALLS = 50, /* a thread */
};

static billing_client *client_of(const struct fake_daemon *fake)
{
    billing_options *options = billing_options_new();
    billing_client *client;
    assert_i64(billing_options_set_url(options, fake_url(fake)), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    return client;
}

/* A thread that makes calls and collects what came of them. */
struct caller {
    pthread_t thread;
    billing_client *client;
    int calls;
    int failed; /* calls that did, or whose reply was not theirs */
};

static void *call(void *arg)
{
    struct caller *caller = arg;
    for (int i = 0; i < caller->calls; i++) {
        billing_object *reply;
        char id[37];
        if (billing_request_id_new(id, sizeof id) != 0 ||
            billing_customer_create(caller->client, id, NULL, id, &reply, NULL) != 0) {
            caller->failed++;
            continue;
        }
        const char *name = billing_object_text(reply, "customer.name");
        const char *request_id = billing_object_request_id(reply);
        caller->failed += strcmp(name, id) != 0 || strcmp(request_id, id) != 0;
        billing_object_free(reply);
    }
    return NULL;
}

/* Let COUNT threads make CALLS each through CLIENT; returns how many calls failed. */
static int call_from(billing_client *client, int count, int calls)
{
    struct caller callers[THREADS];
    int failed = 0;
    for (int i = 0; i < count; i++) {
        callers[i] = (struct caller){.client = client, .calls = calls};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < count; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        failed += callers[i].failed;
    }
    return failed;
}

static void one_client__many_threads__each_gets_its_own_answers(void **state)
{
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    billing_client *client = client_of(fake);
    assert_int_equal(call_from(client, THREADS, CALLS), 0);
    assert_u64(fake_requests(fake), THREADS * CALLS);
    assert_true(fake_connections(fake) <= THREADS);
    billing_client_free(client);
    fake_stop(fake);
}

/* The daemon answers the first only when it has the second: threads that waited for each other
 * would never end. */
static void one_client__two_threads__do_not_wait_for_each_other(void **state)
{
    static const struct fake_step script[] = {{.act = FAKE_HOLD}};
    (void)state;
    struct fake_daemon *fake = fake_start(script, 1);
    billing_client *client = client_of(fake);
    assert_int_equal(call_from(client, 2, 1), 0);
    assert_u64(fake_requests(fake), 2);
    assert_int_equal(fake_connections(fake), 2);
    billing_client_free(client);
    fake_stop(fake);
}

static void *get_shared(void *arg)
{
    billing_client **client = arg;
    *client = billing_client_shared();
    return NULL;
}

static void shared__first_used_by_many_threads__is_one(void **state)
{
    pthread_t threads[THREADS];
    billing_client *clients[THREADS] = {0};
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    assert_int_equal(setenv("BILLING_URL", fake_url(fake), 1), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_shared, &clients[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_non_null(clients[i]);
        assert_ptr_equal(clients[i], clients[0]);
    }
    assert_int_equal(call_from(billing_client_shared(), THREADS, 1), 0);
    fake_stop(fake);
}

/* --- fork ------------------------------------------------------------------------------------- */

/* In the child: a call on CLIENT through a connection of its own. */
static int call_in_child(billing_client *client)
{
    struct caller caller = {.client = client, .calls = 3};
    call(&caller);
    billing_client_free(client);
    return caller.failed;
}

static void forked_child__uses_the_client__parents_connection_is_left_alone(void **state)
{
    int status = -1;
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    billing_client *client = client_of(fake);
    assert_int_equal(call_from(client, 1, 1), 0);
    pid_t child = fork();
    if (child == 0) {
        _exit(call_in_child(client));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(fake_connections(fake), 2);
    assert_int_equal(call_from(client, 1, 1), 0); /* on the first connection still */
    assert_int_equal(fake_connections(fake), 2);
    assert_int_equal(fake_request(fake, 4).connection, 1);
    billing_client_free(client);
    fake_stop(fake);
}

/* A reply never changes, so reading needs no lock. */
static void *read_reply(void *arg)
{
    const billing_object *reply = arg;
    for (int i = 0; i < CALLS; i++) {
        char *json = NULL;
        if (billing_object_text(reply, "bill.total") == NULL ||
            billing_object_item(reply, "bill.lines", 0) == NULL ||
            billing_object_json(reply, &json, NULL) != 0) {
            return arg;
        }
        billing_text_free(json);
    }
    return NULL;
}

static void one_reply__many_threads__read_it_at_once(void **state)
{
    pthread_t threads[THREADS];
    billing_object *reply;
    (void)state;
    struct fake_daemon *fake = fake_start(NULL, 0);
    billing_client *client = client_of(fake);
    assert_i64(billing_bill_get(client, "c", NULL, &reply, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_reply, reply), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    billing_object_free(reply);
    billing_client_free(client);
    fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_client__many_threads__each_gets_its_own_answers),
    cmocka_unit_test(one_client__two_threads__do_not_wait_for_each_other),
    cmocka_unit_test(shared__first_used_by_many_threads__is_one),
    cmocka_unit_test(forked_child__uses_the_client__parents_connection_is_left_alone),
    cmocka_unit_test(one_reply__many_threads__read_it_at_once),
};

TESTKIT_MAIN(tests)
