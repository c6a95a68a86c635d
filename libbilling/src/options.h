/* What a client is made of.  See the setters in billing.h. */
#pragma once

#include <billing/billing.h>

#include "proto/status.h"

struct billing_options {
    char *url;        /* owned; NULL: the default places */
    char *token;      /* owned; NULL: none, or in a file */
    char *token_file; /* owned; NULL: none */
    int64_t timeout_ms;
    int64_t try_timeout_ms;
    int64_t retry_delay_ms;
    int retries_max;
    size_t frame_bytes_max;
    billing_log_fn log; /* NULL: nobody listens */
    void *log_arg;
    billing_request_id_fn make_request_id; /* NULL: our own */
    void *make_request_id_arg;
    char traceparent[BILLING_TRACEPARENT_BYTES + 1]; /* "": none */
    billing_traceparent_fn find_traceparent;         /* NULL: it is always traceparent */
    void *find_traceparent_arg;
};

/* Every default. */
void options_init(struct billing_options *options);

/* Free what OPTIONS owns; the token is overwritten first. */
void options_done(struct billing_options *options);

/* *RET is a copy of FROM, to be given to options_done().  Returns 0, or BILLING_E_NO_MEMORY. */
MUSTCHECK int options_copy(const struct billing_options *from, struct billing_options *ret);

/* The traceparent of a call that is made now, on this thread: in BUFFER of
 * BILLING_TRACEPARENT_BYTES + 1 bytes, or in OPTIONS.  NULL: it is a part of no trace. */
const char *options_traceparent(const struct billing_options *options, char *buffer);

/* Give a line to the log callback, if there is one. */
void options_log(const struct billing_options *options, billing_log_level level, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));
