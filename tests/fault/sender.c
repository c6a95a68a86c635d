#include "tests/fault/sender.h"

#include <stdlib.h>
#include <string.h>

#include "proto/status.h"

static void make_library(struct sender *sender)
{
    billing_options *options = billing_options_new();
    if (options == NULL || billing_options_set_url(options, sender->options.address) != 0 ||
        billing_options_set_try_timeout_ms(options, sender->options.timeout_ms) != 0 ||
        billing_options_set_retries_max(options, sender->options.retries_max) != 0 ||
        billing_options_set_retry_delay_ms(options, 5) != 0 ||
        billing_client_new(options, &sender->library) != 0) {
        abort();
    }
    billing_options_free(options);
}

void sender_init(struct sender *sender, const struct sender_options *options,
                 struct request_log *log)
{
    *sender = (struct sender){.options = *options, .log = log};
    if (options->door == SENDER_LIBRARY) {
        make_library(sender);
    }
}

void sender_done(struct sender *sender)
{
    billing_client_free(sender->library);
    if (sender->open && sender->options.door == SENDER_RPC) {
        raw_client_close(&sender->rpc);
    }
    if (sender->open && sender->options.door == SENDER_HTTP) {
        http_close(&sender->http);
    }
    *sender = (struct sender){0};
}

bool sender_try(struct sender *sender, struct logged_request *const *requests, size_t n)
{
    switch (sender->options.door) {
    case SENDER_LIBRARY:
        return sender_try_library(sender, requests, n);
    case SENDER_RPC:
        return sender_try_rpc(sender, requests, n);
    case SENDER_HTTP:
        return sender_try_http(sender, requests, n);
    case SENDER_DOORS:
        break;
    }
    abort();
}

const struct sender_names *sender_names(enum logged_kind kind)
{
    static const struct sender_names names[] = {
        [LOGGED_CUSTOMER] = {"customer", "id", "created_at", NULL},
        [LOGGED_USAGE] = {"usage", "id", "created_at", "bills_at"},
        [LOGGED_VOID] = {"void", "id", "created_at", "bills_at"},
        [LOGGED_ADJUSTMENT] = {"adjustment", "id", "created_at", "bills_at"},
        [LOGGED_INVOICE] = {"invoice", "number", "finalized_at", NULL},
    };
    return &names[kind];
}

bool sender_refused(struct request_log *log, struct logged_request *request, const char *code)
{
    if (code != NULL && status_info(status_from_code(code, strlen(code)))->retryable) {
        return false;
    }
    request_log_refuse(log, request, code == NULL ? "no code" : code);
    return true;
}
