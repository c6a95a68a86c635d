#include "libbilling/src/query.h"

#include <stdlib.h>
#include <string.h>

#include <billing/admin.h>

#include "billing.pb-c.h"
#include "libbilling/src/message.h"
#include "proto/timestamp.h"

billing_query *billing_query_new(void)
{
    billing_query *query = malloc(sizeof *query);
    if (query != NULL) {
        *query = (struct billing_query){.start_us = -1, .end_us = -1};
    }
    return query;
}

void billing_query_free(billing_query *query)
{
    if (query != NULL) {
        free(query->service.bytes.data);
        free(query->price.bytes.data);
        free(query->external_id.bytes.data);
        free(query->cursor.bytes.data);
        free(query);
    }
}

/* --- filling messages ------------------------------------------------------------------------- */

/* The numbers of ours are those of the wire. */
_Static_assert((int)BILLING_BY_OCCURRED == (int)BILLING__V1__CLOCK__OCCURRED &&
                   (int)BILLING_BY_BILLED == (int)BILLING__V1__CLOCK__BILLED,
               "a clock");
_Static_assert((int)BILLING_WINDOW_HOUR == (int)BILLING__V1__SUMMARIZE_USAGE__WINDOW__HOUR &&
                   (int)BILLING_WINDOW_DAY == (int)BILLING__V1__SUMMARIZE_USAGE__WINDOW__DAY &&
                   (int)BILLING_WINDOW_MONTH == (int)BILLING__V1__SUMMARIZE_USAGE__WINDOW__MONTH,
               "a window");
_Static_assert(sizeof(int) == sizeof(Billing__V1__Clock), "an enum in a message is an int");

/* Set the field called NAME of MESSAGE to the BYTES at VALUE.  Returns whether it has one. */
static bool fill_field(ProtobufCMessage *message, const char *name, const void *value, size_t bytes)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    static const protobuf_c_boolean is_set = 1;
    if (field == NULL) {
        return false;
    }
    memcpy((char *)message + field->offset, value, bytes);
    memcpy((char *)message + field->quantifier_offset, &is_set, sizeof is_set);
    return true;
}

const char *query_fill(const struct billing_query *query, ProtobufCMessage *message)
{
    const struct {
        const char *name;
        bool is_set;
        const void *value;
        size_t bytes;
    } fields[] = {
        {"start", query->start_us >= 0, &query->start_us, sizeof query->start_us},
        {"end", query->end_us >= 0, &query->end_us, sizeof query->end_us},
        {"by", query->by != 0, &query->by, sizeof query->by},
        {"window", query->window != 0, &query->window, sizeof query->window},
        {"group_by", query->group_by != 0, &query->group_by, sizeof query->group_by},
        {"include_empty", query->include_empty != 0, &query->include_empty,
         sizeof query->include_empty},
        {"service", query->service.is_set != 0, &query->service.bytes, sizeof query->service.bytes},
        {"price_per_unit", query->price.is_set != 0, &query->price.bytes,
         sizeof query->price.bytes},
        {"external_id", query->external_id.is_set != 0, &query->external_id.bytes,
         sizeof query->external_id.bytes},
        {"limit", query->limit > 0, &query->limit, sizeof query->limit},
        {"include_revoked", query->include_revoked != 0, &query->include_revoked,
         sizeof query->include_revoked},
        {"cursor", query->cursor.is_set != 0, &query->cursor.bytes, sizeof query->cursor.bytes},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].is_set &&
            !fill_field(message, fields[i].name, fields[i].value, fields[i].bytes)) {
            return fields[i].name;
        }
    }
    return NULL;
}

/* --- setters ---------------------------------------------------------------------------------- */

static int check_time(const billing_query *query, int64_t time_us)
{
    if (query == NULL) {
        return BILLING_E_ARGUMENT;
    }
    return time_us < 0 || time_us > TIMESTAMP_MAX ? BILLING_E_RANGE : 0;
}

int billing_query_set_start_us(billing_query *query, int64_t start_us)
{
    int status = check_time(query, start_us);
    if (status == 0) {
        query->start_us = start_us;
    }
    return status;
}

int billing_query_set_end_us(billing_query *query, int64_t end_us)
{
    int status = check_time(query, end_us);
    if (status == 0) {
        query->end_us = end_us;
    }
    return status;
}

int billing_query_set_by(billing_query *query, billing_clock by)
{
    if (query == NULL || (by != BILLING_BY_OCCURRED && by != BILLING_BY_BILLED)) {
        return BILLING_E_ARGUMENT;
    }
    query->by = (int)by;
    return 0;
}

int billing_query_set_window(billing_query *query, billing_window window)
{
    if (query == NULL || window < BILLING_WINDOW_HOUR || window > BILLING_WINDOW_MONTH) {
        return BILLING_E_ARGUMENT;
    }
    query->window = (int)window;
    return 0;
}

int billing_query_set_group_by_service(billing_query *query, bool group)
{
    if (query == NULL) {
        return BILLING_E_ARGUMENT;
    }
    query->group_by = group ? BILLING__V1__SUMMARIZE_USAGE__GROUP__SERVICE : 0;
    return 0;
}

int billing_query_set_include_empty(billing_query *query, bool include)
{
    if (query == NULL) {
        return BILLING_E_ARGUMENT;
    }
    query->include_empty = include;
    return 0;
}

int billing_query_set_include_revoked(billing_query *query, bool include)
{
    if (query == NULL) {
        return BILLING_E_ARGUMENT;
    }
    query->include_revoked = include;
    return 0;
}

int billing_query_set_limit(billing_query *query, uint32_t limit)
{
    if (query == NULL) {
        return BILLING_E_ARGUMENT;
    }
    if (limit < 1 || limit > BILLING_PAGE_MAX) {
        return BILLING_E_RANGE;
    }
    query->limit = limit;
    return 0;
}

static int set_text(billing_query *query, struct query_text *field, const char *text)
{
    int status = message_copy(&field->is_set, &field->bytes, text);
    query->failed |= status != 0;
    return status;
}

int billing_query_set_service(billing_query *query, const char *service)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->service, service);
}

int billing_query_set_price(billing_query *query, const char *price_per_unit)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->price, price_per_unit);
}

int billing_query_set_external_id(billing_query *query, const char *external_id)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->external_id, external_id);
}

int billing_query_set_cursor(billing_query *query, const char *cursor)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->cursor, cursor);
}
