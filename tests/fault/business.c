#include "tests/fault/business.h"

void business_acknowledge(struct business *business, struct logged_request *request, uint64_t seq)
{
    struct logged_answer answer = {.seq = seq, .created_at_us = business->book->env.now_us};
    request_log_acknowledge(business->log, request, &answer);
}

static void do_customer(struct business *b)
{
    struct logged_payload payload = {
        .kind = LOGGED_CUSTOMER, .name = "Acme", .external_id = "acme"};
    struct customer_create create = {
        .name = SLICE("Acme"), .external_id = SLICE("acme"), .request_id = SLICE("c")};
    b->customer = request_log_send(b->log, "c", &payload);
    book_create_customer(b->book, &create);
    b->customer_seq = create.customer.seq;
    business_acknowledge(b, b->customer, b->customer_seq);
}

void business_open(struct business *business, const char *log_path)
{
    *business = (struct business){.book = book_open(), .log = request_log_create(log_path)};
    do_customer(business);
}

void business_close(struct business *business)
{
    checker_result_done(&business->result);
    request_log_destroy(business->log);
    book_close(business->book);
}

struct logged_request *business_log_usage(struct business *business, const char *request_id,
                                          int64_t occurred_at_us)
{
    struct logged_payload payload = {
        .kind = LOGGED_USAGE,
        .customer = business->customer,
        .service = "Database Hosting",
        .units = "58",
        .price = "0.05",
        .occurred_at_us = occurred_at_us,
    };
    return request_log_send(business->log, request_id, &payload);
}

uint64_t business_record_usage(struct business *business, const char *request_id,
                               int64_t occurred_at_us)
{
    struct usage_create create = book_usage(business->customer_seq, request_id);
    create.asked.usage.occurred_at_given = occurred_at_us != 0;
    create.asked.usage.occurred_at_us = occurred_at_us;
    book_create_usage(business->book, &create);
    return create.record.seq;
}

struct logged_request *business_do_usage(struct business *business, const char *request_id,
                                         int64_t occurred_at_us)
{
    struct logged_request *request = business_log_usage(business, request_id, occurred_at_us);
    business_acknowledge(business, request,
                         business_record_usage(business, request_id, occurred_at_us));
    return request;
}

void business_do_void(struct business *business, const struct logged_request *usage)
{
    struct logged_payload payload = {
        .kind = LOGGED_VOID, .customer = business->customer, .usage = usage, .reason = "an error"};
    struct logged_request *request = request_log_send(business->log, "v", &payload);
    struct void_create create = book_void(business->customer_seq, usage->answer.seq, "v");
    book_create_void(business->book, &create);
    business_acknowledge(business, request, create.record.seq);
}

void business_do_adjustment(struct business *business)
{
    struct logged_payload payload = {.kind = LOGGED_ADJUSTMENT,
                                     .customer = business->customer,
                                     .amount = "-5",
                                     .reason = "goodwill"};
    struct logged_request *request = request_log_send(business->log, "a", &payload);
    struct adjustment_create create = book_adjustment(business->customer_seq, "a");
    book_create_adjustment(business->book, &create);
    business_acknowledge(business, request, create.record.seq);
}

void business_check(struct business *business)
{
    checker_run(business->log, memory_store_handle(business->book->memory), NULL,
                &business->result);
}
