#include "billingd/rpc/fields.h"

#include <stdlib.h>

#include "billingd/base/clock.h"
#include "billingd/base/random.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/object_id.h"
#include "billingd/rpc/quote.h"
#include "proto/limits.h"
#include "proto/timestamp.h"
#include "proto/utf8.h"
#include "proto/uuid.h"

static struct slice slice_of_field(ProtobufCBinaryData data)
{
    return (struct slice){.data = (const char *)data.data, .length = data.len};
}

/* Whether the field is there; notes it where it must be. */
static bool present(struct request *request, int item, const char *name, bool has, bool required)
{
    if (!has && required && !request_has_field_error(request, item, name)) {
        request_field_error(request, item, slice_of(name), STATUS_MISSING_FIELD, "is missing");
    }
    return has;
}

void field_require(struct request *request, const char *name, bool has)
{
    IGNORE(present(request, -1, name, has, true)); /* the caller knows */
}

static bool within_bytes(struct request *request, int item, const struct text_field *field)
{
    if (field->data.len >= 1 && field->data.len <= field->bytes_max) {
        return true;
    }
    request_field_error(request, item, slice_of(field->name), STATUS_OUT_OF_BOUNDS,
                        "has %zu bytes; 1 to %zu are allowed", field->data.len, field->bytes_max);
    return false;
}

void field_text(struct request *request, int item, const struct text_field *field,
                struct slice *ret)
{
    struct slice text = slice_of_field(field->data);
    if (!present(request, item, field->name, field->has, field->required) ||
        !within_bytes(request, item, field)) {
        return;
    }
    if (!utf8_printable(text.data, text.length)) {
        request_field_error(request, item, slice_of(field->name), STATUS_OUT_OF_BOUNDS,
                            "'%s' must be UTF-8 without control characters", quote_text(text).text);
        return;
    }
    *ret = text;
}

void field_service_allowed(struct request *request, int item, struct slice service)
{
    struct slice allowed = request->who.services;
    if (allowed.length == 0 || request_has_field_error(request, item, "service") ||
        (service.length > 0 && services_allow(allowed, service))) {
        return;
    }
    struct slice who = request->who.name;
    if (service.length == 0) {
        request_field_error(request, item, SLICE("service"), STATUS_FORBIDDEN,
                            "is missing, and '%.*s' may write of some services alone",
                            (int)who.length, who.data);
    } else {
        request_field_error(request, item, SLICE("service"), STATUS_FORBIDDEN,
                            "'%.*s' may not write of '%s'", (int)who.length, who.data,
                            quote_text(service).text);
    }
}

static bool is_printable_ascii(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return true;
}

void field_request_id(struct request *request, int item, const struct text_field *field,
                      struct slice *ret)
{
    struct slice text = slice_of_field(field->data);
    if (!present(request, item, field->name, field->has, field->required) ||
        !within_bytes(request, item, field)) {
        return;
    }
    if (!is_printable_ascii(text)) {
        request_field_error(request, item, slice_of(field->name), STATUS_OUT_OF_BOUNDS,
                            "'%s' must be printable ASCII", quote_text(text).text);
        return;
    }
    *ret = text;
}

static struct slice new_request_id(struct arena *arena)
{
    uint8_t random[UUID_RANDOM_BYTES];
    char *text = arena_need(arena, UUID_TEXT_BYTES + 1);
    random_bytes(random, sizeof random);
    uuid7_print((uint64_t)(clock_wall_us() / 1000), random, text);
    return (struct slice){.data = text, .length = UUID_TEXT_BYTES};
}

void field_request_id_or_new(struct request *request, protobuf_c_boolean has,
                             ProtobufCBinaryData data, struct slice *ret)
{
    struct text_field field = {
        .name = "request_id",
        .has = has,
        .data = data,
        .bytes_max = LIMIT_REQUEST_ID_BYTES,
        .required = request->dispatch->options.require_request_id,
    };
    if (has || field.required || request_has_field_error(request, -1, field.name)) {
        field_request_id(request, -1, &field, ret);
    } else {
        *ret = new_request_id(&request->arena);
    }
    request->request_id = *ret;
}

/* Returns whether the field is there and a decimal. */
static bool decimal_of(struct request *request, int item, const struct text_field *field,
                       struct decimal *ret)
{
    struct slice text = slice_of_field(field->data);
    const char *reason = NULL;
    if (!present(request, item, field->name, field->has, field->required)) {
        return false;
    }
    int rc = decimal_parse(text.length == 0 ? "" : text.data, text.length, ret, &reason);
    if (rc < 0) {
        request_field_error(request, item, slice_of(field->name), rc, "'%s': %s",
                            quote_text(text).text, reason);
    }
    return rc == 0;
}

void field_decimal(struct request *request, int item, const char *name, protobuf_c_boolean has,
                   ProtobufCBinaryData data, struct decimal *ret)
{
    struct text_field field = {.name = name, .has = has, .data = data, .required = true};
    struct decimal value;
    if (!decimal_of(request, item, &field, &value)) {
        return;
    }
    if (decimal_is_negative(value)) {
        request_field_error(request, item, slice_of(name), STATUS_OUT_OF_BOUNDS, "'%s' is below 0",
                            quote_text(slice_of_field(data)).text);
        return;
    }
    *ret = value;
}

void field_signed_decimal(struct request *request, int item, const char *name,
                          protobuf_c_boolean has, ProtobufCBinaryData data, struct decimal *ret)
{
    struct text_field field = {.name = name, .has = has, .data = data, .required = true};
    struct decimal value;
    if (decimal_of(request, item, &field, &value)) {
        *ret = value;
    }
}

void field_time(struct request *request, int item, const char *name, protobuf_c_boolean has,
                int64_t value, int64_t *ret)
{
    if (!has) {
        return;
    }
    if (value < 0 || value > TIMESTAMP_MAX) {
        request_field_error(request, item, slice_of(name), STATUS_TIME_OUT_OF_RANGE,
                            "%lld lies outside the years 1970 to 9999", (long long)value);
        return;
    }
    *ret = value;
}

static void refuse_end(struct request *request, const struct period *period)
{
    if (!request_has_field_error(request, -1, "end")) {
        request_field_error(request, -1, SLICE("end"), STATUS_OUT_OF_BOUNDS,
                            "%s must be later than start, %s", quote_time(period->end_us).text,
                            quote_time(period->start_us).text);
    }
}

void field_range(struct request *request, protobuf_c_boolean has_start, int64_t start,
                 protobuf_c_boolean has_end, int64_t end, struct period *ret)
{
    field_time(request, -1, "start", has_start, start, &ret->start_us);
    field_time(request, -1, "end", has_end, end, &ret->end_us);
    if (ret->start_us >= ret->end_us) {
        refuse_end(request, ret);
    }
}

bool field_period(struct request *request, protobuf_c_boolean has_start, int64_t start,
                  protobuf_c_boolean has_end, int64_t end, struct period *ret)
{
    if (has_start && has_end) {
        field_range(request, has_start, start, has_end, end, ret);
    } else if (has_start || has_end) {
        const char *missing = has_start ? "end" : "start";
        if (!request_has_field_error(request, -1, missing)) {
            request_field_error(request, -1, slice_of(missing), STATUS_MISSING_FIELD,
                                "is missing: a window has a start and an end");
        }
    }
    return has_start || has_end;
}

void field_clock(struct request *request, protobuf_c_boolean has, Billing__V1__Clock value,
                 enum store_clock *ret)
{
    *ret = STORE_BY_OCCURRED;
    if (has && value == BILLING__V1__CLOCK__BILLED) {
        *ret = STORE_BY_BILLED;
    } else if (has && value != BILLING__V1__CLOCK__OCCURRED) {
        request_field_error(request, -1, SLICE("by"), STATUS_OUT_OF_BOUNDS,
                            "%d is neither occurred nor billed", (int)value);
    }
}

void field_limit(struct request *request, protobuf_c_boolean has, uint32_t value, unsigned fallback,
                 unsigned *ret)
{
    *ret = fallback;
    if (has && (value < 1 || value > LIMIT_PAGE_MAX)) {
        request_field_error(request, -1, SLICE("limit"), STATUS_OUT_OF_BOUNDS,
                            "%u is not within 1 to %d", value, LIMIT_PAGE_MAX);
    } else if (has) {
        *ret = value;
    }
}

void field_invoice_number(struct request *request, protobuf_c_boolean has, uint64_t value,
                          uint64_t *ret)
{
    field_require(request, "number", has);
    *ret = has ? value : *ret;
}

void field_customer(struct request *request, int item, protobuf_c_boolean has,
                    ProtobufCBinaryData data, struct customer_ref *ret)
{
    static const struct slice prefix = {.data = "external:", .length = 9};
    struct slice text = slice_of_field(data);
    if (!present(request, item, "customer_id", has, true)) {
        return;
    }
    *ret = (struct customer_ref){0};
    if (text.length > prefix.length && memcmp(text.data, prefix.data, prefix.length) == 0) {
        if (text.length - prefix.length <= LIMIT_EXTERNAL_ID_BYTES) {
            ret->external_id.data = text.data + prefix.length;
            ret->external_id.length = text.length - prefix.length;
        }
        return;
    }
    ret->seq = object_id_parse(OBJECT_CUSTOMER, text, request->dispatch->id_key);
}

void field_usage(struct request *request, protobuf_c_boolean has, ProtobufCBinaryData data,
                 uint64_t *ret)
{
    if (present(request, -1, "usage_id", has, true)) {
        *ret = object_id_parse(OBJECT_USAGE, slice_of_field(data), request->dispatch->id_key);
    }
}

/* --- labels ----------------------------------------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
    const struct label *label_a = a;
    const struct label *label_b = b;
    return slice_compare(label_a->name, label_b->name);
}

static bool check_label(struct request *request, int item, const Billing__V1__Label *label,
                        struct label *ret)
{
    struct slice name = slice_of_field(label->name);
    struct slice value = slice_of_field(label->value);
    const char *reason = NULL;
    if (name.length < 1 || name.length > LIMIT_LABEL_NAME_BYTES) {
        reason = "its name must have 1 to 64 bytes";
    } else if (value.length > LIMIT_LABEL_VALUE_BYTES) {
        reason = "its value must have at most 1024 bytes";
    } else if (!utf8_printable(name.data, name.length) ||
               !utf8_printable(value.data, value.length)) {
        reason = "it must be UTF-8 without control characters";
    }
    if (reason != NULL) {
        request_field_error(request, item, SLICE("labels"), STATUS_OUT_OF_BOUNDS, "label '%s': %s",
                            quote_text(name).text, reason);
        return false;
    }
    *ret = (struct label){.name = name, .value = value};
    return true;
}

static bool check_names_differ(struct request *request, int item, const struct label *sorted,
                               size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (slice_equal(sorted[i - 1].name, sorted[i].name)) {
            request_field_error(request, item, SLICE("labels"), STATUS_OUT_OF_BOUNDS,
                                "label '%s' is there twice", quote_text(sorted[i].name).text);
            return false;
        }
    }
    return true;
}

void field_labels(struct request *request, int item, Billing__V1__Label *const *labels, size_t n,
                  struct slice *ret)
{
    struct label sorted[LIMIT_LABELS];
    uint8_t encoded[LABELS_BYTES_MAX];
    if (n == 0) {
        return;
    }
    if (n > LIMIT_LABELS) {
        request_field_error(request, item, SLICE("labels"), STATUS_OUT_OF_BOUNDS,
                            "there are %zu; at most %d are allowed", n, LIMIT_LABELS);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        field_refuse_unknown(request, item, &labels[i]->base);
        if (!check_label(request, item, labels[i], &sorted[i])) {
            return;
        }
    }
    qsort(sorted, n, sizeof sorted[0], compare_labels);
    if (!check_names_differ(request, item, sorted, n)) {
        return;
    }
    size_t length = labels_encode(sorted, (unsigned)n, encoded);
    if (arena_copy(&request->arena, (struct slice){(const char *)encoded, length}, ret) < 0) {
        request_field_error(request, item, SLICE("labels"), STATUS_TOO_LARGE, "no room");
    }
}

void field_refuse_unknown(struct request *request, int item, const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->n_unknown_fields && i < REQUEST_FIELD_ERRORS_MAX; i++) {
        request_field_error(request, item, SLICE(""), STATUS_UNKNOWN_FIELD,
                            "%s has a field %u that is not known here",
                            message->descriptor->short_name, message->unknown_fields[i].tag);
    }
}
