/* A client of the HTTP door, strict about what it gets and free in what it sends.
 *
 * A connection belongs to one thread at a time.  Functions that return a sock_result never fail
 * the test; http_call() and http_once() do, and belong on the main thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "tests/lib/socket.h"

enum {
    HTTP_HEADERS_MAX = 32, /* of one answer; the daemon sends fewer */
};

struct http_conn {
    int fd; /* -1 once closed */
    char *data;
    size_t length; /* of what has arrived and belongs to no answer yet */
    size_t capacity;
    bool no_body; /* the next answer has none, whatever its head says: it is a HEAD's */
};

struct http_header {
    const char *name;
    const char *value;
};

struct http_reply {
    int status;
    bool will_close; /* the daemon said that it closes the connection */
    bool chunked;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t n_headers;
    char *head; /* owned: what the headers point into */
    char *body; /* owned: never NULL; decoded, a NUL behind it */
    size_t body_bytes;
};

/* Connect to ADDRESS, HOST:PORT with the host in digits.  Returns false, with errno, where it
 * cannot; otherwise http_close() it. */
bool http_open(struct http_conn *conn, const char *address);

/* Close at once and free what CONN holds.  Twice is no harm. */
void http_close(struct http_conn *conn);

/* Send BYTES at DATA as they are. */
enum sock_result http_send(struct http_conn *conn, const void *data, size_t bytes);

/* Receive the next answer within TIMEOUT_MS, passing over 100 (Continue).  SOCK_GARBAGE where it
 * is not well-formed HTTP/1.1 or ends in the middle.  On SOCK_OK http_reply_done() it. */
enum sock_result http_receive(struct http_conn *conn, int timeout_ms, struct http_reply *ret_reply);

void http_reply_done(struct http_reply *reply);

/* The value of the first header NAME, in any case; NULL where there is none. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

/* Send a request and return its answer in *RET_REPLY; fails the test where there is none.
 *
 * HEADERS is a list of "Name: value" that NULL ends, or NULL.  Host and, with a BODY (NULL for
 * none), Content-Length are added, and Content-Type: application/json unless HEADERS has one. */
void http_call(struct http_conn *conn, const char *method, const char *target,
               const char *const *headers, const char *body, struct http_reply *ret_reply);

/* The same over a connection of its own to ADDRESS. */
void http_once(const char *address, const char *method, const char *target,
               const char *const *headers, const char *body, struct http_reply *ret_reply);
