#include "billingctl/import_entry.h"

#include <string.h>

#include "billingctl/output.h"

void import_entry_put_problem(const billing_object *problem, struct text *ret)
{
    const billing_object *field;
    const char *detail = billing_object_text(problem, "detail");
    size_t count = billing_object_count(problem, "errors");
    if (count < 2) {
        text_puts(ret, detail != NULL ? detail : output_value(problem, "title"));
    }
    for (size_t i = 0; count > 1 && (field = billing_object_item(problem, "errors", i)) != NULL;
         i++) {
        text_printf(ret, "%s%s: %s", i > 0 ? "; " : "", output_value(field, "field"),
                    output_value(field, "message"));
    }
    text_printf(ret, " (%s)", output_value(problem, "code"));
}

bool import_entry_differs_in_time(const billing_object *problem)
{
    const billing_object *field = billing_object_item(problem, "errors", 0);
    return strcmp(output_value(problem, "code"), "request_id_reused") == 0 &&
           billing_object_count(problem, "errors") == 1 &&
           strcmp(output_value(field, "field"), "occurred_at") == 0;
}

/* Whether ERROR speaks against the row alone, so that others can still be recorded. */
static bool is_of_row(int status, const billing_error *error)
{
    enum {
        UNAUTHORIZED = 401,
        FORBIDDEN = 403,
    };
    int http_status = billing_error_http_status(error);
    return strcmp(billing_error_code(error), "too_large") == 0 ||
           (status == BILLING_E_REFUSED && http_status != UNAUTHORIZED && http_status != FORBIDDEN);
}

static int send_adjustment(billing_client *client, const struct import_row *row, bool has_time,
                           billing_object **ret_reply, billing_error **ret_error)
{
    billing_adjustment_input *input = billing_adjustment_input_new();
    *ret_reply = NULL;
    *ret_error = NULL;
    if (input == NULL) {
        return BILLING_E_NO_MEMORY;
    }
    /* Setters fail for want of memory only, and then so does the call. */
    (void)billing_adjustment_input_set_customer(input, row->customer);
    (void)billing_adjustment_input_set_amount(input, row->amount);
    (void)billing_adjustment_input_set_reason(input, row->why);
    (void)billing_adjustment_input_set_service(input, row->service);
    (void)billing_adjustment_input_set_request_id(input, row->request_id);
    if (has_time) {
        (void)billing_adjustment_input_set_time_us(input, row->time_us);
    }
    int status = billing_adjustment_create(client, input, ret_reply, ret_error);
    billing_adjustment_input_free(input);
    return status;
}

/* Where only the time differs from what is recorded, the record may have come without one, and the
 * row, of an export, has the one that the daemon gave it: sent again without, it is replayed, as
 * its request id is taken.  Then the times are compared. */
static int create_adjustment(billing_client *client, const struct import_row *row,
                             billing_object **ret_reply, billing_error **ret_error)
{
    billing_object *reply;
    billing_error *error;
    int status = send_adjustment(client, row, row->has_time, ret_reply, ret_error);
    if (status == 0 || !row->has_time ||
        !import_entry_differs_in_time(billing_error_problem(*ret_error))) {
        return status;
    }
    bool same = send_adjustment(client, row, false, &reply, &error) == 0 &&
                billing_object_time_us(reply, "adjustment.occurred_at") == row->time_us;
    billing_error_free(error);
    if (!same) {
        billing_object_free(reply);
        return status;
    }
    billing_error_free(*ret_error);
    *ret_error = NULL;
    *ret_reply = reply;
    return 0;
}

/* The usage is named by the request that recorded it: its id is another in each daemon. */
static int create_void(billing_client *client, const struct import_row *row,
                       billing_object **ret_reply, billing_error **ret_error)
{
    billing_object *request;
    int status =
        billing_request_get(client, row->customer, row->voided_request_id, &request, ret_error);
    *ret_reply = NULL;
    if (status != 0) {
        return status;
    }
    status = billing_usage_void(client, row->customer, billing_object_text(request, "request.id"),
                                row->why, row->request_id, ret_reply, ret_error);
    billing_object_free(request);
    return status;
}

/* Say why the daemon will not have ROW.  Of a usage that a void does not find it can only say the
 * id, which the row has not. */
static void put_refusal(const struct import_row *row, const billing_error *error, struct text *ret)
{
    const char *code = billing_error_code(error);
    if (row->kind == IMPORT_VOID &&
        (strcmp(code, "request_not_found") == 0 || strcmp(code, "usage_not_found") == 0)) {
        text_printf(ret, "voided_request_id: '%s' has recorded no usage of this customer (%s)",
                    row->voided_request_id, code);
    } else if (billing_error_problem(error) != NULL) {
        import_entry_put_problem(billing_error_problem(error), ret);
    } else {
        text_printf(ret, "%s (%s)", billing_error_message(error), code);
    }
}

int import_entry_record(billing_client *client, const struct import_row *row,
                        enum import_outcome *ret_outcome, struct text *ret_reason,
                        billing_error **ret_error)
{
    billing_object *reply;
    billing_error *error;
    int status = row->kind == IMPORT_VOID ? create_void(client, row, &reply, &error)
                                          : create_adjustment(client, row, &reply, &error);
    if (status == 0) {
        *ret_outcome = billing_object_replayed(reply) ? IMPORT_REPLAYED : IMPORT_RECORDED;
        billing_object_free(reply);
        return 0;
    }
    if (!is_of_row(status, error)) {
        *ret_error = error;
        return status;
    }
    *ret_outcome = IMPORT_REJECTED;
    put_refusal(row, error, ret_reason);
    billing_error_free(error);
    return 0;
}
