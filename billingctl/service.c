#include "billingctl/ctl.h"
#include "billingctl/nouns.h"
#include "billingctl/pages.h"
#include "billingctl/say.h"

enum {
    HTTP_NOT_FOUND = 404,
};

/* The call puts all of a service, so that without --unit its unit would go: which nobody means who
 * leaves a flag out. */
static int check_unit(const struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int code = CTL_DONE;
    int status = billing_service_get(ctl->client, ctl_arg(ctl, 0), &reply, &error);
    if (status == BILLING_E_REFUSED && billing_error_http_status(error) == HTTP_NOT_FOUND) {
        billing_error_free(error);
        return CTL_DONE;
    }
    if (status != 0) {
        return ctl_failed(ctl, status, error);
    }
    if (billing_object_text(reply, "service.unit") != NULL) {
        say("the service has the unit '%s', which --unit keeps or changes, and --unit '' takes "
            "away",
            billing_object_text(reply, "service.unit"));
        code = CTL_REFUSED;
    }
    billing_object_free(reply);
    return code;
}

int service_add(struct ctl *ctl)
{
    const char *unit = ctl_value(ctl, FLAG_UNIT);
    billing_object *reply;
    billing_error *error;
    int code = unit == NULL ? check_unit(ctl) : CTL_DONE;
    if (code != CTL_DONE) {
        return code;
    }
    if (unit != NULL && *unit == '\0') {
        unit = NULL;
    }
    int status = billing_service_put(ctl->client, ctl_arg(ctl, 0), unit, &reply, &error);
    return ctl_finish(ctl, status, reply, error, "service");
}

int service_get(struct ctl *ctl)
{
    billing_object *reply;
    billing_error *error;
    int status = billing_service_get(ctl->client, ctl_arg(ctl, 0), &reply, &error);
    return ctl_finish(ctl, status, reply, error, "service");
}

/* Prints nothing, as the REST call answers nothing. */
int service_remove(struct ctl *ctl)
{
    billing_error *error;
    int status = billing_service_delete(ctl->client, ctl_arg(ctl, 0), NULL, &error);
    return status == 0 ? CTL_DONE : ctl_failed(ctl, status, error);
}

static int list_page(const struct ctl *ctl, const billing_query *query, billing_object **ret_reply,
                     billing_error **ret_error)
{
    return billing_service_list(ctl->client, query, ret_reply, ret_error);
}

int service_list(struct ctl *ctl)
{
    static const struct column columns[] = {
        {"name", true, false},
        {"unit", true, false},
        {"created_at", true, false},
        {"updated_at", false, false},
    };
    static const struct view view = {
        .member = "services",
        .columns = columns,
        .column_count = sizeof columns / sizeof columns[0],
    };
    return pages_list(ctl, NULL, &view, list_page);
}
