#include "billingctl/pages.h"

#include "billingctl/say.h"
#include "billingctl/values.h"

/* Set FLAG, a time, where it is given, through SET. */
static int set_time(const struct ctl *ctl, enum flag_id id, billing_query *query,
                    int (*set)(billing_query *, int64_t))
{
    const char *text = ctl_value(ctl, id);
    struct reason reason;
    int64_t time_us;
    if (text == NULL) {
        return CTL_DONE;
    }
    if (!value_time(text, &time_us, &reason)) {
        return ctl_usage_value(ctl, id, &reason);
    }
    return ctl_exit_status(set(query, time_us));
}

int pages_set_window(const struct ctl *ctl, billing_query *query)
{
    int code = set_time(ctl, FLAG_START, query, billing_query_set_start_us);
    return code != CTL_DONE ? code : set_time(ctl, FLAG_END, query, billing_query_set_end_us);
}

/* Ask for a page and print up to *REST of its rows.  *CURSOR, owned by *REPLY, is where the next
 * page begins, or NULL. */
static int print_page(const struct ctl *ctl, billing_query *query, struct list *list, page_fn call,
                      uint64_t *rest, billing_object **ret_reply)
{
    billing_error *error;
    uint32_t size = *rest < BILLING_PAGE_MAX ? (uint32_t)*rest : BILLING_PAGE_MAX;
    int status = billing_query_set_limit(query, size);
    if (status != 0) {
        return ctl_failed(ctl, status, NULL);
    }
    status = call(ctl, query, ret_reply, &error);
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    size_t rows = list->rows;
    output_list_page(list, *ret_reply, size);
    *rest -= list->rows - rows;
    return CTL_DONE;
}

/* Print the pages; *RET_LAST is the last one. */
static int print_pages(const struct ctl *ctl, billing_query *query, struct list *list, page_fn call,
                       uint64_t rest, billing_object **ret_last)
{
    const char *cursor = ctl_value(ctl, FLAG_CURSOR);
    do {
        if (billing_query_set_cursor(query, cursor) != 0) {
            return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
        }
        billing_object_free(*ret_last);
        *ret_last = NULL;
        int code = print_page(ctl, query, list, call, &rest, ret_last);
        if (code != CTL_DONE) {
            return code;
        }
        cursor = billing_object_text(*ret_last, "next_cursor");
    } while (cursor != NULL && rest > 0);
    return CTL_DONE;
}

int pages_print(const struct ctl *ctl, billing_query *query, const struct view *view, page_fn call)
{
    const char *limit = ctl_value(ctl, FLAG_LIMIT);
    struct list list = {.format = ctl->format, .view = view};
    struct reason reason;
    uint64_t rest = UINT64_MAX;
    billing_object *last = NULL;
    if (limit != NULL && !value_count(limit, 1, UINT64_MAX, &rest, &reason)) {
        return ctl_usage_value(ctl, FLAG_LIMIT, &reason);
    }
    int code = print_pages(ctl, query, &list, call, rest, &last);
    if (code == CTL_DONE) {
        const char *cursor = billing_object_text(last, "next_cursor");
        output_list_end(&list, cursor);
        if (cursor != NULL && ctl->format != OUTPUT_JSON) {
            say("there are more: --cursor %s", cursor);
        }
    }
    billing_object_free(last);
    return code;
}
