#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"

int customer_create(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status =
        billing_customer_create(ctl->client, ctl_arg(ctl, 0), ctl_value(ctl, FLAG_EXTERNAL_ID),
                                ctl->request_id, &reply, &error);
    return ctl_finish(ctl, status, reply, error, "customer");
}

int customer_get(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_customer_get(ctl->client, ctl_arg(ctl, 0), &reply, &error);
    return ctl_finish(ctl, status, reply, error, "customer");
}

int customer_rename(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status =
        billing_customer_rename(ctl->client, ctl_arg(ctl, 0), ctl_arg(ctl, 1), &reply, &error);
    return ctl_finish(ctl, status, reply, error, "customer");
}

static int list_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    return billing_customer_list(ctl->client, query, ret_reply, ret_error);
}

static int set_external_id(const struct ctl *ctl, billing_query *query)
{
    int status = billing_query_set_external_id(query, ctl_value(ctl, FLAG_EXTERNAL_ID));
    return status == 0 ? CTL_DONE : ctl_failed(ctl, status, NULL);
}

int customer_list(struct ctl *ctl)
{
    static const struct column columns[] = {
        {"id", true, false},         {"name", true, false},        {"external_id", true, false},
        {"created_at", true, false}, {"updated_at", false, false},
    };
    static const struct view view = {
        .member = "customers",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, set_external_id, &view, list_page);
}
