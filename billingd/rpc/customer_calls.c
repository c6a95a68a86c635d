/* CreateCustomer, GetCustomer, ListCustomers, UpdateCustomer. */
#include "billingd/ledger/customer.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/reply.h"

static Billing__V1__CustomerReply *reply_with(struct request *request,
                                              const struct store_customer *customer)
{
    Billing__V1__CustomerReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__customer_reply__init(reply);
    reply->customer = reply_customer(request, customer);
    return reply;
}

/* --- CreateCustomer --------------------------------------------------------------------------- */

static int create_decode(struct request *request)
{
    const Billing__V1__CreateCustomer *m = request->message->create_customer;
    struct customer_create *create = arena_need(&request->arena, sizeof *create);
    request->args = create;
    field_refuse_unknown(request, -1, &m->base);
    field_text(request, -1,
               &(struct text_field){"customer_name", m->has_customer_name, m->customer_name,
                                    LIMIT_CUSTOMER_NAME_BYTES, true},
               &create->name);
    field_text(request, -1,
               &(struct text_field){"external_id", m->has_external_id, m->external_id,
                                    LIMIT_EXTERNAL_ID_BYTES, false},
               &create->external_id);
    field_request_id_or_new(request, m->has_request_id, m->request_id, &create->request_id);
    create->recorded_by = request->who.name;
    return 0;
}

static int create_announce(struct request *request, struct store_txn *txn)
{
    const struct customer_create *create = request->args;
    struct store_key *key = arena_alloc(&request->arena, sizeof *key);
    if (key == NULL) {
        return STATUS_TOO_LARGE;
    }
    key->request_id = create->request_id;
    return store_announce(txn, key, 1);
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct customer_create *create = request->args;
    (void)env;
    int rc = customer_create(txn, &request->arena, create);
    request->op.records = create->outcome.status == 0 && !create->outcome.replayed;
    return rc;
}

static void create_encode(struct request *request)
{
    struct customer_create *create = request->args;
    reply_request_id(request, create->request_id, create->outcome.replayed);
    if (create->outcome.status != 0) {
        problem_reply(request, problem_of_outcome(request, &create->outcome, create->request_id));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_CUSTOMER;
    request->response.create_customer = reply_with(request, &create->customer);
}

/* --- GetCustomer ------------------------------------------------------------------------------ */

struct get_args {
    struct customer_ref ref;
    struct store_customer customer;
};

static int get_decode(struct request *request)
{
    const Billing__V1__GetCustomer *m = request->message->get_customer;
    struct get_args *args = arena_need(&request->arena, sizeof *args);
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &args->ref);
    return 0;
}

static int get_query(struct request *request, struct store_view *view, const struct ledger_env *env)
{
    struct get_args *args = request->args;
    (void)env;
    int rc = customer_resolve(view, &args->ref, &args->customer);
    return rc < 0 ? rc : customer_keep(&request->arena, &args->customer);
}

static void get_encode(struct request *request)
{
    const struct get_args *args = request->args;
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_GET_CUSTOMER;
    request->response.get_customer = reply_with(request, &args->customer);
}

/* --- ListCustomers ---------------------------------------------------------------------------- */

static int list_decode(struct request *request)
{
    const Billing__V1__ListCustomers *m = request->message->list_customers;
    struct customer_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    field_refuse_unknown(request, -1, &m->base);
    field_text(request, -1,
               &(struct text_field){"external_id", m->has_external_id, m->external_id,
                                    LIMIT_EXTERNAL_ID_BYTES, false},
               &page->external_id);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &page->limit);
    page->after_seq = cursor_parse_number(request, CURSOR_CUSTOMERS, m->has_cursor, m->cursor);
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return customer_list(view, &request->arena, request->args);
}

static void list_encode(struct request *request)
{
    const struct customer_page *page = request->args;
    Billing__V1__CustomersReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__customers_reply__init(reply);
    reply->customers = arena_need(&request->arena, page->n * sizeof *reply->customers);
    for (; reply->n_customers < page->n; reply->n_customers++) {
        reply->customers[reply->n_customers] =
            reply_customer(request, &page->customers[reply->n_customers]);
    }
    if (page->more) {
        cursor_print_number(request, CURSOR_CUSTOMERS, page->customers[page->n - 1].seq,
                            &reply->has_next_cursor, &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_CUSTOMERS;
    request->response.list_customers = reply;
}

/* --- UpdateCustomer --------------------------------------------------------------------------- */

static int update_decode(struct request *request)
{
    const Billing__V1__UpdateCustomer *m = request->message->update_customer;
    struct customer_rename *rename = arena_need(&request->arena, sizeof *rename);
    request->args = rename;
    field_refuse_unknown(request, -1, &m->base);
    field_customer(request, -1, m->has_customer_id, m->customer_id, &rename->customer_ref);
    field_text(request, -1,
               &(struct text_field){"customer_name", m->has_customer_name, m->customer_name,
                                    LIMIT_CUSTOMER_NAME_BYTES, true},
               &rename->name);
    rename->recorded_by = request->who.name;
    return 0;
}

static int update_announce(struct request *request, struct store_txn *txn)
{
    (void)request;
    (void)txn; /* takes no request id */
    return 0;
}

static int update_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct customer_rename *rename = request->args;
    (void)env;
    int rc = customer_rename(txn, &request->arena, rename);
    request->op.records = rename->recorded;
    return rc;
}

static void update_encode(struct request *request)
{
    const struct customer_rename *rename = request->args;
    if (rename->outcome.status != 0) {
        problem_reply(request, problem_of_outcome(request, &rename->outcome, (struct slice){0}));
        return;
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_UPDATE_CUSTOMER;
    request->response.update_customer = reply_with(request, &rename->customer);
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_CREATE_CUSTOMER,
        .name = "CreateCustomer",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = create_decode,
        .announce = create_announce,
        .apply = create_apply,
        .encode = create_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_GET_CUSTOMER,
        .name = "GetCustomer",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = get_decode,
        .query = get_query,
        .encode = get_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_CUSTOMERS,
        .name = "ListCustomers",
        .lane = LANE_READ,
        .role = ROLE_READER,
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_UPDATE_CUSTOMER,
        .name = "UpdateCustomer",
        .lane = LANE_WRITE,
        .role = ROLE_WRITER,
        .decode = update_decode,
        .announce = update_announce,
        .apply = update_apply,
        .encode = update_encode,
    },
};

const struct method_family customer_calls = {methods, sizeof methods / sizeof methods[0]};
