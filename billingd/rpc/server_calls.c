/* GetRequest, GetServerInfo, CheckHealth: what the daemon says of requests and of itself. */
#include "billingd/ledger/request.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/reply.h"

/* --- GetRequest ------------------------------------------------------------------------------- */

static int request_decode(struct request *request)
{
    const Billing__V1__GetRequest *m = request->message->get_request;
    struct request_get *get = arena_need(&request->arena, sizeof *get);
    request->args = get;
    field_refuse_unknown(request, -1, &m->base);
    get->of_daemon = !m->has_customer_id;
    if (m->has_customer_id) {
        field_customer(request, -1, true, m->customer_id, &get->customer);
    }
    field_request_id(request, -1,
                     &(struct text_field){"request_id", m->has_request_id, m->request_id,
                                          LIMIT_REQUEST_ID_BYTES, true},
                     &get->request_id);
    return 0;
}

static int request_query(struct request *request, struct store_view *view,
                         const struct ledger_env *env)
{
    (void)env;
    return request_get(view, request->args);
}

static const char *method_name(enum record_kind kind)
{
    switch (kind) {
    case RECORD_CUSTOMER_CREATED:
        return "CreateCustomer";
    case RECORD_CUSTOMER_RENAMED:
        return "UpdateCustomer";
    case RECORD_USAGE:
        return "CreateUsage";
    case RECORD_USAGE_VOIDED:
        return "VoidUsage";
    case RECORD_ADJUSTMENT:
        return "CreateAdjustment";
    case RECORD_INVOICE:
        return "FinalizeInvoice";
    case RECORD_INVOICE_ENTRIES: /* these are made under no request id */
    case RECORD_SERVICE_PUT:
    case RECORD_SERVICE_DELETED:
    case RECORD_KEY_CREATED:
    case RECORD_KEY_REVOKED:
    case RECORD_KEY_USED:
        break;
    }
    return "";
}

static void request_encode(struct request *request)
{
    const struct request_get *get = request->args;
    Billing__V1__RequestReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__RequestRecord *m = arena_need(&request->arena, sizeof *m);
    billing__v1__request_reply__init(reply);
    billing__v1__request_record__init(m);
    reply->request = m;
    reply_text(request, &m->has_request_id, &m->request_id, get->request_id);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, get->customer_seq);
    reply_text(request, &m->has_method, &m->method, slice_of(method_name(get->kind)));
    reply_id(request, &m->has_id, &m->id, object_kind_of(get->kind), get->seq);
    reply_time(&m->has_created_at, &m->created_at, get->created_at_us);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_REQUEST;
    request->response.get_request = reply;
}

/* --- GetServerInfo ---------------------------------------------------------------------------- */

static int info_decode(struct request *request)
{
    request->args = arena_need(&request->arena, sizeof(struct store_info));
    field_refuse_unknown(request, -1, &request->message->get_server_info->base);
    return 0;
}

static int info_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return store_info(view, request->args);
}

static void put_count(protobuf_c_boolean *has, uint64_t *field, uint64_t value)
{
    *has = true;
    *field = value;
}

/* Two digits, in integers: it is shown to people only. */
static void put_mean(struct request *request, Billing__V1__ServerInfo *m,
                     const struct committer_stats *stats)
{
    uint64_t hundredths = stats->commits == 0 ? 0 : stats->records * 100 / stats->commits;
    reply_printf(request, &m->has_records_per_commit, &m->records_per_commit, "%llu.%02u",
                 (unsigned long long)(hundredths / 100), (unsigned)(hundredths % 100));
}

static void info_encode(struct request *request)
{
    const struct store_info *info = request->args;
    struct dispatch *dispatch = request->dispatch;
    struct committer_stats stats = committer_stats(dispatch->options.committer);
    Billing__V1__ServerInfoReply *reply = arena_need(&request->arena, sizeof *reply);
    Billing__V1__ServerInfo *m = arena_need(&request->arena, sizeof *m);
    billing__v1__server_info_reply__init(reply);
    billing__v1__server_info__init(m);
    reply->server = m;
    reply_text(request, &m->has_version, &m->version, slice_of(dispatch->options.version));
    reply_text(request, &m->has_store, &m->store, slice_of(info->engine));
    reply_text(request, &m->has_currency, &m->currency, slice_of(dispatch->options.currency));
    reply_time(&m->has_started_at, &m->started_at, dispatch->options.started_at_us);
    put_count(&m->has_journal_position, &m->journal_position, info->last_seq);
    put_count(&m->has_customers, &m->customers, info->customers);
    put_count(&m->has_usage_records, &m->usage_records, info->usage);
    put_count(&m->has_store_bytes, &m->store_bytes, info->bytes);
    put_count(&m->has_commits, &m->commits, stats.commits);
    put_count(&m->has_commit_records, &m->commit_records, stats.records);
    put_mean(request, m, &stats);
    put_count(&m->has_commit_records_max, &m->commit_records_max, stats.records_max);
    put_count(&m->has_replays, &m->replays, dispatch->stats.replays);
    put_count(&m->has_refusals, &m->refusals, dispatch->stats.refusals);
    put_count(&m->has_connections, &m->connections, dispatch->stats.connections);
    put_count(&m->has_queued, &m->queued, stats.queued);
    put_count(&m->has_invoices, &m->invoices, info->invoices);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_SERVER_INFO;
    request->response.get_server_info = reply;
}

/* --- CheckHealth ------------------------------------------------------------------------------ */

static int health_decode(struct request *request)
{
    field_refuse_unknown(request, -1, &request->message->check_health->base);
    return 0;
}

static Billing__V1__HealthReply__Status health_status(struct dispatch *dispatch)
{
    if (dispatch->draining) {
        return BILLING__V1__HEALTH_REPLY__STATUS__SHUTTING_DOWN;
    }
    return committer_stats(dispatch->options.committer).storage_full
               ? BILLING__V1__HEALTH_REPLY__STATUS__STORAGE_FULL
               : BILLING__V1__HEALTH_REPLY__STATUS__OK;
}

static void health_encode(struct request *request)
{
    Billing__V1__HealthReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__health_reply__init(reply);
    reply->has_status = true;
    reply->status = health_status(request->dispatch);
    reply->has_ready = true;
    reply->ready = reply->status == BILLING__V1__HEALTH_REPLY__STATUS__OK;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CHECK_HEALTH;
    request->response.check_health = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_GET_REQUEST,
        .name = "GetRequest",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = request_decode,
        .query = request_query,
        .encode = request_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_SERVER_INFO,
        .name = "GetServerInfo",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = info_decode,
        .query = info_query,
        .encode = info_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_CHECK_HEALTH,
        .name = "CheckHealth",
        .lane = LANE_HERE,
        .role = ROLE_NONE,
        .decode = health_decode,
        .encode = health_encode,
    },
};

const struct method_family server_calls = {methods, sizeof methods / sizeof methods[0]};
