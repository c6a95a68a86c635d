/* PutService, GetService, DeleteService, ListServices. */
#include "billingd/ledger/catalogue.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"

static Billing__V1__Service *reply_service(struct request *request,
                                           const struct store_service *service)
{
    Billing__V1__Service *m = arena_need(&request->arena, sizeof *m);
    billing__v1__service__init(m);
    reply_text(request, &m->has_name, &m->name, service->name);
    if (service->unit.length > 0) {
        reply_text(request, &m->has_unit, &m->unit, service->unit);
    }
    reply_time(&m->has_created_at, &m->created_at, service->created_at_us);
    reply_time(&m->has_updated_at, &m->updated_at, service->updated_at_us);
    return m;
}

static Billing__V1__ServiceReply *reply_with(struct request *request,
                                             const struct store_service *service)
{
    Billing__V1__ServiceReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__service_reply__init(reply);
    reply->service = reply_service(request, service);
    return reply;
}

static void decode_name(struct request *request, protobuf_c_boolean has, ProtobufCBinaryData data,
                        struct slice *ret)
{
    field_text(request, -1, &(struct text_field){"name", has, data, LIMIT_SERVICE_BYTES, true},
               ret);
}

/* These writes take no request id. */
static int announce_nothing(struct request *request, struct store_txn *txn)
{
    (void)request;
    (void)txn;
    return 0;
}

/* --- PutService ------------------------------------------------------------------------------- */

static int put_decode(struct request *request)
{
    const Billing__V1__PutService *m = request->message->put_service;
    struct catalogue_put *put = arena_need(&request->arena, sizeof *put);
    request->args = put;
    field_refuse_unknown(request, -1, &m->base);
    decode_name(request, m->has_name, m->name, &put->name);
    field_text(request, -1,
               &(struct text_field){"unit", m->has_unit, m->unit, LIMIT_UNIT_BYTES, false},
               &put->unit);
    put->recorded_by = request->who.name;
    return 0;
}

static int put_apply(struct request *request, struct store_txn *txn, const struct ledger_env *env)
{
    struct catalogue_put *put = request->args;
    (void)env;
    int rc = catalogue_put(txn, &request->arena, put);
    request->op.records = put->recorded;
    return rc;
}

static void put_encode(struct request *request)
{
    const struct catalogue_put *put = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_PUT_SERVICE;
    request->response.put_service = reply_with(request, &put->service);
}

/* --- GetService ------------------------------------------------------------------------------- */

struct get_args {
    struct slice name;
    struct store_service service;
};

static int get_decode(struct request *request)
{
    const Billing__V1__GetService *m = request->message->get_service;
    struct get_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    decode_name(request, m->has_name, m->name, &args->name);
    return 0;
}

static int get_query(struct request *request, struct store_view *view, const struct ledger_env *env)
{
    struct get_args *args = request->args;
    (void)env;
    return catalogue_get(view, &request->arena, args->name, &args->service);
}

static void get_encode(struct request *request)
{
    const struct get_args *args = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_SERVICE;
    request->response.get_service = reply_with(request, &args->service);
}

/* --- DeleteService ---------------------------------------------------------------------------- */

static int delete_decode(struct request *request)
{
    const Billing__V1__DeleteService *m = request->message->delete_service;
    struct catalogue_delete *delete = arena_need(&request->arena, sizeof *delete);
    request->args = delete;
    field_refuse_unknown(request, -1, &m->base);
    decode_name(request, m->has_name, m->name, &delete->name);
    delete->recorded_by = request->who.name;
    return 0;
}

static int delete_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct catalogue_delete *delete = request->args;
    (void)env;
    int rc = catalogue_delete(txn, delete);
    request->op.records = delete->outcome.status == 0;
    return rc;
}

static void delete_encode(struct request *request)
{
    const struct catalogue_delete *delete = request->args;
    if (delete->outcome.status != 0) {
        problem_reply(request, problem_of_outcome(request, &delete->outcome, (struct slice){0}));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_DELETE_SERVICE;
    request->response.delete_service =
        arena_need(&request->arena, sizeof *request->response.delete_service);
    billing__v1__deleted_reply__init(request->response.delete_service);
}

/* --- ListServices ----------------------------------------------------------------------------- */

static int list_decode(struct request *request)
{
    const Billing__V1__ListServices *m = request->message->list_services;
    struct catalogue_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    field_refuse_unknown(request, -1, &m->base);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &page->limit);
    page->after_name = cursor_parse(request, CURSOR_SERVICES, m->has_cursor, m->cursor);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return catalogue_list(view, &request->arena, request->args);
}

static void list_encode(struct request *request)
{
    const struct catalogue_page *page = request->args;
    Billing__V1__ServicesReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__services_reply__init(reply);
    reply->services = arena_need(&request->arena, page->n * sizeof *reply->services);
    for (; reply->n_services < page->n; reply->n_services++) {
        reply->services[reply->n_services] =
            reply_service(request, &page->services[reply->n_services]);
    }
    if (page->more) {
        cursor_print(request, CURSOR_SERVICES, page->services[page->n - 1].name,
                     &reply->has_next_cursor, &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_SERVICES;
    request->response.list_services = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_PUT_SERVICE,
        .name = "PutService",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .every_service = true,
        .decode = put_decode,
        .announce = announce_nothing,
        .apply = put_apply,
        .encode = put_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_SERVICE,
        .name = "GetService",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = get_decode,
        .query = get_query,
        .encode = get_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_DELETE_SERVICE,
        .name = "DeleteService",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .every_service = true,
        .decode = delete_decode,
        .announce = announce_nothing,
        .apply = delete_apply,
        .encode = delete_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_SERVICES,
        .name = "ListServices",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
};

const struct method_family catalogue_calls = {methods, sizeof methods / sizeof methods[0]};
