/* Who may call what: every call that there is, by everybody who can come through a door. */
#include <strings.h>

#include "billingd/base/clock.h"
#include "billingd/rpc/gate.h"
#include "tests/lib/calls.h"
#include "tests/lib/desk.h"
#include "tests/lib/testkit.h"

/* What each call takes, once more and by itself: one that is not here fails the test. */
static const struct rule {
    const char *name;
    enum role least;
    bool every_service; /* refused to a key of some services */
} rules[] = {
    {"CreateCustomer", ROLE_WRITER, false},
    {"GetCustomer", ROLE_READER, false},
    {"ListCustomers", ROLE_READER, false},
    {"UpdateCustomer", ROLE_WRITER, false},
    {"CreateUsage", ROLE_WRITER, false},
    {"CreateUsageBatch", ROLE_WRITER, false},
    {"GetUsage", ROLE_READER, false},
    {"ListUsage", ROLE_READER, false},
    {"SummarizeUsage", ROLE_READER, false},
    {"VoidUsage", ROLE_WRITER, false},
    {"GetVoid", ROLE_READER, false},
    {"CreateAdjustment", ROLE_WRITER, true}, /* where it names none, as here */
    {"ListAdjustments", ROLE_READER, false},
    {"GetBill", ROLE_READER, false},
    {"ListBills", ROLE_READER, false},
    {"ListBillRecords", ROLE_READER, false},
    {"FinalizeInvoice", ROLE_WRITER, true},
    {"GetInvoice", ROLE_READER, false},
    {"ListInvoices", ROLE_READER, false},
    {"VerifyInvoice", ROLE_READER, false},
    {"PutService", ROLE_WRITER, true},
    {"GetService", ROLE_READER, false},
    {"DeleteService", ROLE_WRITER, true},
    {"ListServices", ROLE_READER, false},
    {"GetRequest", ROLE_READER, false},
    {"GetServerInfo", ROLE_READER, false},
    {"CheckHealth", ROLE_NONE, false},
    {"CreateKey", ROLE_ADMIN, false},
    {"ListKeys", ROLE_ADMIN, false},
    {"RevokeKey", ROLE_ADMIN, false},
    {"StartBackup", ROLE_ADMIN, false},
    {"StartVerification", ROLE_ADMIN, false},
    {"GetJob", ROLE_ADMIN, false},
    {"CancelJob", ROLE_ADMIN, false},
};

static const struct rule *rule_of(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            return &rules[i];
        }
    }
    testkit_fail("nobody has said who may call %s", name);
}

/* --- who comes -------------------------------------------------------------------------------- */

enum {
    CALLERS = 10,
};

struct caller {
    const char *what;
    const char *token; /* NULL: none, and the door says who it is */
    bool valid;
    enum role role; /* of the token */
    bool limited;
};

/* The token of a key that expired, which no call can make. */
static const char *expired_token(struct desk *desk)
{
    struct store_api_key key = {
        .seq = 1000,
        .created = {.name = SLICE("expired"), .role = KEY_ADMIN, .expires_at_us = 1},
    };
    char secret[KEYRING_SECRET_BYTES];
    char *token = testkit_alloc(KEYRING_TOKEN_TEXT_MAX);
    keyring_new_secret(desk->keyring, secret, key.created.hash);
    keyring_add(desk->keyring, &key);
    IGNORE(keyring_print_token(desk->keyring, key.seq, secret, token) == 0);
    return token;
}

static const char *revoked_token(struct desk *desk)
{
    const char *token = add_key(desk, "revoked", BILLING__V1__ROLE__ADMIN, NULL);
    Billing__V1__Response *response = call(desk, CALL(REVOKE_KEY), revoke_key_input("revoked"));
    assert_int_equal(response->result_case, CALL(REVOKE_KEY));
    return token;
}

static const char *foreign_token(void)
{
    struct desk *other = desk_open(&(struct desk_options){.id_key = 7});
    const char *token = add_key(other, "reader", BILLING__V1__ROLE__ADMIN, NULL);
    desk_close(other);
    return token;
}

static void make_callers(struct desk *desk, struct caller callers[CALLERS])
{
    struct caller made[CALLERS] = {
        {"no token", NULL, true, ROLE_NONE, false},
        {"a reader's", add_key(desk, "reader", BILLING__V1__ROLE__READER, NULL), true, ROLE_READER,
         false},
        {"a writer's", add_key(desk, "writer", BILLING__V1__ROLE__WRITER, NULL), true, ROLE_WRITER,
         false},
        {"a writer's of one service", add_key(desk, "limited", BILLING__V1__ROLE__WRITER, "S3"),
         true, ROLE_WRITER, true},
        {"an administrator's", add_key(desk, "admin", BILLING__V1__ROLE__ADMIN, NULL), true,
         ROLE_ADMIN, false},
        {"an expired one", expired_token(desk), false, ROLE_NONE, false},
        {"a revoked one", revoked_token(desk), false, ROLE_NONE, false},
        {"another daemon's", foreign_token(), false, ROLE_NONE, false},
        {"garbage", "Bearer admin", false, ROLE_NONE, false},
        {"an empty one", "", false, ROLE_NONE, false},
    };
    memcpy(callers, made, sizeof made);
}

/* --- the walk --------------------------------------------------------------------------------- */

/* The refusal that CALLER at a door of DOOR_ROLE is to get; 0: none for who it is. */
static int expect(const struct caller *caller, enum role door_role, const struct rule *rule)
{
    enum role role = caller->token == NULL ? door_role : caller->role;
    if (!caller->valid) {
        return rule->least == ROLE_NONE ? 0 : STATUS_UNAUTHENTICATED;
    }
    if (role < rule->least) {
        return role == ROLE_NONE ? STATUS_UNAUTHENTICATED : STATUS_FORBIDDEN;
    }
    return caller->limited && rule->every_service ? STATUS_FORBIDDEN : 0;
}

static void check_detail(const Billing__V1__Problem *problem, const struct caller *caller,
                         const struct rule *rule)
{
    const char *detail = desk_text(problem->detail);
    if (!caller->valid) {
        assert_contains(detail, *caller->token == '\0' ? "no API key" : "not valid");
    } else if (!rule->every_service) {
        assert_contains(detail, rule->name);
        assert_contains(detail, role_name(rule->least));
    }
}

static void check_call(struct desk *desk, const struct caller *caller, const struct method *method,
                       void *message)
{
    const struct rule *rule = rule_of(method->name);
    int status = expect(caller, desk->who.role, rule);
    uint64_t before = memory_store_counts(desk->memory).calls[MEMORY_APPEND];
    Billing__V1__Response *response = call_as(desk, caller->token, method->call, message);
    const Billing__V1__Problem *problem =
        response->result_case == BILLING__V1__RESPONSE__RESULT_PROBLEM ? response->problem : NULL;
    unsigned http = problem == NULL ? 200 : problem->status;
    if ((unsigned)(status == 0 ? 200 : status_info(status)->http) != http &&
        (status != 0 || http == 401 || http == 403)) {
        testkit_fail("%s with %s at a door of role %s: %u", method->name, caller->what,
                     role_name(desk->who.role), http);
    }
    if (status != 0) {
        check_detail(desk_problem(response, status), caller, rule);
        assert_true(memory_store_counts(desk->memory).calls[MEMORY_APPEND] <= before + 1);
    }
}

/* The type of CALL's message. */
static const ProtobufCMessageDescriptor *type_of(unsigned call)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&billing__v1__request__descriptor, call);
    return field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE ? NULL : field->descriptor;
}

/* Each with an empty message: who may make it is told what is missing, if anything. */
static void roles__every_call_by_everybody__as_the_rules_say(void **state)
{
    struct desk *desk = desk_open(NULL);
    struct caller callers[CALLERS];
    unsigned methods = 0;
    (void)state;
    make_callers(desk, callers);
    for (unsigned id = 1; id < 200; id++) {
        const struct method *method = method_find((Billing__V1__Request__CallCase)id);
        if (method == NULL) {
            continue;
        }
        methods++;
        void *message = testkit_alloc(type_of(id)->sizeof_message);
        protobuf_c_message_init(type_of(id), message);
        for (enum role door = ROLE_NONE; door <= ROLE_ADMIN; door++) {
            for (int i = 0; i < CALLERS; i++) {
                desk->who.role = door;
                check_call(desk, &callers[i], method, message);
            }
        }
    }
    assert_true(methods >= 30);
    desk_close(desk);
}

/* --- what a door serves by itself ------------------------------------------------------------- */

/* The status of what is for readers, where the door takes who asks for DOOR and TOKEN is brought;
 * who that is then in *RET_NAME. */
static int ask_door(struct desk *desk, const struct identity *door, struct slice token,
                    const char **ret_name)
{
    struct request *request = request_create(&desk->dispatch, door, 65536, NULL, NULL);
    assert_non_null(request);
    gate_identify(request, token);
    int rc = gate_authorize(request, NULL);
    *ret_name = testkit_format("%.*s", (int)request->who.name.length, request->who.name.data);
    request_free(request);
    return rc;
}

static void gate__of_a_door__as_for_calls(void **state)
{
    struct desk *desk = desk_open(NULL);
    struct identity door = {.name = SLICE("uid:7"), .role = ROLE_WRITER};
    struct identity nobody = {.name = SLICE("anonymous")};
    struct slice none = {0};
    const char *name;
    (void)state;
    struct slice reader = slice_of(add_key(desk, "r", BILLING__V1__ROLE__READER, NULL));
    assert_ok(ask_door(desk, &door, none, &name));
    assert_string_equal(name, "uid:7");
    assert_status(ask_door(desk, &nobody, none, &name), STATUS_UNAUTHENTICATED);
    assert_ok(ask_door(desk, &nobody, reader, &name));
    assert_string_equal(name, "key:r");
    assert_status(ask_door(desk, &door, SLICE("garbage"), &name), STATUS_UNAUTHENTICATED);
    assert_string_equal(name, "anonymous");
    assert_status(ask_door(desk, &door, SLICE(""), &name), STATUS_UNAUTHENTICATED);
    desk_close(desk);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(roles__every_call_by_everybody__as_the_rules_say),
    cmocka_unit_test(gate__of_a_door__as_for_calls),
};

TESTKIT_MAIN(tests)
