#include "billingctl/ctl.h"
#include "billingctl/nouns.h"

int server_info(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_server_info(ctl->client, &reply, &error);
    return ctl_finish(ctl, status, reply, error, "server");
}

int server_health(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_server_health(ctl->client, &reply, &error);
    bool ready = billing_object_flag(reply, "ready");
    int code = ctl_finish(ctl, status, reply, error, NULL);
    return code == CTL_DONE && !ready ? CTL_REFUSED : code;
}
