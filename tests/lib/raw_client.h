/* A client of the RPC door that does what it is told, right or wrong.
 *
 * A client belongs to one thread at a time.  Functions that return a sock_result never fail the
 * test; those that fail it say so, and belong on the main thread. */
#pragma once

#include "billing.pb-c.h"
#include "proto/frame.h"
#include "tests/lib/socket.h"

struct raw_client {
    int fd; /* -1 once closed */
    struct frame_reader reader;
    uint64_t last_call_id;
};

/* Connect to ADDRESS (unix:PATH or tcp:HOST:PORT).  Returns false, with errno, where it cannot;
 * otherwise raw_client_close() it. */
bool raw_client_open(struct raw_client *client, const char *address);

/* Close at once and free what CLIENT holds.  Twice is no harm. */
void raw_client_close(struct raw_client *client);

/* Send BYTES at DATA as they are. */
enum sock_result raw_client_send(struct raw_client *client, const void *data, size_t bytes);

/* Send a frame of BYTES at PAYLOAD. */
enum sock_result raw_client_send_frame(struct raw_client *client, const void *payload,
                                       size_t bytes);

/* Send REQUEST in a frame. */
enum sock_result raw_client_send_request(struct raw_client *client,
                                         const Billing__V1__Request *request);

/* Receive the next frame's message within TIMEOUT_MS.  On SOCK_OK free *RET_RESPONSE with
 * billing__v1__response__free_unpacked(). */
enum sock_result raw_client_receive(struct raw_client *client, int timeout_ms,
                                    Billing__V1__Response **ret_response);

/* Give REQUEST a call id of its own unless it has one, send it, and return its answer, which must
 * be the next and carry that id; else fail the test.  The caller frees it, as above. */
Billing__V1__Response *raw_client_call(struct raw_client *client, Billing__V1__Request *request);

/* Send no more; answers still arrive. */
void raw_client_finish(struct raw_client *client);

/* Whether the daemon closed the connection: SOCK_CLOSED or SOCK_RESET, else SOCK_TIMEOUT after
 * TIMEOUT_MS.  What arrives before is dropped and counted into *RET_DROPPED, where given. */
enum sock_result raw_client_wait_close(struct raw_client *client, int timeout_ms,
                                       size_t *ret_dropped);

/* The ProtobufCBinaryData of a text, for the fields of requests; the text stays the caller's. */
ProtobufCBinaryData raw_bytes(const char *text);
