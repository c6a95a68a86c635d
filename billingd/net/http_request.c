#include "billingd/net/http_request.h"

#include "billingd/base/assert.h"
#include "billingd/net/http_text.h"
#include "billingd/rpc/json_field.h"
#include "billingd/rpc/json_request.h"

size_t http_request_arena_bytes(size_t body_bytes)
{
    return REQUEST_ARENA_BYTES_MAX + 2 * body_bytes;
}

/* --- escapes ---------------------------------------------------------------------------------- */

/* TEXT without its %-escapes; in a query a plus is a blank, as forms have it.  NUL is no part of
 * any value, and would end one early somewhere.  Returns 0, STATUS_MALFORMED_HTTP or
 * STATUS_TOO_LARGE. */
static int unescape(struct arena *arena, struct slice text, bool plus_is_blank, struct slice *ret)
{
    char *data = arena_alloc(arena, text.length);
    size_t length = 0;
    if (data == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.length ? http_hex_value((unsigned char)text.data[i + 1]) : -1;
            int low = i + 2 < text.length ? http_hex_value((unsigned char)text.data[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                return STATUS_MALFORMED_HTTP;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        data[length++] = c;
    }
    *ret = (struct slice){data, length};
    return 0;
}

/* --- the message ------------------------------------------------------------------------------ */

/* REQUEST->message with an empty message of CALL in it. */
static ProtobufCMessage *make_message(struct request *request, Billing__V1__Request__CallCase call)
{
    Billing__V1__Request *message = arena_need(&request->arena, sizeof *message);
    billing__v1__request__init(message);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&billing__v1__request__descriptor, (unsigned)call);
    INVARIANT(field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE);
    const ProtobufCMessageDescriptor *type = field->descriptor;
    ProtobufCMessage *inner = arena_need(&request->arena, type->sizeof_message);
    protobuf_c_message_init(type, inner);
    message->call_case = call;
    *(ProtobufCMessage **)(void *)((char *)message + field->offset) = inner;
    request->message = message;
    return inner;
}

static int fill_path(struct request *request, ProtobufCMessage *message,
                     const struct http_match *match, struct slice *reterr)
{
    for (unsigned i = 0; i < match->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = json_field_find(message, match->fields[i].name);
        struct slice value;
        const char *reason;
        INVARIANT(field != NULL);
        int rc = unescape(&request->arena, match->fields[i].value, false, &value);
        if (rc == 0) {
            rc = json_field_set(&request->arena, message, field, value, &reason);
        }
        if (rc == STATUS_MALFORMED_HTTP) {
            *reterr = SLICE("the path has a bad escape");
        } else if (rc == STATUS_WRONG_TYPE || rc == STATUS_OUT_OF_BOUNDS) {
            *reterr = SLICE("nothing can be named like this");
            rc = match->route->unnamed;
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* --- the query -------------------------------------------------------------------------------- */

static struct slice take_until(struct slice *text, char end)
{
    const char *at = memchr(text->data, end, text->length);
    size_t length = at == NULL ? text->length : (size_t)(at - text->data);
    struct slice part = {text->data, length};
    length += at != NULL;
    text->data += length;
    text->length -= length;
    return part;
}

static bool may_be_queried(const ProtobufCFieldDescriptor *field)
{
    return field != NULL && field->label != PROTOBUF_C_LABEL_REPEATED;
}

static void set_parameter(struct request *request, const struct http_route *route,
                          ProtobufCMessage *message, struct slice name, struct slice value)
{
    const ProtobufCFieldDescriptor *field =
        route->body == HTTP_BODY_NONE ? json_field_find(message, name) : NULL;
    const char *reason = "";
    if (!may_be_queried(field)) {
        request_field_error(request, -1, json_field_show(&request->arena, name),
                            STATUS_INVALID_QUERY, "is no parameter here");
    } else if (json_field_is_set(message, field)) {
        request_field_error(request, -1, slice_of(field->name), STATUS_INVALID_QUERY,
                            "is given twice");
    } else {
        int rc = json_field_set(&request->arena, message, field, value, &reason);
        if (rc < 0) {
            request_field_error(request, -1, slice_of(field->name), rc, "%s", reason);
        }
    }
}

static int fill_query(struct request *request, const struct http_route *route,
                      ProtobufCMessage *message, struct slice query, struct slice *reterr)
{
    while (query.length > 0) {
        struct slice pair = take_until(&query, '&');
        if (pair.length == 0) {
            continue;
        }
        struct slice raw_name = take_until(&pair, '=');
        struct slice name;
        struct slice value;
        if (unescape(&request->arena, raw_name, true, &name) < 0 ||
            unescape(&request->arena, pair, true, &value) < 0) {
            *reterr = SLICE("the query has a bad escape");
            return STATUS_INVALID_QUERY;
        }
        set_parameter(request, route, message, name, value);
    }
    return 0;
}

/* --- the body --------------------------------------------------------------------------------- */

/* Whether CONTENT_TYPE is TYPE, in UTF-8 if it says a charset, and with no other parameter: one
 * could change what the body means. */
static bool is_type(struct slice content_type, const char *type)
{
    if (content_type.length == 0) {
        return false;
    }
    if (!http_is_word(http_trim(take_until(&content_type, ';')), type)) {
        return false;
    }
    struct slice parameter = http_trim(content_type);
    return parameter.length == 0 || http_is_word(parameter, "charset=utf-8") ||
           http_is_word(parameter, "charset=\"utf-8\"");
}

static int fill_body(struct request *request, enum http_body kind, ProtobufCMessage *message,
                     const struct http_message *http, struct slice *reterr)
{
    struct slice type = http->headers[HTTP_CONTENT_TYPE];
    struct slice encoding = http->headers[HTTP_CONTENT_ENCODING];
    if (kind == HTTP_BODY_NONE) {
        *reterr = SLICE("a request like this has no body");
        return http->body.length == 0 ? 0 : STATUS_MALFORMED_HTTP;
    }
    if (kind == HTTP_BODY_JSON_OR_NONE && http->body.length == 0) {
        return 0;
    }
    if (encoding.data != NULL && !http_is_word(encoding, "identity")) {
        *reterr = SLICE("a body is sent without Content-Encoding");
        return STATUS_UNSUPPORTED_MEDIA_TYPE;
    }
    if (is_type(type, "application/json")) {
        return json_request_decode(request, message, http->body, reterr);
    }
    if (kind == HTTP_BODY_JSON_OR_LINES && is_type(type, "application/x-ndjson")) {
        return json_request_decode_lines(request, message, http->body, reterr);
    }
    *reterr = kind == HTTP_BODY_JSON_OR_LINES
                  ? SLICE("Content-Type must be application/json or application/x-ndjson")
                  : SLICE("Content-Type must be application/json");
    return STATUS_UNSUPPORTED_MEDIA_TYPE;
}

/* --- the request id --------------------------------------------------------------------------- */

/* An Idempotency-Key is bare, or a string of RFC 8941 in quotes. */
static int unquote(struct arena *arena, struct slice key, struct slice *ret)
{
    size_t length = 0;
    if (key.length == 0 || key.data[0] != '"') {
        *ret = key;
        return 0;
    }
    char *data = arena_alloc(arena, key.length);
    if (data == NULL) {
        return STATUS_TOO_LARGE;
    }
    for (size_t i = 1; i < key.length; i++) {
        char c = key.data[i];
        if (c == '"') {
            *ret = (struct slice){data, length};
            return i == key.length - 1 ? 0 : STATUS_MALFORMED_HTTP;
        }
        if (c == '\\') {
            i++;
            if (i == key.length || (key.data[i] != '"' && key.data[i] != '\\')) {
                return STATUS_MALFORMED_HTTP;
            }
            c = key.data[i];
        }
        data[length++] = c;
    }
    return STATUS_MALFORMED_HTTP;
}

/* What the body does not say, the headers may: Idempotency-Key before X-Request-Id, which proxies
 * overwrite. */
static int fill_request_id(struct request *request, ProtobufCMessage *message,
                           const struct http_message *http, struct slice *reterr)
{
    const ProtobufCFieldDescriptor *field = json_field_find(message, SLICE("request_id"));
    struct slice id = http->headers[HTTP_IDEMPOTENCY_KEY];
    const char *reason;
    int rc = 0;
    if (field == NULL || json_field_is_set(message, field) ||
        request_has_field_error(request, -1, "request_id")) {
        return 0;
    }
    if (id.data != NULL) {
        *reterr = SLICE("Idempotency-Key is neither bare nor in quotes");
        rc = unquote(&request->arena, id, &id);
    } else {
        id = http->headers[HTTP_X_REQUEST_ID];
    }
    if (rc < 0 || id.data == NULL) {
        return rc;
    }
    return json_field_set(&request->arena, message, field, id, &reason);
}

int http_request_fill(struct request *request, const struct http_match *match,
                      const struct http_message *message, struct slice *reterr)
{
    const struct http_route *route = match->route;
    ProtobufCMessage *call = make_message(request, route->call);
    *reterr = SLICE("the request takes too much memory");
    int rc = fill_path(request, call, match, reterr);
    if (rc == 0) {
        rc = fill_query(request, route, call, message->query, reterr);
    }
    if (rc == 0) {
        rc = fill_body(request, route->body, call, message, reterr);
    }
    if (rc == 0 && route->body != HTTP_BODY_NONE) {
        rc = fill_request_id(request, call, message, reterr);
    }
    return rc;
}
