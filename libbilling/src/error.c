#include "libbilling/src/error.h"

#include <stdlib.h>
#include <string.h>

struct billing_error {
    int kind;
    enum fault fault;        /* where there is no problem */
    billing_object *problem; /* owned, or NULL */
    int attempts;
    const char *detail;     /* in texts, or in the problem; NULL if none */
    const char *request_id; /* in texts, or NULL */
    const char *message;    /* in texts */
    char texts[];
};

/* What is read off an error that is not there: there was no memory for it. */
static const struct billing_error missing = {.fault = FAULT_NO_MEMORY};

static const struct billing_error *error_or_missing(const billing_error *error)
{
    return error == NULL ? &missing : error;
}

/* The problem's member at PATH, or OTHERWISE. */
static const char *problem_text(const billing_object *problem, const char *path,
                                const char *otherwise)
{
    const char *text = billing_object_text(problem, path);
    return text == NULL ? otherwise : text;
}

/* Put TEXT and a NUL at *AT, which moves behind them.  Returns where the text stands. */
static char *put(char **at, const char *text)
{
    char *start = *at;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *at += size;
    return start;
}

/* "title", or "title: detail". */
static char *put_message(char **at, const char *title, const char *detail)
{
    char *start = put(at, title);
    if (detail != NULL) {
        *at -= 1;
        put(at, ": ");
        *at -= 1;
        put(at, detail);
    }
    return start;
}

static size_t room(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

billing_error *error_new(const struct error_parts *parts)
{
    enum fault fault = parts->problem == NULL ? parts->failure->fault : FAULT_NONE;
    const char *title = problem_text(parts->problem, "title", failure_title(fault));
    const char *detail = billing_object_text(parts->problem, "detail");
    const char *failure_detail = NULL;
    if (parts->problem == NULL && parts->failure->detail[0] != '\0') {
        failure_detail = parts->failure->detail;
        detail = failure_detail;
    }
    billing_error *error = malloc(sizeof *error + strlen(title) + sizeof ": " + room(detail) +
                                  room(failure_detail) + room(parts->request_id));
    if (error == NULL) {
        billing_object_free(parts->problem);
        return NULL;
    }
    char *at = error->texts;
    error->kind = parts->kind;
    error->fault = fault;
    error->problem = parts->problem;
    error->attempts = parts->attempts;
    error->message = put_message(&at, title, detail);
    error->detail = failure_detail == NULL ? detail : put(&at, failure_detail);
    error->request_id = parts->request_id == NULL ? NULL : put(&at, parts->request_id);
    return error;
}

void billing_error_free(billing_error *error)
{
    if (error != NULL) {
        billing_object_free(error->problem);
        free(error);
    }
}

int billing_error_kind(const billing_error *error)
{
    return error == NULL ? BILLING_OK : error->kind;
}

const char *billing_error_code(const billing_error *error)
{
    const struct billing_error *e = error_or_missing(error);
    return problem_text(e->problem, "code", failure_code(e->fault));
}

const char *billing_error_message(const billing_error *error)
{
    return error == NULL ? failure_title(missing.fault) : error->message;
}

const char *billing_error_title(const billing_error *error)
{
    const struct billing_error *e = error_or_missing(error);
    return problem_text(e->problem, "title", failure_title(e->fault));
}

const char *billing_error_detail(const billing_error *error)
{
    return error == NULL ? NULL : error->detail;
}

int billing_error_http_status(const billing_error *error)
{
    uint64_t status = billing_object_uint64(billing_error_problem(error), "status");
    return status > 999 ? 0 : (int)status;
}

const char *billing_error_request_id(const billing_error *error)
{
    return error == NULL ? NULL : error->request_id;
}

const char *billing_error_existing_id(const billing_error *error)
{
    return billing_object_text(billing_error_problem(error), "existing_id");
}

size_t billing_error_field_count(const billing_error *error)
{
    return billing_object_count(billing_error_problem(error), "errors");
}

static const char *field_text(const billing_error *error, size_t index, const char *name)
{
    const billing_object *field =
        billing_object_item(billing_error_problem(error), "errors", index);
    return field == NULL ? NULL : problem_text(field, name, "");
}

const char *billing_error_field_name(const billing_error *error, size_t index)
{
    return field_text(error, index, "field");
}

const char *billing_error_field_code(const billing_error *error, size_t index)
{
    return field_text(error, index, "code");
}

const char *billing_error_field_message(const billing_error *error, size_t index)
{
    return field_text(error, index, "message");
}

int billing_error_attempts(const billing_error *error)
{
    return error == NULL ? 0 : error->attempts;
}

int64_t billing_error_retry_after_ms(const billing_error *error)
{
    return (int64_t)billing_object_uint64(billing_error_problem(error), "retry_after_ms");
}

const billing_object *billing_error_problem(const billing_error *error)
{
    return error == NULL ? NULL : error->problem;
}

/* --- the numbers ------------------------------------------------------------------------------ */

const char *billing_strerror(int status)
{
    switch (status) {
    case BILLING_OK:
        return "done";
    case BILLING_E_NO_MEMORY:
        return "out of memory";
    case BILLING_E_ARGUMENT:
        return "bad argument";
    case BILLING_E_RANGE:
        return "out of bounds";
    case BILLING_E_FULL:
        return "full";
    case BILLING_E_STATE:
        return "not at this point";
    case BILLING_E_SYSTEM:
        return "refused by the operating system";
    case BILLING_E_NOT_RECORDED:
        return "certainly not recorded, try again";
    case BILLING_E_REFUSED:
        return "refused";
    case BILLING_E_UNKNOWN:
        return "outcome unknown, try again with the same request id";
    default:
        return "unknown status";
    }
}

const char *billing_version(void)
{
    return LIBBILLING_VERSION;
}
