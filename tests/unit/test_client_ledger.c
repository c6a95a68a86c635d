/* The calls of the client library about voids, adjustments, summaries, bills, invoices and the
 * catalogue: what goes over the wire, what comes back, and what is tried again. */
#include <string.h>

#include "tests/unit/client_pair.h"

#define T0 INT64_C(1795345298000000)

/* --- voids ------------------------------------------------------------------------------------ */

static void usage_void__every_argument__sent(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(
        billing_usage_void(pair->client, "external:x", "use_1", "twice", "r-1", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "void.id"), "voi_1");
    assert_string_equal(billing_object_text(reply, "void.amount"), "-2.9");
    assert_string_equal(billing_object_text(reply, "void.request_id"), "r-1");
    assert_string_equal(billing_object_request_id(reply), "r-1");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->void_usage, customer_id, "external:x");
    assert_field(request->void_usage, usage_id, "use_1");
    assert_field(request->void_usage, reason, "twice");
    assert_field(request->void_usage, request_id, "r-1");
    pair_request_done(request);
}

static void usage_void__no_request_id_and_no_reason__one_made_and_the_other_left_out(void **state)
{
    struct pair *pair = *state;
    assert_i64(billing_usage_void(pair->client, "c", "use_1", NULL, NULL, NULL, NULL), 0);
    Billing__V1__Request *request = pair_request(pair);
    assert_u64(request->void_usage->request_id.len, 36);
    assert_false(request->void_usage->has_reason);
    pair_request_done(request);
}

static void void_get__ids__sent(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_void_get(pair->client, "cus_1", "use_1", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "void.reason"), "twice");
    assert_null(billing_object_request_id(reply));
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->get_void, customer_id, "cus_1");
    assert_field(request->get_void, usage_id, "use_1");
    pair_request_done(request);
}

/* --- adjustments ------------------------------------------------------------------------------ */

static void adjustment_create__every_field__sent(void **state)
{
    struct pair *pair = *state;
    billing_adjustment_input *input = billing_adjustment_input_new();
    billing_object *reply;
    assert_i64(billing_adjustment_input_set_customer(input, "cus_0"), 0);
    assert_i64(billing_adjustment_input_set_customer(input, "cus_1"), 0); /* the last one counts */
    assert_i64(billing_adjustment_input_set_amount(input, "-12.345"), 0);
    assert_i64(billing_adjustment_input_set_reason(input, "goodwill"), 0);
    assert_i64(billing_adjustment_input_set_service(input, "Disk"), 0);
    assert_i64(billing_adjustment_input_set_time_us(input, T0), 0);
    assert_i64(billing_adjustment_input_set_request_id(input, "r-1"), 0);
    assert_i64(billing_adjustment_create(pair->client, input, &reply, NULL), 0);
    billing_adjustment_input_free(input);
    assert_string_equal(billing_object_text(reply, "adjustment.amount"), "-12.345");
    assert_string_equal(billing_object_text(reply, "adjustment.request_id"), "r-1");
    assert_string_equal(billing_object_request_id(reply), "r-1");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__CreateAdjustment *sent = request->create_adjustment;
    assert_field(sent, customer_id, "cus_1");
    assert_field(sent, amount, "-12.345");
    assert_field(sent, reason, "goodwill");
    assert_field(sent, service, "Disk");
    assert_true(sent->has_occurred_at);
    assert_i64(sent->occurred_at, T0);
    assert_field(sent, request_id, "r-1");
    pair_request_done(request);
}

static void adjustment_input__cleared__nothing_of_it_is_left(void **state)
{
    struct pair *pair = *state;
    billing_adjustment_input *input = billing_adjustment_input_new();
    assert_i64(billing_adjustment_input_set_customer(input, "cus_1"), 0);
    assert_i64(billing_adjustment_input_set_amount(input, "1"), 0);
    assert_i64(billing_adjustment_input_set_reason(input, "r"), 0);
    assert_i64(billing_adjustment_input_set_service(input, "s"), 0);
    assert_i64(billing_adjustment_input_set_request_id(input, "r-1"), 0);
    assert_i64(billing_adjustment_input_set_time_us(input, 0), 0); /* 1970 is a time too */
    billing_adjustment_input_clear(input);
    assert_i64(billing_adjustment_create(pair->client, input, NULL, NULL), 0);
    assert_i64(billing_adjustment_create(pair->client, input, NULL, NULL), 0);
    billing_adjustment_input_free(input);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__CreateAdjustment *sent = request->create_adjustment;
    assert_false(sent->has_customer_id || sent->has_amount || sent->has_reason ||
                 sent->has_service || sent->has_occurred_at);
    assert_u64(sent->request_id.len, 36); /* made for the call, not in the input */
    pair_request_done(request);
    assert_string_not_equal(fake_request(pair->fake, 0).request_id,
                            fake_request(pair->fake, 1).request_id);
}

static void adjustment_input__bad_arguments__refused(void **state)
{
    billing_adjustment_input *input = billing_adjustment_input_new();
    billing_error *error;
    struct pair *pair = *state;
    assert_i64(billing_adjustment_input_set_time_us(input, -1), BILLING_E_RANGE);
    assert_i64(billing_adjustment_input_set_time_us(input, INT64_MAX), BILLING_E_RANGE);
    assert_i64(billing_adjustment_input_set_time_us(NULL, 1), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_input_set_customer(NULL, "c"), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_input_set_amount(NULL, "1"), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_input_set_reason(NULL, "r"), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_input_set_service(NULL, "s"), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_input_set_request_id(NULL, "r"), BILLING_E_ARGUMENT);
    assert_i64(billing_adjustment_create(pair->client, NULL, NULL, &error), BILLING_E_ARGUMENT);
    assert_string_equal(billing_error_detail(error), "no adjustment input");
    assert_u64(fake_requests(pair->fake), 0);
    billing_error_free(error);
    billing_adjustment_input_clear(NULL);
    billing_adjustment_input_free(NULL);
    billing_adjustment_input_free(input);
}

static void adjustment_list__query__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_start_us(query, 0), 0);
    assert_i64(billing_query_set_end_us(query, T0), 0);
    assert_i64(billing_query_set_by(query, BILLING_BY_BILLED), 0);
    assert_i64(billing_query_set_service(query, "s"), 0);
    assert_i64(billing_query_set_limit(query, 7), 0);
    assert_i64(billing_query_set_cursor(query, "c_1"), 0);
    assert_i64(billing_adjustment_list(pair->client, "cus_1", query, &reply, NULL), 0);
    billing_query_free(query);
    assert_u64(billing_object_count(reply, "adjustments"), 1);
    assert_string_equal(billing_object_text(reply, "next_cursor"), "go_on-2");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__ListAdjustments *sent = request->list_adjustments;
    assert_field(sent, customer_id, "cus_1");
    assert_true(sent->has_start);
    assert_i64(sent->start, 0);
    assert_i64(sent->end, T0);
    assert_int_equal(sent->by, BILLING__V1__CLOCK__BILLED);
    assert_field(sent, service, "s");
    assert_u64(sent->limit, 7);
    assert_field(sent, cursor, "c_1");
    pair_request_done(request);
}

/* --- summaries and bills ---------------------------------------------------------------------- */

static void usage_summary__query__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_window(query, BILLING_WINDOW_MONTH), 0);
    assert_i64(billing_query_set_group_by_service(query, true), 0);
    assert_i64(billing_query_set_include_empty(query, true), 0);
    assert_i64(billing_query_set_by(query, BILLING_BY_OCCURRED), 0);
    assert_i64(billing_usage_summary(pair->client, "cus_1", query, &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "summary.window"), "month");
    assert_u64(billing_object_count(reply, "summary.rows"), 1);
    assert_u64(billing_object_uint64(billing_object_item(reply, "summary.rows", 0), "records"), 7);
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    const Billing__V1__SummarizeUsage *sent = request->summarize_usage;
    assert_field(sent, customer_id, "cus_1");
    assert_true(sent->has_window && sent->has_group_by && sent->has_include_empty && sent->has_by);
    assert_int_equal(sent->window, BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH);
    assert_int_equal(sent->group_by, BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE);
    assert_int_equal(sent->by, BILLING__V1__CLOCK__OCCURRED);
    assert_true(sent->include_empty);
    assert_false(sent->has_start || sent->has_end || sent->has_service || sent->has_limit);
    pair_request_done(request);
    assert_i64(billing_query_set_group_by_service(query, false), 0);
    assert_i64(billing_query_set_include_empty(query, false), 0);
    assert_i64(billing_query_set_window(query, BILLING_WINDOW_HOUR), 0);
    assert_i64(billing_usage_summary(pair->client, "cus_1", query, NULL, NULL), 0);
    request = pair_request(pair);
    assert_false(request->summarize_usage->has_group_by ||
                 request->summarize_usage->has_include_empty);
    assert_int_equal(request->summarize_usage->window, BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR);
    pair_request_done(request);
    billing_query_free(query);
}

static void bill_list__query__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_end_us(query, T0), 0);
    assert_i64(billing_bill_list(pair->client, query, &reply, NULL), 0);
    billing_query_free(query);
    const billing_object *totals = billing_object_item(reply, "bills", 0);
    assert_u64(billing_object_uint64(totals, "lines"), 3);
    assert_string_equal(billing_object_text(totals, "total"), "-2.9");
    assert_i64(billing_object_time_us(totals, "start"), -1);
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_false(request->list_bills->has_start);
    assert_i64(request->list_bills->end, T0);
    pair_request_done(request);
}

static void bill_records__query__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_service(query, "Disk"), 0);
    assert_i64(billing_query_set_price(query, "0.05"), 0);
    assert_i64(billing_bill_records(pair->client, "cus_1", query, &reply, NULL), 0);
    billing_query_free(query);
    const billing_object *record = billing_object_item(reply, "records", 0);
    assert_string_equal(billing_object_text(record, "kind"), "void");
    assert_string_equal(billing_object_text(record, "units_consumed"), "-58");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->list_bill_records, customer_id, "cus_1");
    assert_field(request->list_bill_records, service, "Disk");
    assert_field(request->list_bill_records, price_per_unit, "0.05");
    pair_request_done(request);
}

/* --- invoices --------------------------------------------------------------------------------- */

static void invoice_finalize__window_and_request_id__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_end_us(query, T0), 0);
    assert_i64(billing_invoice_finalize(pair->client, "cus_1", query, "r-1", &reply, NULL), 0);
    assert_u64(billing_object_uint64(reply, "invoice.number"), UINT64_MAX);
    assert_string_equal(billing_object_request_id(reply), "r-1");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->finalize_invoice, customer_id, "cus_1");
    assert_false(request->finalize_invoice->has_start);
    assert_i64(request->finalize_invoice->end, T0);
    assert_field(request->finalize_invoice, request_id, "r-1");
    pair_request_done(request);
    assert_i64(billing_query_set_start_us(query, T0 - 1), 0);
    assert_i64(billing_invoice_finalize(pair->client, "cus_1", query, NULL, NULL, NULL), 0);
    request = pair_request(pair);
    assert_i64(request->finalize_invoice->start, T0 - 1);
    assert_u64(request->finalize_invoice->request_id.len, 36);
    pair_request_done(request);
    billing_query_free(query);
}

static void invoices__numbers_and_queries__sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_object *reply;
    assert_i64(billing_query_set_cursor(query, "c_1"), 0);
    assert_i64(billing_invoice_get(pair->client, 42, query, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "invoice.lines"), 1);
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_u64(request->get_invoice->number, 42);
    assert_field(request->get_invoice, cursor, "c_1");
    pair_request_done(request);
    assert_i64(billing_invoice_list(pair->client, NULL, query, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "invoices"), 1);
    billing_object_free(reply);
    request = pair_request(pair);
    assert_false(request->list_invoices->has_customer_id);
    assert_field(request->list_invoices, cursor, "c_1");
    pair_request_done(request);
    assert_i64(billing_invoice_list(pair->client, "cus_1", NULL, NULL, NULL), 0);
    request = pair_request(pair);
    assert_field(request->list_invoices, customer_id, "cus_1");
    pair_request_done(request);
    billing_query_free(query);
}

static void invoice_verify__differences__read(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_invoice_verify(pair->client, 1, &reply, NULL), 0);
    assert_false(billing_object_flag(reply, "verification.verified"));
    const billing_object *difference = billing_object_item(reply, "verification.differences", 0);
    assert_string_equal(billing_object_text(difference, "what"), "digest");
    assert_null(billing_object_text(difference, "invoice"));
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_true(request->verify_invoice->has_number);
    assert_u64(request->verify_invoice->number, 1);
    pair_request_done(request);
}

/* --- the catalogue ---------------------------------------------------------------------------- */

static void services__names_and_units__sent(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    assert_i64(billing_service_put(pair->client, "Disk", "GB", &reply, NULL), 0);
    assert_string_equal(billing_object_text(reply, "service.unit"), "hour");
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->put_service, name, "Disk");
    assert_field(request->put_service, unit, "GB");
    pair_request_done(request);
    assert_i64(billing_service_put(pair->client, "Disk", NULL, NULL, NULL), 0);
    request = pair_request(pair);
    assert_false(request->put_service->has_unit);
    pair_request_done(request);
    assert_i64(billing_service_get(pair->client, "Disk", NULL, NULL), 0);
    request = pair_request(pair);
    assert_field(request->get_service, name, "Disk");
    pair_request_done(request);
    assert_i64(billing_service_list(pair->client, NULL, &reply, NULL), 0);
    assert_u64(billing_object_count(reply, "services"), 1);
    billing_object_free(reply);
    pair_request_done(pair_request(pair));
}

static void service_delete__reply__is_empty(void **state)
{
    struct pair *pair = *state;
    billing_object *reply;
    char *json;
    assert_i64(billing_service_delete(pair->client, "Disk", &reply, NULL), 0);
    assert_u64(billing_object_field_count(reply), 0);
    assert_i64(billing_object_json(reply, &json, NULL), 0);
    assert_string_equal(json, "{}");
    billing_text_free(json);
    billing_object_free(reply);
    Billing__V1__Request *request = pair_request(pair);
    assert_field(request->delete_service, name, "Disk");
    pair_request_done(request);
}

/* --- queries ---------------------------------------------------------------------------------- */

static void query_setters__past_bounds__refused(void **state)
{
    billing_query *query = billing_query_new();
    (void)state;
    assert_i64(billing_query_set_window(query, (billing_window)0), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_window(query, (billing_window)4), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_window(NULL, BILLING_WINDOW_DAY), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_group_by_service(NULL, true), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_include_empty(NULL, true), BILLING_E_ARGUMENT);
    assert_i64(billing_query_set_price(NULL, "1"), BILLING_E_ARGUMENT);
    billing_query_free(query);
}

/* That a call ended with BILLING_E_ARGUMENT, for REASON. */
static void assert_refused(int status, billing_error *error, const char *reason)
{
    assert_i64(status, BILLING_E_ARGUMENT);
    assert_string_equal(billing_error_detail(error), reason);
    billing_error_free(error);
}

static void queries__a_field_that_the_call_does_not_take__argument_and_nothing_sent(void **state)
{
    struct pair *pair = *state;
    billing_query *query = billing_query_new();
    billing_error *error;
    assert_i64(billing_query_set_price(query, "1"), 0);
    int status = billing_usage_list(pair->client, "c", query, NULL, &error);
    assert_refused(status, error, "ListUsage takes no price_per_unit");
    status = billing_usage_summary(pair->client, "c", query, NULL, &error);
    assert_refused(status, error, "SummarizeUsage takes no price_per_unit");
    status = billing_service_list(pair->client, query, NULL, &error);
    assert_refused(status, error, "ListServices takes no price_per_unit");
    assert_i64(billing_query_set_price(query, NULL), 0);
    assert_i64(billing_query_set_group_by_service(query, true), 0);
    status = billing_bill_list(pair->client, query, NULL, &error);
    assert_refused(status, error, "ListBills takes no group_by");
    assert_i64(billing_query_set_group_by_service(query, false), 0);
    assert_i64(billing_query_set_include_empty(query, true), 0);
    status = billing_adjustment_list(pair->client, "c", query, NULL, &error);
    assert_refused(status, error, "ListAdjustments takes no include_empty");
    assert_i64(billing_query_set_include_empty(query, false), 0);
    assert_i64(billing_query_set_limit(query, 5), 0);
    status = billing_invoice_finalize(pair->client, "c", query, NULL, NULL, &error);
    assert_refused(status, error, "FinalizeInvoice takes no limit");
    assert_i64(billing_query_set_end_us(query, 5), 0);
    status = billing_invoice_get(pair->client, 1, query, NULL, &error);
    assert_refused(status, error, "GetInvoice takes no end");
    status = billing_invoice_list(pair->client, NULL, query, NULL, &error);
    assert_refused(status, error, "ListInvoices takes no end");
    assert_i64(billing_query_set_window(query, BILLING_WINDOW_DAY), 0);
    status = billing_bill_records(pair->client, "c", query, NULL, &error);
    assert_refused(status, error, "ListBillRecords takes no window");
    assert_u64(fake_requests(pair->fake), 0);
    billing_query_free(query);
}

/* --- trying again ----------------------------------------------------------------------------- */

enum call {
    VOID,
    ADJUST,
    FINALIZE,
    PUT,
    DELETE,
    /* Those from here on only read. */
    GET_VOID,
    LIST_ADJUSTMENTS,
    SUMMARIZE,
    LIST_BILLS,
    LIST_RECORDS,
    GET_INVOICE,
    LIST_INVOICES,
    VERIFY,
    GET_SERVICE,
    LIST_SERVICES,
    CALL__COUNT,
};

static int adjust(billing_client *client, const char *request_id, billing_error **ret_error)
{
    billing_adjustment_input *input = billing_adjustment_input_new();
    assert_i64(billing_adjustment_input_set_amount(input, "1"), 0);
    assert_i64(billing_adjustment_input_set_request_id(input, request_id), 0);
    int status = billing_adjustment_create(client, input, NULL, ret_error);
    billing_adjustment_input_free(input);
    return status;
}

/* Make CALL, where it takes one under REQUEST_ID. */
static int run_call(billing_client *client, enum call call, const char *request_id,
                    billing_error **ret_error)
{
    switch (call) {
    case VOID:
        return billing_usage_void(client, "c", "u", "r", request_id, NULL, ret_error);
    case ADJUST:
        return adjust(client, request_id, ret_error);
    case FINALIZE:
        return billing_invoice_finalize(client, "c", NULL, request_id, NULL, ret_error);
    case PUT:
        return billing_service_put(client, "s", NULL, NULL, ret_error);
    case DELETE:
        return billing_service_delete(client, "s", NULL, ret_error);
    case GET_VOID:
        return billing_void_get(client, "c", "u", NULL, ret_error);
    case LIST_ADJUSTMENTS:
        return billing_adjustment_list(client, "c", NULL, NULL, ret_error);
    case SUMMARIZE:
        return billing_usage_summary(client, "c", NULL, NULL, ret_error);
    case LIST_BILLS:
        return billing_bill_list(client, NULL, NULL, ret_error);
    case LIST_RECORDS:
        return billing_bill_records(client, "c", NULL, NULL, ret_error);
    case GET_INVOICE:
        return billing_invoice_get(client, 1, NULL, NULL, ret_error);
    case LIST_INVOICES:
        return billing_invoice_list(client, NULL, NULL, NULL, ret_error);
    case VERIFY:
        return billing_invoice_verify(client, 1, NULL, ret_error);
    case GET_SERVICE:
        return billing_service_get(client, "s", NULL, ret_error);
    case LIST_SERVICES:
        return billing_service_list(client, NULL, NULL, ret_error);
    case CALL__COUNT:
        break;
    }
    return 1;
}

/* Make CALL of a fake with SCRIPT, trying again at once.  *RET_FAKE is to be stopped. */
static int run_script(const struct fake_step *script, size_t steps, enum call call,
                      const char *request_id, struct fake_daemon **ret_fake,
                      billing_error **ret_error)
{
    billing_options *options = billing_options_new();
    billing_client *client;
    *ret_fake = fake_start(script, steps);
    assert_i64(billing_options_set_url(options, fake_url(*ret_fake)), 0);
    assert_i64(billing_options_set_retry_delay_ms(options, 0), 0);
    assert_i64(billing_client_new(options, &client), 0);
    billing_options_free(options);
    int status = run_call(client, call, request_id, ret_error);
    billing_client_free(client);
    return status;
}

static void calls__busy_then_lost__tried_again_under_one_request_id(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_PROBLEM, .code = "busy", .http = 503},
        {.act = FAKE_HANG_UP},
        {.act = FAKE_REPLAY},
    };
    (void)state;
    for (int i = 0; i < 2 * CALL__COUNT; i++) {
        enum call call = (enum call)(i / 2);
        const char *given = i % 2 == 0 ? "r-1" : NULL;
        struct fake_daemon *fake;
        assert_i64(run_script(script, 3, call, given, &fake, NULL), 0);
        assert_u64(fake_requests(fake), 3);
        struct fake_seen first = fake_request(fake, 0);
        bool takes_id = call <= FINALIZE;
        assert_u64(strlen(first.request_id), takes_id ? given != NULL ? 3U : 36U : 0U);
        for (size_t j = 1; j < 3; j++) {
            assert_string_equal(fake_request(fake, j).request_id, first.request_id);
        }
        fake_stop(fake);
    }
}

static void calls__lost_for_ever__unknown_where_they_write(void **state)
{
    static const struct fake_step script[] = {
        {.act = FAKE_HANG_UP},
        {.act = FAKE_HANG_UP},
        {.act = FAKE_HANG_UP},
        {.act = FAKE_HANG_UP},
    };
    (void)state;
    for (int i = 0; i < CALL__COUNT; i++) {
        billing_error *error;
        struct fake_daemon *fake;
        int status = run_script(script, 4, (enum call)i, "r-1", &fake, &error);
        assert_i64(status, i <= DELETE ? BILLING_E_UNKNOWN : BILLING_E_NOT_RECORDED);
        assert_int_equal(billing_error_attempts(error), 4);
        if (i <= FINALIZE) {
            assert_string_equal(billing_error_request_id(error), "r-1");
        } else {
            assert_null(billing_error_request_id(error));
        }
        billing_error_free(error);
        fake_stop(fake);
    }
}

/* What stands behind the look-up of the request id settles what an earlier try left open. */
static void calls__lost_then_refused__not_recorded(void **state)
{
    static const struct {
        enum call call;
        const char *code;
        uint32_t http;
    } rows[] = {
        {VOID, "already_voided", 409},        {VOID, "usage_not_found", 404},
        {ADJUST, "amount_too_large", 422},    {ADJUST, "service_not_allowed", 422},
        {FINALIZE, "already_finalized", 409}, {FINALIZE, "period_not_closed", 422},
        {FINALIZE, "not_contiguous", 422},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fake_step script[] = {
            {.act = FAKE_HANG_UP},
            {.act = FAKE_PROBLEM, .code = rows[i].code, .http = rows[i].http},
        };
        billing_error *error;
        struct fake_daemon *fake;
        int status = run_script(script, 2, rows[i].call, "r-1", &fake, &error);
        assert_i64(status, BILLING_E_REFUSED);
        assert_string_equal(billing_error_code(error), rows[i].code);
        assert_u64(fake_requests(fake), 2);
        billing_error_free(error);
        fake_stop(fake);
    }
}

static void calls__no_client__argument(void **state)
{
    (void)state;
    for (int i = 0; i < CALL__COUNT; i++) {
        billing_error *error;
        assert_i64(run_call(NULL, (enum call)i, NULL, &error), BILLING_E_ARGUMENT);
        assert_string_equal(billing_error_detail(error), "no client");
        billing_error_free(error);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)

static const struct CMUnitTest tests[] = {
    TEST(usage_void__every_argument__sent),
    TEST(usage_void__no_request_id_and_no_reason__one_made_and_the_other_left_out),
    TEST(void_get__ids__sent),
    TEST(adjustment_create__every_field__sent),
    TEST(adjustment_input__cleared__nothing_of_it_is_left),
    TEST(adjustment_input__bad_arguments__refused),
    TEST(adjustment_list__query__sent),
    TEST(usage_summary__query__sent),
    TEST(bill_list__query__sent),
    TEST(bill_records__query__sent),
    TEST(invoice_finalize__window_and_request_id__sent),
    TEST(invoices__numbers_and_queries__sent),
    TEST(invoice_verify__differences__read),
    TEST(services__names_and_units__sent),
    TEST(service_delete__reply__is_empty),
    cmocka_unit_test(query_setters__past_bounds__refused),
    TEST(queries__a_field_that_the_call_does_not_take__argument_and_nothing_sent),
    cmocka_unit_test(calls__busy_then_lost__tried_again_under_one_request_id),
    cmocka_unit_test(calls__lost_for_ever__unknown_where_they_write),
    cmocka_unit_test(calls__lost_then_refused__not_recorded),
    cmocka_unit_test(calls__no_client__argument),
};

TESTKIT_MAIN(tests)
