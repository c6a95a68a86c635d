/* Reads, one at a time, of a store that holds many records. */
#include <inttypes.h>
#include <stdlib.h>

#include "bench/caller.h"
#include "bench/clock.h"
#include "bench/fail.h"
#include "bench/files.h"
#include "bench/options.h"
#include "bench/traffic.h"
#include "billingd/base/clock.h"

enum {
    LIST_LIMIT = 100,
};

#define HOUR_US  (INT64_C(3600) * 1000000)
#define MONTH_US (INT64_C(30) * 24 * HOUR_US)

struct reading {
    struct caller caller;
    struct load load;        /* whose customers are picked */
    struct slice *customers; /* their ids; owned */
    int64_t start_us;        /* of the month that ends with this hour */
    int64_t end_us;
    uint64_t bill_records; /* of the largest bill that was read */
    struct latency bill;
    struct latency list;
    struct latency usage;
    struct latency request;
};

/* --- what there is to read -------------------------------------------------------------------- */

static uint64_t recorded(struct caller *caller)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetServerInfo get = BILLING__V1__GET_SERVER_INFO__INIT;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO;
    request.get_server_info = &get;
    Billing__V1__Response *response = caller_ask(caller, &request);
    uint64_t n = response->get_server_info->server->usage_records;
    caller_free(response);
    return n;
}

/* Write what is missing of OPTIONS' records. */
static void fill(const struct bench_options *options, const struct daemon *daemon,
                 struct reading *reading)
{
    static struct traffic_result result;
    struct bench_options missing = *options;
    uint64_t there = recorded(&reading->caller);
    if (there < options->records) {
        missing.records = options->records - there;
        missing.seconds = 0;
        traffic_run(&missing, &traffic_rpc, daemon->socket, reading->customers, &result);
    }
    there += result.pace.records;
    if (there < options->records) {
        fail("%" PRIu64 " records were refused", result.refused);
    }
}

/* --- reads ------------------------------------------------------------------------------------ */

/* Ask REQUEST, and add how long it took. */
static Billing__V1__Response *timed(struct reading *reading, const Billing__V1__Request *request,
                                    struct latency *latency)
{
    int64_t start_ns = clock_ns();
    Billing__V1__Response *response = caller_ask(&reading->caller, request);
    latency_add(latency, clock_ns() - start_ns);
    return response;
}

static void read_bill(struct reading *reading, struct slice customer)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetBill get = BILLING__V1__GET_BILL__INIT;
    uint64_t records = 0;
    get.has_customer_id = get.has_start = get.has_end = 1;
    get.customer_id = caller_bytes(customer);
    get.start = reading->start_us;
    get.end = reading->end_us;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_BILL;
    request.get_bill = &get;
    Billing__V1__Response *response = timed(reading, &request, &reading->bill);
    for (size_t i = 0; i < response->get_bill->bill->n_lines; i++) {
        records += response->get_bill->bill->lines[i]->records;
    }
    if (records > reading->bill_records) {
        reading->bill_records = records;
    }
    caller_free(response);
}

static void read_usage(struct reading *reading, struct slice customer, ProtobufCBinaryData id)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetUsage get = BILLING__V1__GET_USAGE__INIT;
    get.has_customer_id = get.has_usage_id = 1;
    get.customer_id = caller_bytes(customer);
    get.usage_id = id;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_USAGE;
    request.get_usage = &get;
    caller_free(timed(reading, &request, &reading->usage));
}

static void read_request(struct reading *reading, struct slice customer,
                         ProtobufCBinaryData request_id)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__GetRequest get = BILLING__V1__GET_REQUEST__INIT;
    get.has_customer_id = get.has_request_id = 1;
    get.customer_id = caller_bytes(customer);
    get.request_id = request_id;
    request.call_case = BILLING__V1__REQUEST__CALL_GET_REQUEST;
    request.get_request = &get;
    caller_free(timed(reading, &request, &reading->request));
}

/* A page from a random time on, and one of its records by its ids. */
static void read_list(struct reading *reading, struct slice customer)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__ListUsage get = BILLING__V1__LIST_USAGE__INIT;
    uint64_t day_us = 24 * (uint64_t)HOUR_US;
    get.has_customer_id = get.has_start = get.has_end = get.has_limit = 1;
    get.customer_id = caller_bytes(customer);
    get.start = reading->load.now_us - (int64_t)(load_random(&reading->load) % day_us);
    get.end = reading->end_us;
    get.limit = LIST_LIMIT;
    request.call_case = BILLING__V1__REQUEST__CALL_LIST_USAGE;
    request.list_usage = &get;
    Billing__V1__Response *response = timed(reading, &request, &reading->list);
    const Billing__V1__UsageListReply *page = response->list_usage;
    if (page->n_usage > 0) {
        const Billing__V1__Usage *usage = page->usage[load_random(&reading->load) % page->n_usage];
        read_usage(reading, customer, usage->id);
        read_request(reading, customer, usage->request_id);
    }
    caller_free(response);
}

static void read_all(const struct bench_options *options, struct reading *reading)
{
    int64_t end_ns = clock_ns() + (int64_t)options->seconds * NS_PER_SECOND;
    for (uint64_t i = 0; i < options->samples && clock_ns() < end_ns; i++) {
        uint64_t customer = load_random(&reading->load) % options->customers;
        read_bill(reading, reading->customers[customer]);
        read_list(reading, reading->customers[customer]);
    }
}

void mode_read(const struct bench_options *options, struct report *report)
{
    static struct reading reading;
    struct daemon daemon;
    daemon_start(&daemon, options);
    caller_open(&reading.caller, daemon.socket);
    reading.customers = caller_customers(&reading.caller, options->customers);
    fill(options, &daemon, &reading);
    load_init(&reading.load, options->seed + 1, options->customers, false);
    reading.end_us = (clock_wall_us() / HOUR_US + 1) * HOUR_US;
    reading.start_us = reading.end_us - MONTH_US;
    read_all(options, &reading);
    report_count(report, "records", recorded(&reading.caller));
    report_count(report, "customers", options->customers);
    report_count(report, "samples", reading.bill.n);
    report_count(report, "bill_records_max", reading.bill_records);
    report_latency(report, "bill", &reading.bill);
    report_latency(report, "list", &reading.list);
    report_latency(report, "usage", &reading.usage);
    report_latency(report, "request", &reading.request);
    free(reading.customers);
    caller_close(&reading.caller);
    daemon_stop(&daemon);
}
