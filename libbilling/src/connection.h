/* One connection to the daemon: a socket, and the frames that come out of it.
 *
 * Used by one thread at a time, one request after another, each answered before the next; so after
 * anything went wrong it is closed and never used again.  Waits are bounded by a deadline on
 * CLOCK_MONOTONIC.  Sockets are close-on-exec and raise no SIGPIPE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libbilling/src/failure.h"
#include "libbilling/src/place.h"
#include "proto/status.h"

struct connection;

/* Connect to the first of PLACES where a daemon listens.  Returns NULL on failure, with *RETERR
 * filled; else the caller owns the connection.  Answers longer than FRAME_BYTES_MAX are refused. */
struct connection *connection_open(const struct places *places, size_t frame_bytes_max,
                                   int64_t deadline_us, struct failure *reterr);

/* Close and free CONNECTION, which may be NULL.  In a forked child the parent's side stays open. */
void connection_close(struct connection *connection);

/* Have what is asked over CONNECTION carry TOKEN, which it takes over; NULL: nothing of its own.
 * connection_token() is it, valid until the connection is closed. */
void connection_set_token(struct connection *connection, char *token);
const char *connection_token(const struct connection *connection);

/* Whether a connection that lay idle can be used: it was opened by this process, and the daemon has
 * neither closed it nor sent anything.  The daemon may still close it a moment later. */
bool connection_is_usable(const struct connection *connection);

/* Send the BYTES at DATA.  *RET_ANY tells whether the system took any of them; they may then have
 * reached the daemon.  Stops early, with true, when the daemon answers before it has all: it
 * refuses the rest.  The connection is then not at rest.
 * Returns false, with *RETERR filled, if not all could be sent; an answer may still be waiting. */
MUSTCHECK bool connection_send(struct connection *connection, const void *data, size_t bytes,
                               int64_t deadline_us, bool *ret_any, struct failure *reterr);

/* Wait for the next frame; *RET_PAYLOAD is valid until the next call on CONNECTION.
 * Returns false, with *RETERR filled, if none comes. */
MUSTCHECK bool connection_receive(struct connection *connection, int64_t deadline_us,
                                  const uint8_t **ret_payload, size_t *ret_bytes,
                                  struct failure *reterr);

/* Overwrite the frame of BYTES at PAYLOAD, the last that connection_receive() gave. */
void connection_wipe(struct connection *connection, const uint8_t *payload, size_t bytes);

/* Whether CONNECTION can be kept for the next request: all was sent, and nothing waits to be read.
 * Gives back the memory that a large answer took. */
bool connection_rest(struct connection *connection);
