/* CreateUsage, GetUsage, ListUsage. */
#include "billingd/base/bytes.h"
#include "billingd/ledger/usage.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"
#include "billingd/rpc/usage_input.h"
#include "proto/timestamp.h"

static Billing__V1__UsageReply *reply_with(struct request *request, const struct record *record)
{
    Billing__V1__UsageReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__usage_reply__init(reply);
    reply->usage = reply_usage(request, record);
    return reply;
}

/* --- CreateUsage ------------------------------------------------------------------------------ */

struct create_args {
    struct usage_create create;
    struct store_key key;
};

static int create_decode(struct request *request)
{
    const Billing__V1__UsageInput *m = request->message->create_usage;
    struct create_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    usage_input_decode(request, -1, m, &args->create);
    field_request_id_or_new(request, m->has_request_id, m->request_id,
                            &args->create.asked.request_id);
    return 0;
}

static int create_announce(struct request *request, struct store_txn *txn)
{
    struct create_args *args = request->args;
    return usage_input_key(&args->create, &args->key) ? store_announce(txn, &args->key, 1) : 0;
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct create_args *args = request->args;
    int rc = usage_create(txn, &request->arena, env, &args->create);
    request->op.records = args->create.outcome.status == 0 && !args->create.outcome.replayed;
    return rc;
}

static void create_encode(struct request *request)
{
    const struct create_args *args = request->args;
    const struct outcome *outcome = &args->create.outcome;
    struct slice request_id = args->create.asked.request_id;
    reply_request_id(request, request_id, outcome->replayed);
    if (outcome->status != 0) {
        problem_reply(request, problem_of_outcome(request, outcome, request_id));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
    request->response.create_usage = reply_with(request, &args->create.record);
}

/* --- GetUsage --------------------------------------------------------------------------------- */

static int get_decode(struct request *request)
{
    const Billing__V1__GetUsage *m = request->message->get_usage;
    struct usage_get *get = arena_need(&request->arena, sizeof *get);
    request->args = get;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &get->customer);
    if (!m->has_usage_id) {
        request_field_error(request, -1, SLICE("usage_id"), STATUS_MISSING_FIELD, "is missing");
        return 0;
    }
    struct slice id = {.data = (const char *)m->usage_id.data, .length = m->usage_id.len};
    get->seq = object_id_parse(OBJECT_USAGE, id, request->dispatch->id_key);
    return 0;
}

static int get_query(struct request *request, struct store_view *view, const struct ledger_env *env)
{
    (void)env;
    return usage_get(view, &request->arena, request->args);
}

static void get_encode(struct request *request)
{
    const struct usage_get *get = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_USAGE;
    request->response.get_usage = reply_with(request, &get->record);
}

/* --- ListUsage -------------------------------------------------------------------------------- */

static enum cursor_list list_of(enum store_clock by)
{
    return by == STORE_BY_BILLED ? CURSOR_USAGE_BY_BILLED : CURSOR_USAGE_BY_OCCURRED;
}

static void decode_clock(struct request *request, const Billing__V1__ListUsage *m,
                         enum store_clock *ret)
{
    *ret = STORE_BY_OCCURRED;
    if (m->has_by && m->by == BILLING__V1__CLOCK__BILLED) {
        *ret = STORE_BY_BILLED;
    } else if (m->has_by && m->by != BILLING__V1__CLOCK__OCCURRED) {
        request_field_error(request, -1, SLICE("by"), STATUS_OUT_OF_BOUNDS,
                            "%d is neither occurred nor billed", (int)m->by);
    }
}

static void decode_range(struct request *request, const Billing__V1__ListUsage *m,
                         struct store_usage_range *range)
{
    range->end_us = TIMESTAMP_MAX + 1;
    field_time(request, -1, "start", m->has_start, m->start, &range->start_us);
    field_time(request, -1, "end", m->has_end, m->end, &range->end_us);
    if (range->start_us >= range->end_us) {
        request_field_error(request, -1, SLICE("end"), STATUS_OUT_OF_BOUNDS,
                            "must be later than start");
    }
    struct slice position = cursor_parse(request, list_of(range->by), m->has_cursor, m->cursor);
    if (position.length == 16) {
        const uint8_t *bytes = (const uint8_t *)position.data;
        range->after.time_us = (int64_t)bytes_get_be64(bytes);
        range->after.seq = bytes_get_be64(bytes + 8);
    }
}

static int list_decode(struct request *request)
{
    const Billing__V1__ListUsage *m = request->message->list_usage;
    struct usage_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &page->customer);
    field_text(
        request, -1,
        &(struct text_field){"service", m->has_service, m->service, LIMIT_SERVICE_BYTES, false},
        &page->service);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &page->limit);
    decode_clock(request, m, &page->range.by);
    decode_range(request, m, &page->range);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return usage_list(view, &request->arena, request->args);
}

static void list_encode(struct request *request)
{
    const struct usage_page *page = request->args;
    Billing__V1__UsageListReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__usage_list_reply__init(reply);
    reply->usage = arena_need(&request->arena, page->n * sizeof *reply->usage);
    for (; reply->n_usage < page->n; reply->n_usage++) {
        reply->usage[reply->n_usage] = reply_usage(request, &page->records[reply->n_usage]);
    }
    if (page->more) {
        uint8_t position[16];
        bytes_put_be64(position, (uint64_t)page->last.time_us);
        bytes_put_be64(position + 8, page->last.seq);
        cursor_print(request, list_of(page->range.by), (struct slice){(const char *)position, 16},
                     &reply->has_next_cursor, &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_USAGE;
    request->response.list_usage = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_CREATE_USAGE,
        .name = "CreateUsage",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = create_decode,
        .announce = create_announce,
        .apply = create_apply,
        .encode = create_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_USAGE,
        .name = "GetUsage",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = get_decode,
        .query = get_query,
        .encode = get_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_USAGE,
        .name = "ListUsage",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family usage_calls = {methods, sizeof methods / sizeof methods[0]};
