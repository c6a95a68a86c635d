#include "billingctl/ctl.h"
#include "billingctl/nouns.h"

int request_show(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_request_get(ctl->client, ctl_value(ctl, FLAG_CUSTOMER), ctl_arg(ctl, 0),
                                     &reply, &error);
    return ctl_finish(ctl, status, reply, error, "request");
}
