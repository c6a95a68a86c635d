/* Envelopes over HTTP, one at a time, each within a bounded time.  The only one with libcurl.
 * One thread at a time. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/report/dsn.h"
#include "billingd/report/limits.h"

struct sender;

struct sender_options {
    struct report_dsn dsn; /* copied */
    const char *version;
    int wake_fd;                       /* an eventfd: wakes a wait, and is emptied */
    const atomic_int_fast64_t *cut_us; /* monotonic: what is under way then is given up */
};

enum {
    SENDER_CONNECT_MS = 2000,
    SENDER_TIMEOUT_MS = 5000,
};

/* Before threads.  Returns 0 or STATUS_NO_MEMORY. */
MUSTCHECK int sender_create(const struct sender_options *options, struct sender **ret_sender);

/* Free SENDER (NULL is fine); after threads. */
void sender_destroy(struct sender *sender);

/* Post LENGTH bytes at BODY, and let LIMITS take note of the answer.  Returns 0 where it was taken,
 * STATUS_RATE_LIMITED where the receiver wants none now, else STATUS_INTERNAL. */
MUSTCHECK int sender_post(struct sender *sender, const char *body, size_t length,
                          struct report_limits *limits);
