/* CreateAdjustment, ListAdjustments. */
#include "billingd/ledger/adjustment.h"
#include "billingd/rpc/announce.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/record_list.h"
#include "billingd/rpc/reply.h"

static Billing__V1__Adjustment *reply_adjustment(struct request *request,
                                                 const struct record *record)
{
    const struct adjustment *adjustment = &record->adjustment;
    Billing__V1__Adjustment *m = arena_need(&request->arena, sizeof *m);
    billing__v1__adjustment__init(m);
    reply_id(request, &m->has_id, &m->id, OBJECT_ADJUSTMENT, record->seq);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, adjustment->customer);
    reply_decimal(request, &m->has_amount, &m->amount, adjustment->amount);
    reply_text(request, &m->has_reason, &m->reason, adjustment->reason);
    if (adjustment->service.length > 0) {
        reply_text(request, &m->has_service, &m->service, adjustment->service);
    }
    reply_time(&m->has_occurred_at, &m->occurred_at, adjustment->occurred_at_us);
    reply_time(&m->has_created_at, &m->created_at, record->created_at_us);
    reply_time(&m->has_bills_at, &m->bills_at, adjustment->bills_at_us);
    m->has_late = true;
    m->late = adjustment_is_late(adjustment);
    reply_text(request, &m->has_request_id, &m->request_id, record->request_id);
    reply_text(request, &m->has_recorded_by, &m->recorded_by, record->recorded_by);
    return m;
}

/* --- CreateAdjustment ------------------------------------------------------------------------- */

static int create_decode(struct request *request)
{
    const Billing__V1__CreateAdjustment *m = request->message->create_adjustment;
    struct adjustment_create *create = arena_need(&request->arena, sizeof *create);
    struct adjustment *adjustment = &create->asked.adjustment;
    request->args = create;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &create->customer);
    field_signed_decimal(request, -1, "amount", m->has_amount, m->amount, &adjustment->amount);
    field_text(request, -1,
               &(struct text_field){"reason", m->has_reason, m->reason, LIMIT_REASON_BYTES, true},
               &adjustment->reason);
    field_text(
        request, -1,
        &(struct text_field){"service", m->has_service, m->service, LIMIT_SERVICE_BYTES, false},
        &adjustment->service);
    field_service_allowed(request, -1, adjustment->service);
    field_time(request, -1, "occurred_at", m->has_occurred_at, m->occurred_at,
               &adjustment->occurred_at_us);
    adjustment->occurred_at_given = m->has_occurred_at;
    field_request_id_or_new(request, m->has_request_id, m->request_id, &create->asked.request_id);
    create->asked.recorded_by = request->who.name;
    return 0;
}

static int create_announce(struct request *request, struct store_txn *txn)
{
    const struct adjustment_create *create = request->args;
    return announce_one(request, txn, &create->customer, create->asked.request_id);
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct adjustment_create *create = request->args;
    int rc = adjustment_create(txn, &request->arena, env, create);
    request->op.records = create->outcome.status == 0 && !create->outcome.replayed;
    return rc;
}

static void create_encode(struct request *request)
{
    const struct adjustment_create *create = request->args;
    const struct outcome *outcome = &create->outcome;
    struct slice request_id = create->asked.request_id;
    reply_request_id(request, request_id, outcome->replayed);
    if (outcome->status != 0) {
        problem_reply(request, problem_of_outcome(request, outcome, request_id));
        return;
    }
    Billing__V1__AdjustmentReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__adjustment_reply__init(reply);
    reply->adjustment = reply_adjustment(request, &create->record);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_ADJUSTMENT;
    request->response.create_adjustment = reply;
}

/* --- ListAdjustments -------------------------------------------------------------------------- */

static const enum cursor_list lists[] = {
    [STORE_BY_OCCURRED] = CURSOR_ADJUSTMENTS_BY_OCCURRED,
    [STORE_BY_BILLED] = CURSOR_ADJUSTMENTS_BY_BILLED,
};

static int list_decode(struct request *request)
{
    struct record_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    struct record_list_fields fields = RECORD_LIST_FIELDS(request->message->list_adjustments);
    record_list_decode(request, &fields, lists, page);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return adjustment_list(view, &request->arena, request->args);
}

static void list_encode(struct request *request)
{
    const struct record_page *page = request->args;
    Billing__V1__AdjustmentsReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__adjustments_reply__init(reply);
    reply->adjustments = arena_need(&request->arena, page->n * sizeof *reply->adjustments);
    for (; reply->n_adjustments < page->n; reply->n_adjustments++) {
        reply->adjustments[reply->n_adjustments] =
            reply_adjustment(request, &page->records[reply->n_adjustments]);
    }
    record_list_cursor(request, page, lists, &reply->has_next_cursor, &reply->next_cursor);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_ADJUSTMENTS;
    request->response.list_adjustments = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_CREATE_ADJUSTMENT,
        .name = "CreateAdjustment",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = create_decode,
        .announce = create_announce,
        .apply = create_apply,
        .encode = create_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_ADJUSTMENTS,
        .name = "ListAdjustments",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family adjustment_calls = {methods, sizeof methods / sizeof methods[0]};
