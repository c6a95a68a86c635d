/* Clients: options, and the connections that are kept open between calls.
 *
 * A client is for any number of threads at once.  There is no lock: an idle connection lies in a
 * slot, and whoever exchanges the slot for NULL has it.  So a fork cannot leave a lock held behind
 * for the child, threads do not wait for each other, and the child finds by the process id that
 * what lies in the slots is not its own. */
#pragma once

#include <stdatomic.h>

#include <billing/billing.h>

#include "libbilling/src/connection.h"
#include "libbilling/src/options.h"
#include "libbilling/src/place.h"

enum {
    IDLE_CONNECTIONS_MAX = 8, /* that are kept; more are opened as more threads call at once */
};

struct billing_client {
    struct billing_options options; /* never changes */
    struct places places;           /* never changes */
    bool is_shared;                 /* never changes; the one that is never freed */
    _Atomic uint64_t calls;         /* the last call id */
    struct connection *_Atomic idle[IDLE_CONNECTIONS_MAX];
};

/* A connection for one call: a kept one, else a new one.  NULL on failure, with *RETERR filled.
 * *RET_KEPT tells which it is.  The caller gives it to client_keep() or connection_close(). */
struct connection *client_connect(billing_client *client, int64_t deadline_us, bool *ret_kept,
                                  struct failure *reterr);

/* The token that a request over CONNECTION carries, NULL for none.  Valid as the connection. */
const char *client_token(const billing_client *client, const struct connection *connection);

/* Keep CONNECTION for the next call if it can be, else close it. */
void client_keep(billing_client *client, struct connection *connection);

/* Close all that is kept: the daemon that they led to is gone. */
void client_drop_kept(billing_client *client);

/* The next call id, above 0. */
uint64_t client_next_call_id(billing_client *client);

/* Make a request id as the options say, into BUFFER of BILLING_REQUEST_ID_BYTES_MAX + 1 bytes.
 * Whether that went well. */
MUSTCHECK bool client_make_request_id(const billing_client *client, char *buffer);
