#include "tests/fuzz/invariants.h"

#include <stdlib.h>
#include <string.h>

#include "billingd/rpc/json_lint.h"
#include "billingd/rpc/object_id.h"
#include "proto/json_writer.h"
#include "proto/timestamp.h"
#include "tests/fuzz/fuzz.h"

enum {
    CUSTOMERS_MAX = 256,
    PAGE_ROWS = 1000,
};

#define CALL(name) BILLING__V1__REQUEST__CALL_##name

void check_response(const Billing__V1__Response *response)
{
    struct json_text text = {0};
    struct json_lint lint;
    FUZZ_CHECK(response->result_case != BILLING__V1__RESPONSE__RESULT__NOT_SET);
    FUZZ_CHECK(json_write_message(&text, &response->problem->base) == 0); /* whichever it is */
    FUZZ_CHECK(json_lint((struct slice){text.data, text.length}, &lint) == 0);
    free(text.data);
}

/* --- the journal, added up -------------------------------------------------------------------- */

struct sum {
    uint64_t customer; /* sequence number of its creation */
    struct amount exact;
};

struct sums {
    struct store_view *view;
    struct sum customers[CUSTOMERS_MAX];
    size_t n;
};

static struct amount *sum_of(struct sums *sums, uint64_t customer)
{
    for (size_t i = 0; i < sums->n; i++) {
        if (sums->customers[i].customer == customer) {
            return &sums->customers[i].exact;
        }
    }
    FUZZ_CHECK(sums->n < CUSTOMERS_MAX);
    sums->customers[sums->n] = (struct sum){.customer = customer, .exact = amount_zero()};
    return &sums->customers[sums->n++].exact;
}

static struct amount amount_of(const struct usage *usage)
{
    struct amount amount;
    FUZZ_CHECK(amount_product(usage->units, usage->price, &amount) == 0);
    return amount;
}

static int add_record(const struct record *record, void *arg)
{
    struct sums *sums = arg;
    struct record voided;
    switch (record->kind) {
    case RECORD_CUSTOMER_CREATED:
        IGNORE(sum_of(sums, record->seq) == NULL); /* it has one from now on */
        break;
    case RECORD_USAGE:
        FUZZ_CHECK(amount_add(sum_of(sums, record->usage.customer), amount_of(&record->usage)) ==
                   0);
        break;
    case RECORD_ADJUSTMENT:
        FUZZ_CHECK(amount_add(sum_of(sums, record->adjustment.customer),
                              amount_from_decimal(record->adjustment.amount)) == 0);
        break;
    case RECORD_USAGE_VOIDED: {
        uint64_t customer = record->usage_voided.customer;
        FUZZ_CHECK(store_record(sums->view, record->usage_voided.usage, &voided) == 0);
        FUZZ_CHECK(voided.kind == RECORD_USAGE && voided.usage.customer == customer);
        FUZZ_CHECK(amount_subtract(sum_of(sums, customer), amount_of(&voided.usage)) == 0);
        break;
    }
    case RECORD_CUSTOMER_RENAMED:
    case RECORD_INVOICE:
    case RECORD_INVOICE_ENTRIES:
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return 0;
}

static void add_up(struct counter *counter, struct sums *sums)
{
    sums->n = 0;
    FUZZ_CHECK(store_snapshot(counter->store, &sums->view) == 0);
    FUZZ_CHECK(store_scan_journal(sums->view, 0, add_record, sums) == 0);
    store_release(sums->view);
}

/* --- bills and invoices ----------------------------------------------------------------------- */

static Billing__V1__Response *ask(struct counter *counter, Billing__V1__Request__CallCase call,
                                  void *message)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    request.call_case = call;
    request.create_customer = message; /* all members of the union are pointers */
    size_t size = billing__v1__request__get_packed_size(&request);
    uint8_t *packed = malloc(size + 1);
    FUZZ_CHECK(packed != NULL);
    billing__v1__request__pack(&request, packed);
    Billing__V1__Response *response = counter_call(counter, packed, size);
    free(packed);
    FUZZ_CHECK((unsigned)response->result_case == (unsigned)call);
    return response;
}

static struct amount parsed(ProtobufCBinaryData text)
{
    struct amount amount;
    FUZZ_CHECK(amount_parse((const char *)text.data, text.len, &amount) == 0);
    return amount;
}

static void check_bill(struct counter *counter, const struct sum *sum)
{
    Billing__V1__GetBill get = BILLING__V1__GET_BILL__INIT;
    char id[OBJECT_ID_TEXT_MAX];
    get.has_customer_id = get.has_start = get.has_end = get.has_limit = true;
    get.customer_id.len = object_id_print(OBJECT_CUSTOMER, sum->customer, COUNTER_ID_KEY, id);
    get.customer_id.data = (uint8_t *)id;
    get.end = TIMESTAMP_MAX;
    get.limit = PAGE_ROWS;
    Billing__V1__Response *response = ask(counter, CALL(GET_BILL), &get);
    const Billing__V1__Bill *bill = response->get_bill->bill;
    struct amount exact = amount_zero();
    struct amount total = amount_zero();
    for (size_t i = 0; i < bill->n_lines; i++) {
        FUZZ_CHECK(amount_add(&exact, parsed(bill->lines[i]->exact_amount)) == 0);
        FUZZ_CHECK(amount_add(&total, parsed(bill->lines[i]->amount)) == 0);
    }
    for (size_t i = 0; i < bill->n_adjustments; i++) {
        FUZZ_CHECK(amount_add(&exact, parsed(bill->adjustments[i]->exact_amount)) == 0);
        FUZZ_CHECK(amount_add(&total, parsed(bill->adjustments[i]->amount)) == 0);
    }
    FUZZ_CHECK(!response->get_bill->has_next_cursor);
    FUZZ_CHECK(amount_compare(exact, sum->exact) == 0);
    FUZZ_CHECK(amount_compare(parsed(bill->exact_total), exact) == 0);
    FUZZ_CHECK(amount_compare(parsed(bill->total), total) == 0);
    FUZZ_CHECK(amount_subtract(&total, exact) == 0);
    FUZZ_CHECK(amount_compare(parsed(bill->rounding), total) == 0);
    billing__v1__response__free_unpacked(response, NULL);
}

static void check_invoice(struct counter *counter, uint64_t number)
{
    Billing__V1__VerifyInvoice verify = BILLING__V1__VERIFY_INVOICE__INIT;
    verify.has_number = true;
    verify.number = number;
    Billing__V1__Response *response = ask(counter, CALL(VERIFY_INVOICE), &verify);
    FUZZ_CHECK(response->verify_invoice->verification->verified);
    billing__v1__response__free_unpacked(response, NULL);
}

void check_money(struct counter *counter)
{
    static struct sums sums;
    struct store_info info = counter_info(counter);
    add_up(counter, &sums);
    FUZZ_CHECK(sums.n == info.customers);
    for (size_t i = 0; i < sums.n; i++) {
        check_bill(counter, &sums.customers[i]);
    }
    for (uint64_t number = 1; number <= info.invoices; number++) {
        check_invoice(counter, number);
    }
}
