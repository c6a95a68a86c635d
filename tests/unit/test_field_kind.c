/* What a field means, over every field of every message; and the rules at the top of
 * billing.proto that JSON relies on. */
#include <signal.h>
#include <string.h>

#include "billing.pb-c.h"
#include "proto/field_kind.h"
#include "tests/lib/child.h"
#include "tests/lib/testkit.h"

enum {
    DEPTH_MAX = 8, /* billing.proto is flatter; a message within itself would go past it */
};

struct visit {
    void (*fn)(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field,
               void *arg);
    void *arg;
};

/* Every field of MESSAGE and of what it contains. */
static void visit_message(const ProtobufCMessageDescriptor *message, const struct visit *visit,
                          int depth)
{
    assert_true(depth < DEPTH_MAX);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        visit->fn(message, field, visit->arg);
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            visit_message(field->descriptor, visit, depth + 1);
        }
    }
}

static void visit_all(const struct visit *visit)
{
    visit_message(&billing__v1__request__descriptor, visit, 0);
    visit_message(&billing__v1__response__descriptor, visit, 0);
}

/* --- kinds ------------------------------------------------------------------------------------ */

static void kind__one_of_each__as_declared(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *message;
        const char *field;
        enum field_kind kind;
    } cases[] = {
        {&billing__v1__customer__descriptor, "id", FIELD_TEXT},
        {&billing__v1__customer__descriptor, "name", FIELD_TEXT},
        {&billing__v1__customer__descriptor, "created_at", FIELD_TIME},
        {&billing__v1__usage__descriptor, "amount", FIELD_DECIMAL},
        {&billing__v1__usage__descriptor, "units_consumed", FIELD_DECIMAL},
        {&billing__v1__usage__descriptor, "price_per_unit", FIELD_DECIMAL},
        {&billing__v1__usage__descriptor, "request_id", FIELD_TEXT},
        {&billing__v1__usage__descriptor, "late", FIELD_FLAG},
        {&billing__v1__usage__descriptor, "labels", FIELD_LABELS},
        {&billing__v1__bill__descriptor, "total", FIELD_DECIMAL},
        {&billing__v1__bill__descriptor, "exact_total", FIELD_DECIMAL},
        {&billing__v1__bill__descriptor, "rounding", FIELD_DECIMAL},
        {&billing__v1__bill__descriptor, "currency", FIELD_TEXT},
        {&billing__v1__bill__descriptor, "lines", FIELD_MESSAGE},
        {&billing__v1__bill_line__descriptor, "exact_amount", FIELD_DECIMAL},
        {&billing__v1__bill_line__descriptor, "records", FIELD_COUNT64},
        {&billing__v1__list_usage__descriptor, "limit", FIELD_COUNT32},
        {&billing__v1__list_usage__descriptor, "by", FIELD_ENUM},
        {&billing__v1__response__descriptor, "replayed", FIELD_FLAG},
        {&billing__v1__response__descriptor, "get_bill", FIELD_MESSAGE},
        {&billing__v1__server_info__descriptor, "records_per_commit", FIELD_DECIMAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(cases[i].message, cases[i].field);
        if (field == NULL || field_kind(field) != cases[i].kind) {
            testkit_fail("%s.%s is not kind %d", cases[i].message->short_name, cases[i].field,
                         (int)cases[i].kind);
        }
    }
}

/* JSON's list elements are messages or texts, and labels are a list. */
static void check_field(const ProtobufCMessageDescriptor *message,
                        const ProtobufCFieldDescriptor *field, void *arg)
{
    enum field_kind kind = field_kind(field); /* aborts on a type that has no kind */
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    bool listable = kind == FIELD_MESSAGE || kind == FIELD_LABELS || kind == FIELD_TEXT;
    int *visited = arg;
    if ((repeated && !listable) || (kind == FIELD_LABELS && !repeated) ||
        field->label == PROTOBUF_C_LABEL_REQUIRED) {
        testkit_fail("%s.%s breaks the rules of billing.proto", message->short_name, field->name);
    }
    (*visited)++;
}

static void kind__every_field__within_the_rules(void **state)
{
    (void)state;
    int visited = 0;
    visit_all(&(struct visit){.fn = check_field, .arg = &visited});
    assert_true(visited > 100);
}

/* --- the one table ---------------------------------------------------------------------------- */

static const char *const decimals[] = {
    "units_consumed", "price_per_unit", "amount",   "exact_amount",
    "exact_total",    "total",          "rounding", "records_per_commit",
};

enum {
    N_DECIMALS = sizeof decimals / sizeof decimals[0],
};

static void note_decimal(const ProtobufCMessageDescriptor *message,
                         const ProtobufCFieldDescriptor *field, void *arg)
{
    bool *seen = arg;
    if (field_kind(field) != FIELD_DECIMAL) {
        return;
    }
    for (size_t i = 0; i < N_DECIMALS; i++) {
        if (strcmp(field->name, decimals[i]) == 0) {
            seen[i] = true;
            return;
        }
    }
    testkit_fail("%s.%s is a decimal by what rule?", message->short_name, field->name);
}

static void decimals__exactly_the_known_ones(void **state)
{
    (void)state;
    bool seen[N_DECIMALS] = {0};
    visit_all(&(struct visit){.fn = note_decimal, .arg = seen});
    for (size_t i = 0; i < N_DECIMALS; i++) {
        if (!seen[i]) {
            testkit_fail("no field %s is a decimal", decimals[i]);
        }
    }
}

static void ask_for_a_double(void *arg)
{
    ProtobufCFieldDescriptor field = {.name = "amount", .type = PROTOBUF_C_TYPE_DOUBLE};
    (void)arg;
    IGNORE(field_kind(&field) == FIELD_DECIMAL); /* it does not return */
}

static void kind__type_not_in_use__aborts(void **state)
{
    (void)state;
    assert_int_equal(child_run(ask_for_a_double, NULL), -SIGABRT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(kind__one_of_each__as_declared),
    cmocka_unit_test(kind__every_field__within_the_rules),
    cmocka_unit_test(decimals__exactly_the_known_ones),
    cmocka_unit_test(kind__type_not_in_use__aborts),
};

TESTKIT_MAIN(tests)
