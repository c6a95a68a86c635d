#include "libbilling/src/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "libbilling/src/clock.h"
#include "libbilling/src/dial.h"
#include "libbilling/src/token.h"
#include "proto/frame.h"

enum {
    READ_BYTES = 16 * 1024,
    KEPT_BYTES_MAX = 64 * 1024, /* of the reader of an idle connection */
};

struct connection {
    int fd;
    pid_t pid;       /* the process that opened it */
    bool is_cut_off; /* a request was not sent to its end */
    char *token;     /* owned; NULL: none that is the connection's own */
    struct frame_reader reader;
};

/* --- opening and closing ---------------------------------------------------------------------- */

/* Put what PART says behind what WHOLE says already. */
static void failure_append(struct failure *whole, const struct failure *part)
{
    size_t length = strlen(whole->detail);
    whole->fault = part->fault;
    IGNORE(snprintf(whole->detail + length, sizeof whole->detail - length, "%s%s",
                    length > 0 ? "; " : "", part->detail) < 0); /* cut where it is too long */
}

static int dial_first(const struct places *places, int64_t deadline_us, struct failure *reterr)
{
    reterr->detail[0] = '\0';
    for (int i = 0; i < places->count; i++) {
        struct failure failure;
        int fd = dial(&places->list[i], deadline_us, &failure);
        if (fd >= 0) {
            return fd;
        }
        failure_append(reterr, &failure);
    }
    return -1;
}

struct connection *connection_open(const struct places *places, size_t frame_bytes_max,
                                   int64_t deadline_us, struct failure *reterr)
{
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) {
        failure_set(reterr, FAULT_NO_MEMORY, "%s", "");
        return NULL;
    }
    *connection = (struct connection){.pid = getpid()};
    frame_reader_init(&connection->reader, frame_bytes_max);
    connection->fd = dial_first(places, deadline_us, reterr);
    if (connection->fd < 0) {
        free(connection);
        return NULL;
    }
    return connection;
}

void connection_close(struct connection *connection)
{
    if (connection != NULL) {
        close(connection->fd);
        frame_reader_done(&connection->reader);
        token_free(connection->token);
        free(connection);
    }
}

void connection_set_token(struct connection *connection, char *token)
{
    token_free(connection->token);
    connection->token = token;
}

const char *connection_token(const struct connection *connection)
{
    return connection->token;
}

bool connection_is_usable(const struct connection *connection)
{
    struct pollfd ready = {.fd = connection->fd, .events = POLLIN | POLLRDHUP};
    return connection->pid == getpid() && poll(&ready, 1, 0) == 0;
}

void connection_wipe(struct connection *connection, const uint8_t *payload, size_t bytes)
{
    explicit_bzero(connection->reader.data + (payload - connection->reader.data), bytes);
}

bool connection_rest(struct connection *connection)
{
    if (connection->is_cut_off || frame_reader_pending(&connection->reader) > 0) {
        return false;
    }
    if (connection->reader.capacity > KEPT_BYTES_MAX) {
        frame_reader_done(&connection->reader);
    }
    return true;
}

/* --- sending and receiving -------------------------------------------------------------------- */

/* Wait for EVENTS; *RET_EVENTS is what came.  False, with *RETERR filled, if nothing did. */
static bool wait_for(const struct connection *connection, short events, int64_t deadline_us,
                     short *ret_events, struct failure *reterr)
{
    struct pollfd ready = {.fd = connection->fd, .events = events};
    for (;;) {
        int64_t left_ms = clock_left_ms(deadline_us);
        int n = left_ms == 0 ? 0 : poll(&ready, 1, (int)left_ms);
        if (n > 0) {
            *ret_events = ready.revents;
            return true;
        }
        if (n == 0) {
            failure_set(reterr, FAULT_TIMEOUT, "%s", "");
            return false;
        }
        if (errno != EINTR) {
            failure_set_system(reterr, FAULT_CONNECTION_LOST, "poll", errno);
            return false;
        }
    }
}

bool connection_send(struct connection *connection, const void *data, size_t bytes,
                     int64_t deadline_us, bool *ret_any, struct failure *reterr)
{
    const char *at = data;
    connection->is_cut_off = true;
    *ret_any = false;
    while (bytes > 0) {
        ssize_t n = send(connection->fd, at, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        short events = 0;
        if (n > 0) {
            at += n;
            bytes -= (size_t)n;
            *ret_any = true;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            failure_set_system(reterr, FAULT_CONNECTION_LOST, "send", errno);
            return false;
        } else if (!wait_for(connection, POLLOUT | POLLIN, deadline_us, &events, reterr)) {
            return false;
        }
        if ((events & POLLIN) != 0) {
            return true;
        }
    }
    connection->is_cut_off = false;
    return true;
}

/* Read what has arrived, at least one byte. */
static bool fill(struct connection *connection, int64_t deadline_us, struct failure *reterr)
{
    uint8_t *space;
    size_t room;
    short events;
    if (frame_reader_space(&connection->reader, READ_BYTES, &space, &room) != 0) {
        failure_set(reterr, FAULT_NO_MEMORY, "%s", "");
        return false;
    }
    for (;;) {
        if (!wait_for(connection, POLLIN, deadline_us, &events, reterr)) {
            return false;
        }
        ssize_t n = recv(connection->fd, space, room, MSG_DONTWAIT);
        if (n > 0) {
            frame_reader_fed(&connection->reader, (size_t)n);
            return true;
        }
        if (n == 0) {
            failure_set(reterr, FAULT_CONNECTION_LOST, "closed by the daemon");
            return false;
        }
        if (errno != EAGAIN && errno != EINTR) {
            failure_set_system(reterr, FAULT_CONNECTION_LOST, "recv", errno);
            return false;
        }
    }
}

bool connection_receive(struct connection *connection, int64_t deadline_us,
                        const uint8_t **ret_payload, size_t *ret_bytes, struct failure *reterr)
{
    for (;;) {
        size_t bytes = 0;
        int status = frame_reader_next(&connection->reader, ret_payload, &bytes);
        if (status == 0) {
            *ret_bytes = bytes;
            return true;
        }
        if (status == STATUS_TOO_LARGE) {
            failure_set(reterr, FAULT_BAD_REPLY, "a frame of %zu bytes, at most %zu are taken",
                        bytes, connection->reader.payload_max);
            return false;
        }
        if (!fill(connection, deadline_us, reterr)) {
            return false;
        }
    }
}
