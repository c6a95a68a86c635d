/* VoidUsage, GetVoid. */
#include "billingd/ledger/void.h"
#include "billingd/rpc/announce.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"

static Billing__V1__VoidReply *reply_with(struct request *request, const struct record *record,
                                          struct amount amount)
{
    const struct usage_voided *voided = &record->usage_voided;
    Billing__V1__VoidReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__Void *m = arena_need(&request->arena, sizeof *m);
    billing__v1__void_reply__init(reply);
    billing__v1__void__init(m);
    reply->void_ = m;
    reply_id(request, &m->has_id, &m->id, OBJECT_VOID, record->seq);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, voided->customer);
    reply_id(request, &m->has_usage_id, &m->usage_id, OBJECT_USAGE, voided->usage);
    reply_text(request, &m->has_reason, &m->reason, voided->reason);
    reply_amount(request, &m->has_amount, &m->amount, amount);
    reply_time(&m->has_created_at, &m->created_at, record->created_at_us);
    reply_time(&m->has_bills_at, &m->bills_at, voided->bills_at_us);
    reply_text(request, &m->has_request_id, &m->request_id, record->request_id);
    reply_text(request, &m->has_recorded_by, &m->recorded_by, record->recorded_by);
    return reply;
}

/* --- VoidUsage -------------------------------------------------------------------------------- */

static int create_decode(struct request *request)
{
    const Billing__V1__VoidUsage *m = request->message->void_usage;
    struct void_create *create = arena_need(&request->arena, sizeof *create);
    struct usage_voided *voided = &create->asked.usage_voided;
    request->args = create;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &create->customer);
    field_usage(request, m->has_usage_id, m->usage_id, &voided->usage);
    field_text(request, -1,
               &(struct text_field){"reason", m->has_reason, m->reason, LIMIT_REASON_BYTES, true},
               &voided->reason);
    field_request_id_or_new(request, m->has_request_id, m->request_id, &create->asked.request_id);
    create->asked.recorded_by = request->who.name;
    create->services = request->who.services;
    return 0;
}

static int create_announce(struct request *request, struct store_txn *txn)
{
    const struct void_create *create = request->args;
    return announce_one(request, txn, &create->customer, create->asked.request_id);
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct void_create *create = request->args;
    (void)env;
    int rc = void_create(txn, &request->arena, create);
    request->op.records = create->outcome.status == 0 && !create->outcome.replayed;
    return rc;
}

static void refuse_service(struct request *request, struct slice service)
{
    struct slice who = request->who.name;
    struct slice detail = arena_printf(
        &request->arena, "the usage record is of '%.*s', of which '%.*s' may not write",
        (int)service.length, service.data, (int)who.length, who.data);
    problem_reply(request, problem_of_status(request, STATUS_FORBIDDEN, detail));
}

static void create_encode(struct request *request)
{
    const struct void_create *create = request->args;
    const struct outcome *outcome = &create->outcome;
    struct slice request_id = create->asked.request_id;
    reply_request_id(request, request_id, outcome->replayed);
    if (outcome->status == STATUS_FORBIDDEN) {
        refuse_service(request, create->service);
        return;
    }
    if (outcome->status != 0) {
        problem_reply(request, problem_of_outcome(request, outcome, request_id));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_VOID_USAGE;
    request->response.void_usage = reply_with(request, &create->record, create->amount);
}

/* --- GetVoid ---------------------------------------------------------------------------------- */

static int get_decode(struct request *request)
{
    const Billing__V1__GetVoid *m = request->message->get_void;
    struct void_get *get = arena_need(&request->arena, sizeof *get);
    request->args = get;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &get->customer);
    field_usage(request, m->has_usage_id, m->usage_id, &get->usage);
    return 0;
}

static int get_query(struct request *request, struct store_view *view, const struct ledger_env *env)
{
    (void)env;
    return void_get(view, &request->arena, request->args);
}

static void get_encode(struct request *request)
{
    const struct void_get *get = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_VOID;
    request->response.get_void = reply_with(request, &get->record, get->amount);
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_VOID_USAGE,
        .name = "VoidUsage",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = create_decode,
        .announce = create_announce,
        .apply = create_apply,
        .encode = create_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_VOID,
        .name = "GetVoid",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = get_decode,
        .query = get_query,
        .encode = get_encode,
    },
};

const struct method_family void_calls = {methods, sizeof methods / sizeof methods[0]};
