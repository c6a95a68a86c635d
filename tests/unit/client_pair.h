/* A fake daemon that answers properly, and a client of it: for tests of what a call sends and what
 * its reply says.  Main thread. */
#pragma once

#include <billing/billing.h>

#include "billing.pb-c.h"
#include "tests/lib/testkit.h"
#include "tests/unit/fake_daemon.h"

struct pair {
    struct fake_daemon *fake;
    billing_client *client;
    size_t seen; /* requests that the test has looked at */
};

/* For cmocka_unit_test_setup_teardown(): the test's state is a struct pair. */
int pair_setup(void **state);
int pair_teardown(void **state);

/* The next request that the fake saw, to be freed with pair_request_done(). */
Billing__V1__Request *pair_request(struct pair *pair);
void pair_request_done(Billing__V1__Request *request);

/* That FIELD of MESSAGE, a byte field, is set to EXPECTED. */
#define assert_field(message, field, expected)                                                     \
    do {                                                                                           \
        assert_true((message)->has_##field);                                                       \
        assert_text((message)->field.data, (message)->field.len, expected);                        \
    } while (0)
