/* What the HTTP door answers by itself, without a call: the metrics, openapi.json, OPTIONS.  Loop
 * thread. */
#pragma once

#include "billingd/base/metrics_text.h"
#include "billingd/net/http_answer.h"

/* Who writes what /metrics shows. */
struct http_page_source {
    void (*metrics_cb)(struct metrics_text *text, void *arg);
    void *arg; /* for it */
};

/* Append the page that REQUEST is for to OUT.  Returns 0, or STATUS_NO_MEMORY, and then OUT is not
 * to be sent. */
MUSTCHECK int http_page_write(const struct http_answer *answer,
                              const struct http_page_source *source, struct request *request,
                              struct io_buffer *out);
