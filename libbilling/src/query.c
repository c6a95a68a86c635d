#include "libbilling/src/query.h"

#include <stdlib.h>

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
        free(query->external_id.bytes.data);
        free(query->cursor.bytes.data);
        free(query);
    }
}

unsigned query_fields(const struct billing_query *query)
{
    return (query->start_us >= 0 ? QUERY_START : 0U) | (query->end_us >= 0 ? QUERY_END : 0U) |
           (query->by != 0 ? QUERY_BY : 0U) | (query->service.is_set ? QUERY_SERVICE : 0U) |
           (query->external_id.is_set ? QUERY_EXTERNAL_ID : 0U) |
           (query->limit > 0 ? QUERY_LIMIT : 0U) | (query->cursor.is_set ? QUERY_CURSOR : 0U);
}

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

int billing_query_set_external_id(billing_query *query, const char *external_id)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->external_id, external_id);
}

int billing_query_set_cursor(billing_query *query, const char *cursor)
{
    return query == NULL ? BILLING_E_ARGUMENT : set_text(query, &query->cursor, cursor);
}
