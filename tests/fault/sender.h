/* A client that sends a logged request once, through one of the doors, and logs what it is
 * answered. Whoever wants it recorded sends it until it is settled.
 *
 * A sender belongs to one thread at a time.  Nothing here fails a test. */
#pragma once

#include <billing/billing.h>

#include "tests/fault/request_log.h"
#include "tests/lib/http_client.h"
#include "tests/lib/raw_client.h"
#include "tests/model/memory.h"

enum sender_door {
    SENDER_LIBRARY, /* libbilling, which tries again by itself */
    SENDER_RPC,
    SENDER_HTTP,
    SENDER_DOORS, /* how many there are */
};

struct sender_options {
    enum sender_door door;
    const char
        *address;    /* of libbilling a URL, of RPC unix:PATH or tcp:HOST:PORT, of HTTP HOST:PORT */
    int timeout_ms;  /* for an answer; of libbilling: of one try */
    int retries_max; /* of libbilling */
};

struct sender {
    struct sender_options options;
    struct request_log *log;
    bool unjudged; /* what is answered is not logged: it may be about what a fault made of it */
    /* --- the connection, kept while it works --- */
    bool open;
    billing_client *library;
    struct raw_client rpc;
    struct http_conn http;
};

enum {
    SENDER_BATCH_MAX = 64,
};

/* A sender with OPTIONS, copied, that logs into LOG.  Opens no connection yet. */
void sender_init(struct sender *sender, const struct sender_options *options,
                 struct request_log *log);
void sender_done(struct sender *sender);

/* Send REQUESTS, one of any kind, or N, up to SENDER_BATCH_MAX, usages as a batch.  What they point
 * to has to be acknowledged.  Returns whether each of them is settled now. */
bool sender_try(struct sender *sender, struct logged_request *const *requests, size_t n);

/* --- RPC, for those who keep several requests in flight --------------------------------------- */

/* The message for REQUESTS, in MEMORY. */
Billing__V1__Request *sender_message(struct memory *memory, struct logged_request *const *requests,
                                     size_t n);

/* Log RESPONSE, the answer to them.  Returns whether each is settled by it. */
bool sender_settle(struct request_log *log, struct logged_request *const *requests, size_t n,
                   const Billing__V1__Response *response);

/* --- between the doors' files ----------------------------------------------------------------- */

/* The names that REST and libbilling give to what a request of KIND makes. */
struct sender_names {
    const char *object;
    const char *id;
    const char *created_at;
    const char *bills_at; /* NULL: it has none */
};

const struct sender_names *sender_names(enum logged_kind kind);

/* Log that REQUEST was refused with CODE, unless it may be sent again as it is.  Returns whether it
 * is settled by it. */
bool sender_refused(struct request_log *log, struct logged_request *request, const char *code);

bool sender_try_library(struct sender *sender, struct logged_request *const *requests, size_t n);
bool sender_try_rpc(struct sender *sender, struct logged_request *const *requests, size_t n);
bool sender_try_http(struct sender *sender, struct logged_request *const *requests, size_t n);
