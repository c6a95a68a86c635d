/* openapi.json against what it describes: the table of routes and the descriptors of the messages.
 * What a daemon really answers is held against it in tests/integration/openapi.py. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "billingd/net/http_routes.h"
#include "billingd/net/openapi.h"
#include "billingd/rpc/dispatch.h"
#include "proto/field_kind.h"
#include "tests/lib/testkit.h"

static json_object *document;

static int begin(void **state)
{
    (void)state;
    struct slice text = openapi_json();
    document = json_tokener_parse(testkit_format("%.*s", (int)text.length, text.data));
    return document == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    json_object_put(document);
    return 0;
}

/* --- the document ----------------------------------------------------------------------------- */

/* What a reference refers to, else OBJECT itself. */
static json_object *follow(json_object *object)
{
    json_object *target = json_object_object_get(object, "$ref");
    json_object *found = document;
    if (target == NULL) {
        return object;
    }
    const char *path = json_object_get_string(target);
    assert_memory_equal(path, "#/", 2);
    for (path += 2; *path != '\0' && found != NULL;) {
        size_t length = strcspn(path, "/");
        found = json_object_object_get(found, testkit_format("%.*s", (int)length, path));
        path += length + (path[length] == '/');
    }
    if (found == NULL) {
        testkit_fail("nothing is at %s", json_object_get_string(target));
    }
    return found;
}

/* Member NAME of OBJECT; NULL where it has none, or OBJECT is NULL. */
static json_object *member(json_object *object, const char *name)
{
    json_object *found = object == NULL ? NULL : json_object_object_get(follow(object), name);
    return found == NULL ? NULL : follow(found);
}

static const char *text_member(json_object *object, const char *name)
{
    json_object *found = member(object, name);
    return found == NULL ? "" : json_object_get_string(found);
}

/* Whether ARRAY, of texts, has TEXT; NULL has nothing. */
static bool has_text(json_object *array, const char *text)
{
    for (size_t i = 0; array != NULL && i < json_object_array_length(array); i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(array, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

/* The path of ROUTE in the document's form: "/a/{b}". */
static const char *path_of(const struct http_route *route)
{
    const char *path = "";
    for (const char *at = route->path; *at != '\0';) {
        bool field = *at == ':';
        size_t length = strcspn(at + field, field ? "/" : ":");
        path = testkit_format(field ? "%s{%.*s}" : "%s%.*s", path, (int)length, at + field);
        at += field + length;
    }
    return path;
}

/* TEXT, in capitals, in small letters. */
static const char *lower_case(const char *text)
{
    const char *lower = "";
    for (; *text != '\0'; text++) {
        lower = testkit_format("%s%c", lower, *text | 0x20);
    }
    return lower;
}

static json_object *operation_of(const struct http_route *route)
{
    json_object *path = member(member(document, "paths"), path_of(route));
    json_object *operation = member(path, lower_case(route->method));
    if (operation == NULL) {
        testkit_fail("%s %s is not described", route->method, route->path);
    }
    return operation;
}

static json_object *success_of(const struct http_route *route)
{
    return member(member(operation_of(route), "responses"), testkit_format("%u", route->success));
}

/* --- the messages ----------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *call_field(const ProtobufCMessageDescriptor *of,
                                                  const struct http_route *route)
{
    return protobuf_c_message_descriptor_get_field(of, (unsigned)route->call);
}

/* The call that ROUTE leads to; NULL where it leads to none. */
static const ProtobufCMessageDescriptor *call_of(const struct http_route *route)
{
    const ProtobufCFieldDescriptor *field = call_field(&billing__v1__request__descriptor, route);
    return field == NULL ? NULL : field->descriptor;
}

static bool in_path(const struct http_route *route, const char *name)
{
    return strstr(path_of(route), testkit_format("{%s}", name)) != NULL;
}

struct check {
    const struct http_route *route;
    bool inward; /* in a request */
};

static void fail_field(const struct check *check, const char *name, const char *why)
{
    testkit_fail("%s %s: %s: %s", check->route->method, check->route->path, name, why);
}

static void check_message(const struct check *check, json_object *schema,
                          const ProtobufCMessageDescriptor *type);

static void check_words(const struct check *check, json_object *schema,
                        const ProtobufCFieldDescriptor *field)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    json_object *words = member(schema, "enum");
    if (words == NULL || json_object_array_length(words) != type->n_values) {
        fail_field(check, field->name, "has other words");
    }
    for (unsigned i = 0; i < type->n_values; i++) {
        if (strcasecmp(json_object_get_string(json_object_array_get_idx(words, i)),
                       type->values[i].name) != 0) {
            fail_field(check, field->name, "has other words");
        }
    }
}

static void check_items(const struct check *check, json_object *schema,
                        const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    json_object *named = schema;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        assert_string_equal(text_member(schema, "type"), "array");
        named = json_object_object_get(schema, "items");
    }
    const char *wanted = testkit_format("#/components/schemas/%s", type->short_name);
    json_object *target = json_object_object_get(named, "$ref");
    if (target == NULL || strcmp(json_object_get_string(target), wanted) != 0) {
        fail_field(check, field->name, "is of another type");
    }
    check_message(check, named, type);
}

/* That SCHEMA is what JSON shows for FIELD. */
static void check_field(const struct check *check, json_object *schema,
                        const ProtobufCFieldDescriptor *field)
{
    static const char *const types[] = {
        [FIELD_TEXT] = "string",     [FIELD_DECIMAL] = "number",  [FIELD_TIME] = "string",
        [FIELD_COUNT32] = "integer", [FIELD_COUNT64] = "integer", [FIELD_FLAG] = "boolean",
        [FIELD_ENUM] = "string",     [FIELD_LABELS] = "object",
    };
    enum field_kind kind = field_kind(field);
    if (kind == FIELD_MESSAGE) {
        check_items(check, schema, field);
        return;
    }
    json_object *type = member(schema, "type");
    bool either = kind == FIELD_DECIMAL && check->inward;
    bool right = either ? has_text(type, "number") && has_text(type, "string")
                        : strcmp(text_member(schema, "type"), types[kind]) == 0;
    right =
        right && (kind == FIELD_TIME) == (strcmp(text_member(schema, "format"), "date-time") == 0);
    if (!right) {
        fail_field(check, field->name, "is of another type");
    }
    if (kind == FIELD_ENUM) {
        check_words(check, schema, field);
    }
}

/* That SCHEMA has a property for each field of TYPE, but for those of a request's path, and no
 * more; and requires only what there is. */
static void check_message(const struct check *check, json_object *schema,
                          const ProtobufCMessageDescriptor *type)
{
    json_object *properties = member(schema, "properties");
    json_object *required = member(schema, "required");
    int n = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool is_call = type == call_of(check->route);
        json_object *property = json_object_object_get(properties, field->name);
        if (check->inward && is_call && in_path(check->route, field->name)) {
            assert_null(property);
            continue;
        }
        if (property == NULL) {
            fail_field(check, field->name, "is not described");
        }
        check_field(check, property, field);
        n++;
        if (!check->inward && field->label == PROTOBUF_C_LABEL_REPEATED &&
            !has_text(required, field->name)) {
            fail_field(check, field->name, "is always there");
        }
    }
    assert_int_equal(json_object_object_length(properties), n);
    for (size_t i = 0; required != NULL && i < json_object_array_length(required); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(required, i));
        assert_non_null(json_object_object_get(properties, name));
    }
    /* What is not known: refused from clients, to be passed over by them. */
    json_object *more = member(schema, "additionalProperties");
    assert_int_equal(more != NULL && !json_object_get_boolean(more), check->inward);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void paths__every_route__is_described_and_no_other(void **state)
{
    (void)state;
    const struct http_route *route;
    int described = 0;
    unsigned n = 0;
    for (; (route = http_route_at(n)) != NULL; n++) {
        const ProtobufCFieldDescriptor *call = call_field(&billing__v1__request__descriptor, route);
        assert_string_equal(text_member(operation_of(route), "x-call"),
                            call == NULL ? "" : call->name);
        assert_non_null(success_of(route));
        assert_non_null(member(member(operation_of(route), "responses"), "default"));
    }
    json_object_object_foreach(member(document, "paths"), path, operations)
    {
        assert_int_equal(path[0], '/');
        described += json_object_object_length(operations);
    }
    assert_int_equal(described, n);
}

/* But those that only an administrator makes: they are of the RPC door alone. */
static void paths__every_call__has_one(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *calls = &billing__v1__request__descriptor;
    for (unsigned i = 0; i < calls->n_fields; i++) {
        const struct http_route *route;
        unsigned r = 0;
        if (calls->fields[i].type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        while ((route = http_route_at(r)) != NULL && (unsigned)route->call != calls->fields[i].id) {
            r++;
        }
        const struct method *method =
            method_find((Billing__V1__Request__CallCase)calls->fields[i].id);
        bool administrative = method == NULL || method->role == ROLE_ADMIN;
        if ((route == NULL) != administrative) {
            testkit_fail("%s path leads to %s", route == NULL ? "no" : "a", calls->fields[i].name);
        }
    }
}

/* The parameter NAME in PLACE; NULL where there is none. */
static json_object *parameter(const struct http_route *route, const char *place, const char *name)
{
    json_object *list = member(operation_of(route), "parameters");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        json_object *found = follow(json_object_array_get_idx(list, i));
        if (strcmp(text_member(found, "in"), place) == 0 &&
            strcmp(text_member(found, "name"), name) == 0) {
            return found;
        }
    }
    return NULL;
}

static size_t count_parameters(const struct http_route *route, const char *place)
{
    json_object *list = member(operation_of(route), "parameters");
    size_t n = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        n += strcmp(text_member(follow(json_object_array_get_idx(list, i)), "in"), place) == 0;
    }
    return n;
}

static void parameters__every_field__is_one_of_the_path_or_the_query(void **state)
{
    (void)state;
    const struct http_route *route;
    for (unsigned r = 0; (route = http_route_at(r)) != NULL; r++) {
        const ProtobufCMessageDescriptor *call = call_of(route);
        const struct check check = {.route = route, .inward = true};
        size_t in_paths = 0;
        size_t in_queries = 0;
        for (unsigned i = 0; call != NULL && i < call->n_fields; i++) {
            const ProtobufCFieldDescriptor *field = &call->fields[i];
            bool of_path = in_path(route, field->name);
            if (!of_path && route->body != HTTP_BODY_NONE) {
                continue;
            }
            json_object *found = parameter(route, of_path ? "path" : "query", field->name);
            if (found == NULL) {
                fail_field(&check, field->name, "is no parameter");
            }
            check_field(&check, json_object_object_get(found, "schema"), field);
            json_object *required = member(found, "required");
            assert_int_equal(required != NULL && json_object_get_boolean(required), of_path);
            in_paths += of_path;
            in_queries += !of_path;
        }
        assert_u64(count_parameters(route, "path"), in_paths);
        assert_u64(count_parameters(route, "query"), in_queries);
    }
}

static void parameters__idempotency_key__where_a_request_id_is_taken(void **state)
{
    (void)state;
    const struct http_route *route;
    for (unsigned r = 0; (route = http_route_at(r)) != NULL; r++) {
        bool taken =
            route->body != HTTP_BODY_NONE &&
            protobuf_c_message_descriptor_get_field_by_name(call_of(route), "request_id") != NULL;
        assert_int_equal(parameter(route, "header", "Idempotency-Key") != NULL, taken);
        assert_non_null(parameter(route, "header", "X-Request-Id"));
    }
}

static void bodies__of_every_write__are_its_call(void **state)
{
    (void)state;
    const struct http_route *route;
    for (unsigned r = 0; (route = http_route_at(r)) != NULL; r++) {
        const struct check check = {.route = route, .inward = true};
        json_object *body = member(operation_of(route), "requestBody");
        json_object *content = member(body, "content");
        assert_int_equal(body != NULL, route->body != HTTP_BODY_NONE);
        if (body == NULL) {
            continue;
        }
        check_message(&check, member(member(content, "application/json"), "schema"),
                      call_of(route));
        assert_int_equal(json_object_get_boolean(member(body, "required")),
                         route->body != HTTP_BODY_JSON_OR_NONE);
        assert_int_equal(member(content, "application/x-ndjson") != NULL,
                         route->body == HTTP_BODY_JSON_OR_LINES);
    }
}

static void answers__of_every_call__are_its_reply(void **state)
{
    (void)state;
    const struct http_route *route;
    for (unsigned r = 0; (route = http_route_at(r)) != NULL; r++) {
        const ProtobufCFieldDescriptor *reply =
            call_field(&billing__v1__response__descriptor, route);
        const struct check check = {.route = route};
        json_object *content = member(success_of(route), "content");
        json_object *headers = member(success_of(route), "headers");
        assert_int_equal(content != NULL, route->success != 204);
        if (content != NULL && reply != NULL) {
            check_message(&check, member(member(content, "application/json"), "schema"),
                          reply->descriptor);
        }
        assert_int_equal(member(content, "text/csv") != NULL, route->csv);
        assert_int_equal(member(headers, "Location") != NULL, route->location != NULL);
        assert_int_equal(member(headers, "Idempotent-Replayed") != NULL, route->success == 201);
        assert_non_null(member(headers, "X-Request-Id"));
    }
}

static void answers__refusals__are_problems(void **state)
{
    (void)state;
    const struct check check = {.route = http_route_at(0)};
    json_object_object_foreach(member(member(document, "components"), "responses"), name, response)
    {
        json_object *content = member(response, "content");
        json_object *schema = member(member(content, "application/problem+json"), "schema");
        assert_true(isupper((unsigned char)name[0]));
        assert_int_equal(json_object_object_length(content), 1);
        check_message(&check, json_object_array_get_idx(member(schema, "allOf"), 0),
                      &billing__v1__problem__descriptor);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(paths__every_route__is_described_and_no_other),
    cmocka_unit_test(paths__every_call__has_one),
    cmocka_unit_test(parameters__every_field__is_one_of_the_path_or_the_query),
    cmocka_unit_test(parameters__idempotency_key__where_a_request_id_is_taken),
    cmocka_unit_test(bodies__of_every_write__are_its_call),
    cmocka_unit_test(answers__of_every_call__are_its_reply),
    cmocka_unit_test(answers__refusals__are_problems),
};

int main(int argc, char **argv)
{
    testkit_begin(argc, argv);
    return testkit_end(cmocka_run_group_tests(tests, begin, end));
}
