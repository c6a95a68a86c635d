/* What a flood of one identity, and two thousand idle connections, leave to another: counted, and
 * printed as a ratio.  How fast anything is says the machine, so only what no machine excuses is
 * asserted: that the other one is never told busy, and gets on. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/integration/door_kit.h"

enum {
    IDLE = 2000,
    OTHER_FILES = 200, /* where descriptors are few: that both sides have open beside them */
    FLOODERS = 4,      /* connections of the one that floods */
    IN_FLIGHT = 1000,  /* on each of them */
    MEASURE_MS = 1500,
};

struct sender {
    pthread_t thread;
    const char *address;
    const char *token; /* of its identity; NULL: the user's */
    const char *customer;
    unsigned in_flight;
    bool is_flood;
    atomic_bool *stop;
    atomic_size_t answered;
    atomic_size_t busy;
    bool failed;
};

static enum sock_result send_usage(struct raw_client *client, const struct sender *sender)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__UsageInput usage = BILLING__V1__USAGE_INPUT__INIT;
    usage.has_customer_id = usage.has_service = usage.has_units_consumed =
        usage.has_price_per_unit = true;
    usage.customer_id = raw_bytes(sender->customer);
    usage.service = raw_bytes("Database Hosting");
    usage.units_consumed = raw_bytes("58");
    usage.price_per_unit = raw_bytes("0.05");
    request.call_case = CALL(CREATE_USAGE);
    request.create_usage = &usage;
    if (sender->token != NULL) {
        request.has_token = true;
        request.token = raw_bytes(sender->token);
    }
    return raw_client_send_request(client, &request);
}

static bool receive_one(struct raw_client *client, struct sender *sender)
{
    Billing__V1__Response *response;
    if (raw_client_receive(client, SOCK_PATIENCE_MS, &response) != SOCK_OK) {
        return false;
    }
    bool recorded = response->result_case == BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
    atomic_fetch_add(recorded ? &sender->answered : &sender->busy, 1);
    billing__v1__response__free_unpacked(response, NULL);
    return true;
}

/* Keep as many requests in flight as it has, until it is told to stop. */
static void *sender_main(void *arg)
{
    struct sender *sender = arg;
    struct raw_client client;
    unsigned in_flight = 0;
    if (sender->is_flood) { /* of this thread alone: it is not the processor that is fought for */
        IGNORE(setpriority(PRIO_PROCESS, 0, 19) < 0);
    }
    bool good = raw_client_open(&client, sender->address);
    while (good && (!atomic_load(sender->stop) || in_flight > 0)) {
        while (good && in_flight < sender->in_flight && !atomic_load(sender->stop)) {
            good = send_usage(&client, sender) == SOCK_OK;
            in_flight++;
        }
        if (good && in_flight > 0) {
            good = receive_one(&client, sender);
            in_flight--;
        }
    }
    sender->failed = !good;
    raw_client_close(&client);
    return NULL;
}

static void start_sender(struct sender *sender)
{
    assert_int_equal(pthread_create(&sender->thread, NULL, sender_main, sender), 0);
}

static void stop_sender(struct sender *sender)
{
    atomic_store(sender->stop, true);
    assert_int_equal(pthread_join(sender->thread, NULL), 0);
    assert_false(sender->failed);
}

/* How many requests SENDER gets answered within MEASURE_MS from now, or until there is one. */
static size_t measure(const struct sender *sender)
{
    size_t before = atomic_load(&sender->answered);
    size_t answered;
    int64_t deadline_ms = testkit_now_ms() + SOCK_PATIENCE_MS;
    do {
        IGNORE(poll(NULL, 0, MEASURE_MS)); /* nothing is waited for: it is what is measured */
        answered = atomic_load(&sender->answered) - before;
    } while (answered == 0 && testkit_now_ms() < deadline_ms);
    return answered;
}

static const char *make_customer(void)
{
    struct raw_client client;
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = true;
    create.customer_name = raw_bytes("A");
    request.call_case = CALL(CREATE_CUSTOMER);
    request.create_customer = &create;
    assert_true(raw_client_open(&client, daemon_process_unix(billingd)));
    Billing__V1__Response *response = raw_client_call(&client, &request);
    assert_int_equal(response->result_case, BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER);
    const char *id = testkit_format("%.*s", (int)response->create_customer->customer->id.len,
                                    (const char *)response->create_customer->customer->id.data);
    billing__v1__response__free_unpacked(response, NULL);
    raw_client_close(&client);
    return id;
}

static int *open_idle(size_t n)
{
    int *fds = testkit_alloc(n * sizeof *fds);
    for (size_t i = 0; i < n; i++) {
        fds[i] = sock_connect(daemon_process_tcp(billingd));
        assert_true(fds[i] >= 0);
    }
    return fds;
}

static void compare(const char *customer, const char *token, unsigned in_flight)
{
    atomic_bool stop = false;
    atomic_bool stop_flood = false;
    struct sender flood[FLOODERS];
    struct sender other = {.address = daemon_process_unix(billingd),
                           .customer = customer,
                           .in_flight = in_flight,
                           .stop = &stop};
    start_sender(&other);
    size_t alone = measure(&other);
    for (int i = 0; i < FLOODERS; i++) {
        flood[i] = (struct sender){.address = daemon_process_tcp(billingd),
                                   .token = token,
                                   .customer = customer,
                                   .in_flight = IN_FLIGHT,
                                   .is_flood = true,
                                   .stop = &stop_flood};
        start_sender(&flood[i]);
    }
    size_t beside = measure(&other);
    stop_sender(&other);
    size_t flooded = 0;
    for (int i = 0; i < FLOODERS; i++) {
        stop_sender(&flood[i]);
        flooded += atomic_load(&flood[i].answered);
    }
    print_message("%u in flight: %zu alone, %zu beside a flood that got %zu: %.2f\n", in_flight,
                  alone, beside, flooded, (double)beside / (double)alone);
    assert_true(alone > 0 && beside > 0);
    assert_u64(atomic_load(&other.busy), 0);
}

static void flood__of_one_and_two_thousand_idle__leave_the_other_its_part(void **state)
{
    struct rlimit files;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    assert_true(files.rlim_max / 2 > OTHER_FILES);
    size_t n_idle =
        files.rlim_max / 2 < IDLE + OTHER_FILES ? files.rlim_max / 2 - OTHER_FILES : IDLE;
    billingd = daemon_process_start(NULL);
    const char *customer = make_customer();
    const char *token =
        kit_make_key(daemon_process_unix(billingd), "flood", BILLING__V1__ROLE__WRITER);
    int *idle = open_idle(n_idle);
    compare(customer, token, 1);
    compare(customer, token, 16);
    compare(customer, token, 100);
    compare(customer, token, IN_FLIGHT);
    for (size_t i = 0; i < n_idle; i++) {
        close(idle[i]);
    }
    daemon_process_stop(billingd);
    daemon_process_destroy(billingd);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(flood__of_one_and_two_thousand_idle__leave_the_other_its_part),
};

TESTKIT_MAIN(tests)
