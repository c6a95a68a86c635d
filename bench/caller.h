/* An RPC client that asks one thing after the other, with the messages of proto/: what is asked is
 * whatever a measurement needs, at the price of packing and unpacking it.
 *
 * One thread at a time; what goes wrong ends the program. */
#pragma once

#include "bench/daemon.h"
#include "billing.pb-c.h"
#include "billingd/base/slice.h"
#include "proto/frame.h"

struct caller {
    int fd;
    struct frame_reader reader;
};

/* Connect to the Unix socket at PATH.  Returns the socket. */
int caller_connect(const char *path);

/* The same into CALLER, to be given to caller_close(). */
void caller_open(struct caller *caller, const char *path);
void caller_close(struct caller *caller);

/* Send REQUEST. */
void caller_send(struct caller *caller, const Billing__V1__Request *request);

/* The next answer, which may be a problem: to be given to caller_free(). */
Billing__V1__Response *caller_receive(struct caller *caller);

/* Both; a problem ends the program. */
Billing__V1__Response *caller_ask(struct caller *caller, const Billing__V1__Request *request);

void caller_free(Billing__V1__Response *response);

/* TEXT as a field's value. */
ProtobufCBinaryData caller_bytes(struct slice text);

/* Create those of N customers that are not there yet.  Returns their ids, in an array that is to be
 * freed; the texts are the caller's for good. */
struct slice *caller_customers(struct caller *caller, uint64_t n);
