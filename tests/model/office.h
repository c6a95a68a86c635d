/* A daemon and a client of it, for tests that know what they ask for.  Main thread; what goes wrong
 * here fails the test. */
#pragma once

#include "tests/lib/daemon.h"
#include "tests/lib/raw_client.h"
#include "tests/lib/testkit.h"
#include "tests/model/message.h"

struct office {
    struct daemon_process *daemon;
    struct raw_client client;
    struct memory memory; /* of requests and answers */
};

/* A new message in MEMORY of OFFICE. */
#define OFFICE_NEW(office, CamelCase, snake_case)                                                  \
    MESSAGE_NEW(&(office)->memory, Billing__V1__##CamelCase, billing__v1__##snake_case)

#define OFFICE_CALL(name) BILLING__V1__REQUEST__CALL_##name

/* The main() of a program of TESTS whose daemons keep their records in the store that its first
 * argument names, "lmdb:" unless it does: [URI] [PATTERN]. */
#define OFFICE_MAIN(tests)                                                                         \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        office_take_uri(&argc, &argv);                                                             \
        testkit_begin(argc, argv);                                                                 \
        return testkit_end(cmocka_run_group_tests_name(argv[0], tests, NULL, NULL));               \
    }

/* Take the URI off the arguments of a main. */
void office_take_uri(int *argc, char ***argv);

/* setup and teardown of a test, whose state is a struct office *.  In a store of segments of a few
 * records some were sealed and merged before the test begins, and more are as it goes on. */
int office_open(void **state);
int office_close(void **state);

/* A request with PAYLOAD, of the type that CALL has. */
Billing__V1__Request *office_request(struct office *office, Billing__V1__Request__CallCase call,
                                     void *payload);

/* Ask over the office's client. */
Billing__V1__Response *office_ask(struct office *office, Billing__V1__Request__CallCase call,
                                  void *payload);

/* The same, for what is not refused. */
Billing__V1__Response *office_get(struct office *office, Billing__V1__Request__CallCase call,
                                  void *payload);

/* The next answer that CLIENT gets. */
Billing__V1__Response *office_receive(struct office *office, struct raw_client *client);

/* Create a customer; its id, in the kit's memory. */
const char *office_customer(struct office *office);

/* A usage record of CUSTOMER's: UNITS of SERVICE at PRICE. */
Billing__V1__UsageInput *office_usage(struct office *office, const char *customer,
                                      const char *service, const char *units, const char *price);

/* The bill of CUSTOMER for [START, END). */
const Billing__V1__Bill *office_bill(struct office *office, const char *customer, int64_t start,
                                     int64_t end);

/* The request to finalise CUSTOMER's records up to END. */
Billing__V1__FinalizeInvoice *office_finalize(struct office *office, const char *customer,
                                              int64_t end, const char *request_id);

/* Fail unless the daemon finds invoice NUMBER in order, over RECORDS records. */
void office_verify(struct office *office, uint64_t number, uint64_t records);

/* The time that TEXT says. */
int64_t office_time(const char *text);
