/* CreateUsage, GetUsage, ListUsage. */
#include "billingd/ledger/usage.h"
#include "billingd/rpc/announce.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/record_list.h"
#include "billingd/rpc/reply.h"
#include "billingd/rpc/usage_input.h"

static Billing__V1__UsageReply *reply_with(struct request *request, const struct record *record)
{
    Billing__V1__UsageReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__usage_reply__init(reply);
    reply->usage = reply_usage(request, record);
    return reply;
}

/* Only where it is read later: a write's answer is the record as it was recorded. */
static void put_voided_at(Billing__V1__Usage *m, int64_t voided_at_us)
{
    if (voided_at_us != 0) {
        reply_time(&m->has_voided_at, &m->voided_at, voided_at_us);
    }
}

/* --- CreateUsage ------------------------------------------------------------------------------ */

static int create_decode(struct request *request)
{
    const Billing__V1__UsageInput *m = request->message->create_usage;
    struct usage_create *create = arena_need(&request->arena, sizeof *create);
    request->args = create;
    usage_input_decode(request, -1, m, create);
    field_request_id_or_new(request, m->has_request_id, m->request_id, &create->asked.request_id);
    return 0;
}

static int create_announce(struct request *request, struct store_txn *txn)
{
    const struct usage_create *create = request->args;
    return announce_one(request, txn, &create->customer, create->asked.request_id);
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct usage_create *create = request->args;
    int rc = usage_create(txn, &request->arena, env, create);
    request->op.records = create->outcome.status == 0 && !create->outcome.replayed;
    return rc;
}

static void create_encode(struct request *request)
{
    const struct usage_create *create = request->args;
    const struct outcome *outcome = &create->outcome;
    struct slice request_id = create->asked.request_id;
    reply_request_id(request, request_id, outcome->replayed);
    if (outcome->status != 0) {
        problem_reply(request, problem_of_outcome(request, outcome, request_id));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE;
    request->response.create_usage = reply_with(request, &create->record);
}

/* --- GetUsage --------------------------------------------------------------------------------- */

static int get_decode(struct request *request)
{
    const Billing__V1__GetUsage *m = request->message->get_usage;
    struct usage_get *get = arena_need(&request->arena, sizeof *get);
    request->args = get;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &get->customer);
    field_usage(request, m->has_usage_id, m->usage_id, &get->seq);
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
    put_voided_at(request->response.get_usage->usage, get->voided_at_us);
}

/* --- ListUsage -------------------------------------------------------------------------------- */

static const enum cursor_list lists[] = {
    [STORE_BY_OCCURRED] = CURSOR_USAGE_BY_OCCURRED,
    [STORE_BY_BILLED] = CURSOR_USAGE_BY_BILLED,
};

static int list_decode(struct request *request)
{
    struct usage_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    struct record_list_fields fields = RECORD_LIST_FIELDS(request->message->list_usage);
    record_list_decode(request, &fields, lists, &page->list);
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
    reply->usage = arena_need(&request->arena, page->list.n * sizeof *reply->usage);
    for (unsigned i = 0; i < page->list.n; i++) {
        reply->usage[i] = reply_usage(request, &page->list.records[i]);
        put_voided_at(reply->usage[i], page->voided_at_us[i]);
    }
    reply->n_usage = page->list.n;
    record_list_cursor(request, &page->list, lists, &reply->has_next_cursor, &reply->next_cursor);
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
