#include "tests/model/office.h"

#include <string.h>

#include "proto/timestamp.h"
#include "tests/lib/check_segments.h"

enum {
    FILLERS = 8, /* customers, and again as many */
};

static const char *store_uri = "lmdb:";

void office_take_uri(int *argc, char ***argv)
{
    if (*argc > 1 && strchr((*argv)[1], ':') != NULL) {
        store_uri = (*argv)[1];
        (*argv)[1] = (*argv)[0];
        --*argc;
        ++*argv;
    }
}

static bool has_small_segments(void)
{
    return strstr(store_uri, "head_records=") != NULL;
}

static void connect_to_daemon(struct office *office)
{
    if (!raw_client_open(&office->client, daemon_process_unix(office->daemon))) {
        testkit_fail("cannot connect to the daemon");
    }
}

static void add_customers(struct office *office)
{
    for (int i = 0; i < FILLERS; i++) {
        IGNORE(office_customer(office) == NULL); /* nobody asks for it */
    }
}

/* Record what no test asks for until some of it was sealed and merged: a daemon that stops seals
 * what there is, and one that starts merges it. */
static void fill_segments(struct office *office)
{
    bool merged = false;
    while (!merged) {
        add_customers(office);
        raw_client_close(&office->client);
        daemon_process_stop(office->daemon);
        merged = check_segments_merged(daemon_process_data_dir(office->daemon));
        daemon_process_restart(office->daemon);
        connect_to_daemon(office);
    }
}

int office_open(void **state)
{
    struct office *office = testkit_alloc(sizeof *office);
    static const char *args[] = {"--store", NULL, NULL};
    args[1] = store_uri;
    office->daemon = daemon_process_start(&(struct daemon_options){.args = args});
    connect_to_daemon(office);
    if (has_small_segments()) {
        fill_segments(office);
    }
    *state = office;
    return 0;
}

int office_close(void **state)
{
    struct office *office = *state;
    raw_client_close(&office->client);
    daemon_process_stop(office->daemon);
    daemon_process_destroy(office->daemon);
    memory_done(&office->memory);
    return 0;
}

Billing__V1__Request *office_request(struct office *office, Billing__V1__Request__CallCase call,
                                     void *payload)
{
    Billing__V1__Request *request = OFFICE_NEW(office, Request, request);
    request->call_case = call;
    request->create_usage = payload; /* one place for all */
    return request;
}

static Billing__V1__Response *keep(struct office *office, Billing__V1__Response *received)
{
    Billing__V1__Response *response = message_copy(&office->memory, received);
    billing__v1__response__free_unpacked(received, NULL);
    return response;
}

Billing__V1__Response *office_ask(struct office *office, Billing__V1__Request__CallCase call,
                                  void *payload)
{
    return keep(office, raw_client_call(&office->client, office_request(office, call, payload)));
}

Billing__V1__Response *office_get(struct office *office, Billing__V1__Request__CallCase call,
                                  void *payload)
{
    Billing__V1__Response *response = office_ask(office, call, payload);
    if ((int)response->result_case != (int)call) {
        testkit_fail("expected no problem, got %s", message_words(&office->memory, response));
    }
    return response;
}

Billing__V1__Response *office_receive(struct office *office, struct raw_client *client)
{
    Billing__V1__Response *received = NULL;
    enum sock_result result = raw_client_receive(client, SOCK_PATIENCE_MS, &received);
    if (result != SOCK_OK) {
        testkit_fail("waiting for an answer: %s", sock_result_name(result));
    }
    return keep(office, received);
}

const char *office_customer(struct office *office)
{
    Billing__V1__CreateCustomer *m = OFFICE_NEW(office, CreateCustomer, create_customer);
    PUT_TEXT(m, customer_name, "Acme");
    const Billing__V1__Response *response = office_get(office, OFFICE_CALL(CREATE_CUSTOMER), m);
    ProtobufCBinaryData id = response->create_customer->customer->id;
    return testkit_format("%.*s", (int)id.len, (const char *)id.data);
}

Billing__V1__UsageInput *office_usage(struct office *office, const char *customer,
                                      const char *service, const char *units, const char *price)
{
    Billing__V1__UsageInput *m = OFFICE_NEW(office, UsageInput, usage_input);
    PUT_TEXT(m, customer_id, customer);
    PUT_TEXT(m, service, service);
    PUT_TEXT(m, units_consumed, units);
    PUT_TEXT(m, price_per_unit, price);
    return m;
}

const Billing__V1__Bill *office_bill(struct office *office, const char *customer, int64_t start,
                                     int64_t end)
{
    Billing__V1__GetBill *m = OFFICE_NEW(office, GetBill, get_bill);
    PUT_TEXT(m, customer_id, customer);
    PUT(m, start, start);
    PUT(m, end, end);
    return office_get(office, OFFICE_CALL(GET_BILL), m)->get_bill->bill;
}

Billing__V1__FinalizeInvoice *office_finalize(struct office *office, const char *customer,
                                              int64_t end, const char *request_id)
{
    Billing__V1__FinalizeInvoice *m = OFFICE_NEW(office, FinalizeInvoice, finalize_invoice);
    PUT_TEXT(m, customer_id, customer);
    PUT(m, end, end);
    PUT_TEXT(m, request_id, request_id);
    return m;
}

void office_verify(struct office *office, uint64_t number, uint64_t records)
{
    Billing__V1__VerifyInvoice *m = OFFICE_NEW(office, VerifyInvoice, verify_invoice);
    PUT(m, number, number);
    const Billing__V1__Verification *verification =
        office_get(office, OFFICE_CALL(VERIFY_INVOICE), m)->verify_invoice->verification;
    if (!verification->verified || verification->n_differences > 0) {
        testkit_fail("the invoice is not in order: %s",
                     message_words(&office->memory, verification));
    }
    assert_u64(verification->records, records);
}

int64_t office_time(const char *text)
{
    int64_t time;
    assert_ok(timestamp_parse(text, strlen(text), &time));
    return time;
}
