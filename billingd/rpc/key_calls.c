/* CreateKey, ListKeys, RevokeKey.  What they change is in the keyring before their answers
 * leave. */
#include <stdlib.h>

#include "billingd/base/clock.h"
#include "billingd/ledger/api_key.h"
#include "billingd/rpc/cursor.h"
#include "billingd/rpc/fields.h"
#include "billingd/rpc/methods.h"
#include "billingd/rpc/object_id.h"
#include "billingd/rpc/problem.h"
#include "billingd/rpc/quote.h"
#include "billingd/rpc/reply.h"
#include "proto/utf8.h"

static const struct {
    enum key_role stored;
    Billing__V1__Role shown;
} roles[] = {
    {KEY_READER, BILLING__V1__ROLE__READER},
    {KEY_WRITER, BILLING__V1__ROLE__WRITER},
    {KEY_ADMIN, BILLING__V1__ROLE__ADMIN},
};

enum {
    N_ROLES = sizeof roles / sizeof roles[0],
};

/* --- answers ---------------------------------------------------------------------------------- */

static void put_role(Billing__V1__ApiKey *m, enum key_role role)
{
    for (size_t i = 0; i < N_ROLES; i++) {
        if (roles[i].stored == role) {
            m->has_role = true;
            m->role = roles[i].shown;
        }
    }
}

static void put_services(struct request *request, Billing__V1__ApiKey *m, struct slice services)
{
    struct slice rest = services;
    struct slice name;
    size_t n = 0;
    while (services_next(&rest, &name)) {
        n++;
    }
    m->services = arena_need(&request->arena, n * sizeof *m->services);
    while (services_next(&services, &name)) {
        protobuf_c_boolean has;
        reply_text(request, &has, &m->services[m->n_services++], name);
    }
}

/* What is not there is left out. */
static void put_time(protobuf_c_boolean *has, int64_t *field, int64_t time_us)
{
    if (time_us != 0) {
        reply_time(has, field, time_us);
    }
}

static Billing__V1__ApiKey *reply_key(struct request *request, const struct store_api_key *key)
{
    Billing__V1__ApiKey *m = arena_need(&request->arena, sizeof *m);
    int64_t used_us = keyring_last_used(request->dispatch->options.keyring, key->seq);
    billing__v1__api_key__init(m);
    reply_id(request, &m->has_id, &m->id, OBJECT_KEY, key->seq);
    reply_text(request, &m->has_name, &m->name, key->created.name);
    put_role(m, key->created.role);
    put_services(request, m, key->created.services);
    reply_time(&m->has_created_at, &m->created_at, key->created_at_us);
    reply_text(request, &m->has_created_by, &m->created_by, key->created_by);
    put_time(&m->has_expires_at, &m->expires_at, key->created.expires_at_us);
    if (key->revoked_at_us != 0) {
        reply_time(&m->has_revoked_at, &m->revoked_at, key->revoked_at_us);
        reply_text(request, &m->has_revoked_by, &m->revoked_by, key->revoked_by);
    }
    put_time(&m->has_last_used_at, &m->last_used_at,
             used_us > key->last_used_us ? used_us : key->last_used_us);
    return m;
}

/* These writes take no request id. */
static int announce_nothing(struct request *request, struct store_txn *txn)
{
    (void)request;
    (void)txn;
    return 0;
}

/* --- CreateKey -------------------------------------------------------------------------------- */

struct create_args {
    struct api_key_create create;
    char secret[KEYRING_SECRET_BYTES];
};

static void decode_role(struct request *request, const Billing__V1__CreateKey *m,
                        enum key_role *ret)
{
    field_require(request, "role", m->has_role);
    for (size_t i = 0; m->has_role && i < N_ROLES; i++) {
        if (roles[i].shown == m->role) {
            *ret = roles[i].stored;
            return;
        }
    }
    if (m->has_role) {
        request_field_error(request, -1, SLICE("role"), STATUS_OUT_OF_BOUNDS,
                            "%d is neither reader, writer nor admin", (int)m->role);
    }
}

static void decode_expires_at(struct request *request, const Billing__V1__CreateKey *m,
                              int64_t *ret)
{
    int64_t now_us = clock_wall_us();
    field_time(request, -1, "expires_at", m->has_expires_at, m->expires_at, ret);
    if (m->has_expires_at && m->expires_at <= now_us &&
        !request_has_field_error(request, -1, "expires_at")) {
        request_field_error(request, -1, SLICE("expires_at"), STATUS_OUT_OF_BOUNDS,
                            "%s is not later than the daemon's clock, %s", quote_time(*ret).text,
                            quote_time(now_us).text);
    }
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* Whether NAMES, of which each is checked, are none twice; they are sorted. */
static bool check_names_differ(struct request *request, struct slice *names, size_t n)
{
    qsort(names, n, sizeof names[0], compare_names);
    for (size_t i = 1; i < n; i++) {
        if (slice_equal(names[i - 1], names[i])) {
            request_field_error(request, -1, SLICE("services"), STATUS_OUT_OF_BOUNDS,
                                "'%s' is there twice", quote_text(names[i]).text);
            return false;
        }
    }
    return true;
}

static bool check_name(struct request *request, struct slice name)
{
    if (name.length < 1 || name.length > LIMIT_SERVICE_BYTES) {
        request_field_error(request, -1, SLICE("services"), STATUS_OUT_OF_BOUNDS,
                            "'%s' has %zu bytes; 1 to %d are allowed", quote_text(name).text,
                            name.length, LIMIT_SERVICE_BYTES);
        return false;
    }
    if (!utf8_printable(name.data, name.length)) {
        request_field_error(request, -1, SLICE("services"), STATUS_OUT_OF_BOUNDS,
                            "'%s' must be UTF-8 without control characters", quote_text(name).text);
        return false;
    }
    return true;
}

static void decode_services(struct request *request, const Billing__V1__CreateKey *m,
                            struct slice *ret)
{
    struct slice names[LIMIT_KEY_SERVICES];
    uint8_t *encoded = arena_need(&request->arena, SERVICES_BYTES_MAX);
    if (m->n_services == 0) {
        return;
    }
    if (m->has_role && m->role != BILLING__V1__ROLE__WRITER) {
        request_field_error(request, -1, SLICE("services"), STATUS_OUT_OF_BOUNDS,
                            "only a writer is limited to services");
        return;
    }
    if (m->n_services > LIMIT_KEY_SERVICES) {
        request_field_error(request, -1, SLICE("services"), STATUS_OUT_OF_BOUNDS,
                            "there are %zu; at most %d are allowed", m->n_services,
                            LIMIT_KEY_SERVICES);
        return;
    }
    for (size_t i = 0; i < m->n_services; i++) {
        names[i] = (struct slice){(const char *)m->services[i].data, m->services[i].len};
        if (!check_name(request, names[i])) {
            return;
        }
    }
    if (check_names_differ(request, names, m->n_services)) {
        ret->length = services_encode(names, m->n_services, encoded);
        ret->data = (const char *)encoded;
    }
}

static int create_decode(struct request *request)
{
    const Billing__V1__CreateKey *m = request->message->create_key;
    struct create_args *args = arena_need(&request->arena, sizeof *args);
    struct key_created *asked = &args->create.asked;
    request->args = args;
    field_refuse_unknown(request, -1, &m->base);
    field_text(request, -1,
               &(struct text_field){"name", m->has_name, m->name, LIMIT_KEY_NAME_BYTES, true},
               &asked->name);
    if (object_id_parse(OBJECT_KEY, asked->name, request->dispatch->id_key) != 0) {
        request_field_error(request, -1, SLICE("name"), STATUS_OUT_OF_BOUNDS,
                            "is the id of a key: a name that is none would not say which is meant");
    }
    decode_role(request, m, &asked->role);
    decode_services(request, m, &asked->services);
    decode_expires_at(request, m, &asked->expires_at_us);
    args->create.recorded_by = request->who.name;
    if (request->errors.first == NULL) {
        keyring_new_secret(request->dispatch->options.keyring, args->secret, asked->hash);
    }
    return 0;
}

static int create_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct create_args *args = request->args;
    (void)env;
    int rc = api_key_create(txn, &args->create);
    request->op.records = rc == 0 && args->create.outcome.status == 0;
    return rc;
}

static void create_encode(struct request *request)
{
    struct create_args *args = request->args;
    const struct api_key_create *create = &args->create;
    struct keyring *keyring = request->dispatch->options.keyring;
    char token[KEYRING_TOKEN_TEXT_MAX];
    if (create->outcome.status != 0) {
        problem_reply(request, problem_of_outcome(request, &create->outcome, (struct slice){0}));
        return;
    }
    keyring_add(keyring, &create->key);
    Billing__V1__CreateKeyReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__create_key_reply__init(reply);
    size_t length = keyring_print_token(keyring, create->key.seq, args->secret, token);
    reply_text(request, &reply->has_key, &reply->key, (struct slice){token, length});
    reply->api_key = reply_key(request, &create->key);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_CREATE_KEY;
    request->response.create_key = reply;
}

/* --- ListKeys --------------------------------------------------------------------------------- */

static int list_decode(struct request *request)
{
    const Billing__V1__ListKeys *m = request->message->list_keys;
    struct api_key_page *page = arena_need(&request->arena, sizeof *page);
    request->args = page;
    field_refuse_unknown(request, -1, &m->base);
    field_limit(request, m->has_limit, m->limit, LIMIT_PAGE_DEFAULT, &page->limit);
    page->after_seq = cursor_parse_number(request, CURSOR_KEYS, m->has_cursor, m->cursor);
    page->include_revoked = m->has_include_revoked && m->include_revoked;
    return 0;
}

static int list_query(struct request *request, struct store_view *view,
                      const struct ledger_env *env)
{
    (void)env;
    return api_key_list(view, &request->arena, request->args);
}

static void list_encode(struct request *request)
{
    const struct api_key_page *page = request->args;
    Billing__V1__KeysReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__keys_reply__init(reply);
    reply->keys = arena_need(&request->arena, page->n * sizeof *reply->keys);
    for (; reply->n_keys < page->n; reply->n_keys++) {
        reply->keys[reply->n_keys] = reply_key(request, &page->keys[reply->n_keys]);
    }
    if (page->more) {
        cursor_print_number(request, CURSOR_KEYS, page->keys[page->n - 1].seq,
                            &reply->has_next_cursor, &reply->next_cursor);
    }
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_LIST_KEYS;
    request->response.list_keys = reply;
}

/* --- RevokeKey -------------------------------------------------------------------------------- */

static int revoke_decode(struct request *request)
{
    const Billing__V1__RevokeKey *m = request->message->revoke_key;
    struct api_key_revoke *revoke = arena_need(&request->arena, sizeof *revoke);
    request->args = revoke;
    field_refuse_unknown(request, -1, &m->base);
    field_text(request, -1,
               &(struct text_field){"key_id", m->has_key_id, m->key_id, LIMIT_KEY_NAME_BYTES, true},
               &revoke->name);
    revoke->seq = object_id_parse(OBJECT_KEY, revoke->name, request->dispatch->id_key);
    revoke->recorded_by = request->who.name;
    return 0;
}

static int revoke_apply(struct request *request, struct store_txn *txn,
                        const struct ledger_env *env)
{
    struct api_key_revoke *revoke = request->args;
    (void)env;
    int rc = api_key_revoke(txn, &request->arena, revoke);
    request->op.records = revoke->recorded;
    return rc;
}

static void revoke_encode(struct request *request)
{
    const struct api_key_revoke *revoke = request->args;
    if (revoke->outcome.status != 0) {
        problem_reply(request, problem_of_outcome(request, &revoke->outcome, (struct slice){0}));
        return;
    }
    Billing__V1__KeyReply *reply = arena_need(&request->arena, sizeof *reply);
    billing__v1__key_reply__init(reply);
    reply->api_key = reply_key(request, &revoke->key);
    keyring_remove(request->dispatch->options.keyring, revoke->key.seq);
    request->response.result_case = BILLING__V1__RESPONSE__RESULT_REVOKE_KEY;
    request->response.revoke_key = reply;
}

static const struct method methods[] = {
    {
        .call = BILLING__V1__REQUEST__CALL_CREATE_KEY,
        .name = "CreateKey",
        .lane = LANE_WRITE,
        .role = ROLE_ADMIN,
        .decode = create_decode,
        .announce = announce_nothing,
        .apply = create_apply,
        .encode = create_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_LIST_KEYS,
        .name = "ListKeys",
        .lane = LANE_READ,
        .role = ROLE_ADMIN,
        .heavy = true, /* it may have to pass over many that are revoked */
        .decode = list_decode,
        .query = list_query,
        .encode = list_encode,
    },
    {
        .call = BILLING__V1__REQUEST__CALL_REVOKE_KEY,
        .name = "RevokeKey",
        .lane = LANE_WRITE,
        .role = ROLE_ADMIN,
        .decode = revoke_decode,
        .announce = announce_nothing,
        .apply = revoke_apply,
        .encode = revoke_encode,
    },
};

const struct method_family key_calls = {methods, sizeof methods / sizeof methods[0]};
