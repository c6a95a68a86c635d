/* CreateUsageBatch: up to ten thousand usage records in one request, each an item of its own. */
#include "billingd/ledger/usage.h"
#include "billingd/rpc/announce.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"
#include "billingd/rpc/usage_input.h"

struct batch_item {
    struct usage_create create;
    bool wrong; /* refused for what is in request->errors */
};

struct batch_args {
    struct batch_item *items;
    size_t n;
    struct slice request_id; /* the batch's; empty: none */
    struct store_key *keys;  /* room for all items' */
};

/* --- decode ----------------------------------------------------------------------------------- */

/* The item's own request id, else the batch's with the item's index behind it. */
static void decode_request_id(struct request *request, struct batch_args *args, size_t index,
                              const Billing__V1__UsageInput *m)
{
    struct slice *id = &args->items[index].create.asked.request_id;
    if (m->has_request_id) {
        field_request_id(
            request, (int)index,
            &(struct text_field){"request_id", true, m->request_id, LIMIT_REQUEST_ID_BYTES, true},
            id);
    } else if (args->request_id.length > 0) {
        *id = arena_printf(&request->arena, "%.*s/%zu", (int)args->request_id.length,
                           args->request_id.data, index);
        if (id->length > LIMIT_REQUEST_ID_BYTES) {
            request_field_error(request, (int)index, SLICE("request_id"), STATUS_OUT_OF_BOUNDS,
                                "the batch's with '/%zu' behind it has %zu bytes; %d are allowed",
                                index, id->length, LIMIT_REQUEST_ID_BYTES);
        }
    } else if (!request_has_field_error(request, (int)index, "request_id") &&
               request->errors.first == NULL) {
        /* The whole batch: were the others recorded, nobody could send it again safely. */
        request_field_error(
            request, -1, arena_printf(&request->arena, "usage[%zu].request_id", index),
            STATUS_MISSING_FIELD, "is missing, and the batch has no request id of its own");
    }
}

static void decode_item(struct request *request, struct batch_args *args, size_t index,
                        const Billing__V1__UsageInput *m)
{
    if (!request_has_field_error(request, (int)index, "")) { /* else it is no item at all */
        usage_input_decode(request, (int)index, m, &args->items[index].create);
        decode_request_id(request, args, index, m);
    }
    args->items[index].wrong = request_errors(request, (int)index).first != NULL;
}

static int batch_decode(struct request *request)
{
    const Billing__V1__CreateUsageBatch *m = request->message->create_usage_batch;
    struct batch_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_request_id(request, -1,
                     &(struct text_field){"request_id", m->has_request_id, m->request_id,
                                          LIMIT_REQUEST_ID_BYTES, false},
                     &args->request_id);
    request->request_id = args->request_id;
    if (request_has_field_error(request, -1, "usage")) {
        return 0; /* the door could not read it as a list */
    }
    if (m->n_usage < 1 || m->n_usage > LIMIT_BATCH_ITEMS) {
        request_field_error(request, -1, SLICE("usage"), STATUS_OUT_OF_BOUNDS,
                            "has %zu items; 1 to %d are allowed", m->n_usage, LIMIT_BATCH_ITEMS);
        return 0;
    }
    args->n = m->n_usage;
    args->items = arena_alloc_array(&request->arena, args->n, sizeof *args->items);
    args->keys = arena_alloc_array(&request->arena, args->n, sizeof *args->keys);
    if (args->items == NULL || args->keys == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; i < args->n; i++) {
        decode_item(request, args, i, m->usage[i]);
    }
    return 0;
}

/* --- carry out -------------------------------------------------------------------------------- */

static int batch_announce(struct request *request, struct store_txn *txn)
{
    struct batch_args *args = request->args;
    size_t n = 0;
    for (size_t i = 0; i < args->n; i++) {
        const struct usage_create *create = &args->items[i].create;
        n += !args->items[i].wrong &&
             announce_key(&create->customer, create->asked.request_id, &args->keys[n]);
    }
    return store_announce(txn, args->keys, n);
}

static int batch_apply(struct request *request, struct store_txn *txn, const struct ledger_env *env)
{
    struct batch_args *args = request->args;
    request->op.records = 0;
    for (size_t i = 0; i < args->n; i++) {
        struct batch_item *item = &args->items[i];
        if (item->wrong) {
            continue;
        }
        int rc = usage_create(txn, &request->arena, env, &item->create);
        if (rc < 0) {
            return rc;
        }
        request->op.records += item->create.outcome.status == 0 && !item->create.outcome.replayed;
    }
    return 0;
}

/* --- encode ----------------------------------------------------------------------------------- */

static Billing__V1__Problem *item_problem(struct request *request, size_t index,
                                          const struct batch_item *item)
{
    struct slice request_id = item->create.asked.request_id;
    Billing__V1__Problem *problem =
        item->wrong ? problem_of_errors(request, (int)index, 0)
                    : problem_of_outcome(request, &item->create.outcome, request_id);
    if (request_id.length > 0) {
        reply_text(request, &problem->has_request_id, &problem->request_id, request_id);
    }
    return problem;
}

static void encode_item(struct request *request, size_t index, const struct batch_item *item,
                        Billing__V1__UsageBatchResult *m)
{
    m->has_status = true;
    if (item->wrong || item->create.outcome.status != 0) {
        m->status = BILLING__V1__USAGE_BATCH_RESULT__STATUS__REFUSED;
        request->dispatch->counts.items[REQUEST_ITEM_REFUSED]++;
        m->problem = item_problem(request, index, item);
        return;
    }
    const struct record *record = &item->create.record;
    m->status = item->create.outcome.replayed ? BILLING__V1__USAGE_BATCH_RESULT__STATUS__REPLAYED
                                              : BILLING__V1__USAGE_BATCH_RESULT__STATUS__RECORDED;
    request->dispatch->counts
        .items[item->create.outcome.replayed ? REQUEST_ITEM_REPLAYED : REQUEST_ITEM_RECORDED]++;
    request->dispatch->stats.replays += item->create.outcome.replayed;
    reply_id(request, &m->has_id, &m->id, OBJECT_USAGE, record->seq);
    reply_time(&m->has_bills_at, &m->bills_at, record->usage.bills_at_us);
    m->has_late = true;
    m->late = usage_is_late(&record->usage);
}

static void batch_encode(struct request *request)
{
    const struct batch_args *args = request->args;
    Billing__V1__UsageBatchReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__UsageBatchResult *rows = arena_need(&request->arena, args->n * sizeof *rows);
    billing__v1__usage_batch_reply__init(reply);
    reply->results = arena_need(&request->arena, args->n * sizeof *reply->results);
    for (size_t i = 0; i < args->n; i++) {
        billing__v1__usage_batch_result__init(&rows[i]);
        encode_item(request, i, &args->items[i], &rows[i]);
        reply->results[i] = &rows[i];
    }
    reply->n_results = args->n;
    if (args->request_id.length > 0) {
        reply_text(request, &request->response.has_request_id, &request->response.request_id,
                   args->request_id);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_USAGE_BATCH;
    request->response.create_usage_batch = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_CREATE_USAGE_BATCH,
        .name = "CreateUsageBatch",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = batch_decode,
        .announce = batch_announce,
        .apply = batch_apply,
        .encode = batch_encode,
    },
};

const struct method_family batch_calls = {methods, sizeof methods / sizeof methods[0]};
