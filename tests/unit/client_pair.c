#include "tests/unit/client_pair.h"

int pair_setup(void **state)
{
    struct pair *pair = testkit_alloc(sizeof *pair);
    billing_options *options = billing_options_new();
    pair->fake = fake_start(NULL, 0);
    assert_i64(billing_options_set_url(options, fake_url(pair->fake)), 0);
    assert_i64(billing_client_new(options, &pair->client), 0);
    billing_options_free(options);
    *state = pair;
    return 0;
}

int pair_teardown(void **state)
{
    struct pair *pair = *state;
    billing_client_free(pair->client);
    fake_stop(pair->fake);
    return 0;
}

Billing__V1__Request *pair_request(struct pair *pair)
{
    struct fake_seen seen = fake_request(pair->fake, pair->seen++);
    Billing__V1__Request *request = billing__v1__request__unpack(NULL, seen.bytes, seen.frame);
    assert_non_null(request);
    assert_u64(request->base.n_unknown_fields, 0);
    return request;
}

void pair_request_done(Billing__V1__Request *request)
{
    billing__v1__request__free_unpacked(request, NULL);
}
