#include "billingd/rpc/reply.h"

#include <stdio.h>

#include "billingd/base/assert.h"
#include "billingd/ledger/usage.h"
#include "billingd/rpc/dispatch.h"

void reply_text(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                struct slice text)
{
    struct slice copy;
    INVARIANT(arena_copy(&request->arena, text, &copy) == 0);
    *has = true;
    field->len = copy.length;
    field->data = (uint8_t *)(uintptr_t)copy.data; /* lies in the arena, which is ours */
}

void reply_printf(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                  const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    INVARIANT(wanted >= 0 && (size_t)wanted < sizeof text);
    reply_text(request, has, field, (struct slice){text, (size_t)wanted});
}

void reply_id(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
              enum object_kind kind, uint64_t seq)
{
    char text[OBJECT_ID_TEXT_MAX];
    size_t length = object_id_print(kind, seq, request->dispatch->id_key, text);
    reply_text(request, has, field, (struct slice){text, length});
}

void reply_decimal(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                   struct decimal value)
{
    char text[DECIMAL_TEXT_MAX];
    size_t length = decimal_print(value, text);
    reply_text(request, has, field, (struct slice){text, length});
}

void reply_amount(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                  struct amount value)
{
    char text[AMOUNT_TEXT_MAX];
    size_t length = amount_print(value, text);
    reply_text(request, has, field, (struct slice){text, length});
}

void reply_time(protobuf_c_boolean *has, int64_t *field, int64_t time_us)
{
    *has = true;
    *field = time_us;
}

void reply_digest(struct request *request, protobuf_c_boolean *has, ProtobufCBinaryData *field,
                  const uint8_t digest[SHA256_BYTES])
{
    char text[SHA256_TEXT_BYTES];
    sha256_print(digest, text);
    reply_text(request, has, field, (struct slice){text, sizeof text});
}

void reply_count(protobuf_c_boolean *has, uint64_t *field, uint64_t count)
{
    *has = true;
    *field = count;
}

void reply_request_id(struct request *request, struct slice request_id, bool replayed)
{
    reply_text(request, &request->response.has_request_id, &request->response.request_id,
               request_id);
    request->response.has_replayed = true;
    request->response.replayed = replayed;
    request->dispatch->stats.replays += replayed;
}

Billing__V1__Customer *reply_customer(struct request *request,
                                      const struct store_customer *customer)
{
    Billing__V1__Customer *m = arena_need(&request->arena, sizeof *m);
    billing__v1__customer__init(m);
    reply_id(request, &m->has_id, &m->id, OBJECT_CUSTOMER, customer->seq);
    reply_text(request, &m->has_name, &m->name, customer->name);
    if (customer->external_id.length > 0) {
        reply_text(request, &m->has_external_id, &m->external_id, customer->external_id);
    }
    reply_time(&m->has_created_at, &m->created_at, customer->created_at_us);
    reply_time(&m->has_updated_at, &m->updated_at, customer->updated_at_us);
    return m;
}

static void put_labels(struct request *request, Billing__V1__Usage *m, struct slice labels)
{
    struct label label;
    struct slice rest = labels;
    size_t n = 0;
    while (labels_next(&rest, &label)) {
        n++;
    }
    m->labels = arena_need(&request->arena, n * sizeof(Billing__V1__Label *));
    while (labels_next(&labels, &label)) {
        Billing__V1__Label *row = arena_need(&request->arena, sizeof *row);
        billing__v1__label__init(row);
        reply_text(request, &row->has_name, &row->name, label.name);
        reply_text(request, &row->has_value, &row->value, label.value);
        m->labels[m->n_labels++] = row;
    }
}

Billing__V1__Usage *reply_usage(struct request *request, const struct record *record)
{
    const struct usage *usage = &record->usage;
    Billing__V1__Usage *m = arena_need(&request->arena, sizeof *m);
    billing__v1__usage__init(m);
    reply_id(request, &m->has_id, &m->id, OBJECT_USAGE, record->seq);
    reply_id(request, &m->has_customer_id, &m->customer_id, OBJECT_CUSTOMER, usage->customer);
    reply_text(request, &m->has_service, &m->service, usage->service);
    reply_decimal(request, &m->has_units_consumed, &m->units_consumed, usage->units);
    reply_decimal(request, &m->has_price_per_unit, &m->price_per_unit, usage->price);
    reply_amount(request, &m->has_amount, &m->amount, usage_amount(usage));
    reply_time(&m->has_occurred_at, &m->occurred_at, usage->occurred_at_us);
    reply_time(&m->has_created_at, &m->created_at, record->created_at_us);
    reply_time(&m->has_bills_at, &m->bills_at, usage->bills_at_us);
    m->has_late = true;
    m->late = usage_is_late(usage);
    reply_text(request, &m->has_request_id, &m->request_id, record->request_id);
    reply_text(request, &m->has_recorded_by, &m->recorded_by, record->recorded_by);
    put_labels(request, m, usage->labels);
    return m;
}
