#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/values.h"

static int set_shape(const struct ctl *ctl, billing_query *query)
{
    static const billing_window windows[] = {BILLING_WINDOW_HOUR, BILLING_WINDOW_DAY,
                                             BILLING_WINDOW_MONTH};
    const char *window = ctl_value(ctl, FLAG_WINDOW);
    const char *group_by = ctl_value(ctl, FLAG_GROUP_BY);
    struct reason reason;
    int word = 1;
    if (window != NULL && !value_word(window, flag_table[FLAG_WINDOW].words, &word, &reason)) {
        return ctl_usage_value(ctl, FLAG_WINDOW, &reason);
    }
    int status = billing_query_set_window(query, windows[word]);
    if (group_by != NULL &&
        !value_word(group_by, flag_table[FLAG_GROUP_BY].words, &word, &reason)) {
        return ctl_usage_value(ctl, FLAG_GROUP_BY, &reason);
    }
    if (status == 0) {
        status = billing_query_set_group_by_service(query, group_by != NULL);
    }
    if (status == 0) {
        status =
            billing_query_set_include_empty(query, options_has(&ctl->options, FLAG_INCLUDE_EMPTY));
    }
    return status == 0 ? pages_set_filter(ctl, query) : ctl_failed(ctl, status, NULL);
}

static int summary_page(const struct ctl *ctl, const billing_query *query,
                        billing_object **ret_reply, billing_error **ret_error)
{
    return billing_usage_summary(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), query, ret_reply,
                                 ret_error);
}

int usage_summary(struct ctl *ctl)
{
    /* Without --group-by no row is of one service. */
    const struct column columns[] = {
        {"start", true, false},
        {"end", false, false},
        {"service", options_has(&ctl->options, FLAG_GROUP_BY), false},
        {"units_consumed", true, true},
        {"exact_amount", true, true},
        {"records", true, true},
        {"voided", true, true},
        {"late", true, true},
    };
    const struct view view = {
        .member = "summary.rows",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, set_shape, &view, summary_page);
}
