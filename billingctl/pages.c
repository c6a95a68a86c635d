#include "billingctl/pages.h"

#include "billingctl/say.h"
#include "billingctl/values.h"

/* Set the time of flag ID, where it is given, through SET. */
static int set_time(const struct ctl *ctl, enum flag_id id, billing_query *query,
                    int (*set)(billing_query *, int64_t))
{
    int64_t time_us = -1;
    int code = ctl_time(ctl, id, &time_us);
    return code != CTL_DONE || time_us < 0 ? code : ctl_exit_status(set(query, time_us));
}

static int set_month(const struct ctl *ctl, const char *month, billing_query *query)
{
    struct reason reason;
    int64_t start_us;
    int64_t end_us;
    if (ctl_value(ctl, FLAG_START) != NULL || ctl_value(ctl, FLAG_END) != NULL) {
        return ctl_usage(ctl, "--month stands in place of --start and --end");
    }
    if (!value_month(month, &start_us, &end_us, &reason)) {
        return ctl_usage_value(ctl, FLAG_MONTH, &reason);
    }
    int status = billing_query_set_start_us(query, start_us);
    return ctl_exit_status(status != 0 ? status : billing_query_set_end_us(query, end_us));
}

int pages_set_window(const struct ctl *ctl, billing_query *query)
{
    const char *month = ctl_value(ctl, FLAG_MONTH);
    if (month != NULL) {
        return set_month(ctl, month, query);
    }
    int code = set_time(ctl, FLAG_START, query, billing_query_set_start_us);
    return code != CTL_DONE ? code : set_time(ctl, FLAG_END, query, billing_query_set_end_us);
}

int pages_set_closed_window(const struct ctl *ctl, billing_query *query)
{
    if (ctl_value(ctl, FLAG_END) == NULL && ctl_value(ctl, FLAG_MONTH) == NULL) {
        return ctl_usage(ctl, "--end TIME or --month YYYY-MM is missing");
    }
    return pages_set_window(ctl, query);
}

int pages_set_whole_window(const struct ctl *ctl, billing_query *query)
{
    bool has_start = ctl_value(ctl, FLAG_START) != NULL;
    bool has_end = ctl_value(ctl, FLAG_END) != NULL;
    if (has_start != has_end && ctl_value(ctl, FLAG_MONTH) == NULL) {
        return ctl_usage(ctl, has_start ? "--end TIME is missing" : "--start TIME is missing");
    }
    return pages_set_window(ctl, query);
}

int pages_set_filter(const struct ctl *ctl, billing_query *query)
{
    static const billing_clock clocks[] = {BILLING_BY_OCCURRED, BILLING_BY_BILLED};
    const char *by = ctl_value(ctl, FLAG_BY);
    struct reason reason;
    int clock = 0;
    if (by != NULL && !value_word(by, flag_table[FLAG_BY].words, &clock, &reason)) {
        return ctl_usage_value(ctl, FLAG_BY, &reason);
    }
    int status = by == NULL ? 0 : billing_query_set_by(query, clocks[clock]);
    if (status == 0) {
        status = billing_query_set_service(query, ctl_value(ctl, FLAG_SERVICE));
    }
    return status == 0 ? pages_set_window(ctl, query) : ctl_failed(ctl, status, NULL);
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
    list_add_page(list, *ret_reply, size);
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

/* As pages_list(), of a query that is there. */
static int print_query(const struct ctl *ctl, billing_query *query, const struct view *view,
                       page_fn call)
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
        list_end(&list, cursor);
        if (cursor != NULL && ctl->format != OUTPUT_JSON) {
            say("there are more: --cursor %s", cursor);
        }
    }
    billing_object_free(last);
    return code;
}

int pages_list(const struct ctl *ctl, query_fn set, const struct view *view, page_fn call)
{
    billing_query *query = billing_query_new();
    if (query == NULL) {
        return ctl_failed(ctl, BILLING_E_NO_MEMORY, NULL);
    }
    int code = set == NULL ? CTL_DONE : set(ctl, query);
    if (code == CTL_DONE) {
        code = print_query(ctl, query, view, call);
    }
    billing_query_free(query);
    return code;
}
