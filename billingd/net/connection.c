#include "billingd/net/connection.h"

#include <stdlib.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/net/connections.h"

enum {
    LINGER_MS = 2000, /* for a client to read its refusal */
};

static const struct connection_protocol *protocol_of(const struct connection *c)
{
    return c->all->protocol;
}

/* --- its beginning ---------------------------------------------------------------------------- */

static void turn_away_cb(void *connection)
{
    struct connection *c = connection;
    log_debug(LOG_NET, "connection cut", LOG_TEXT("door", protocol_of(c)->door),
              LOG_TEXT("reason", "it showed no key, and others came"));
    connection_cut(c);
}

static void go_on_cb(void *connection)
{
    struct connection *c = connection;
    connection_advance(c); /* which may cut it, and others */
}

struct connection *connection_create(struct connections *all, bool is_unix)
{
    struct connection *c = calloc(1, all->protocol->connection_bytes);
    INVARIANT(c != NULL);
    c->all = all;
    if (is_unix) {
        INVARIANT(uv_pipe_init(all->loop, &c->pipe, 0) == 0);
    } else {
        INVARIANT(uv_tcp_init(all->loop, &c->tcp) == 0);
    }
    c->handle.data = c;
    c->caller.newcomer = (struct newcomer){.turn_away = turn_away_cb, .connection = c};
    c->next_turn = (struct turn_waiter){.go_on = go_on_cb, .connection = c};
    c->active_us = clock_monotonic_us();
    protocol_of(c)->begin(c);
    return c;
}

int connection_unix_fd(const struct connection *c)
{
    uv_os_fd_t fd;
    return c->handle.type == UV_NAMED_PIPE && uv_fileno(&c->handle, &fd) == 0 ? fd : -1;
}

enum request_door connection_door(const struct connection *c)
{
    return c->handle.type == UV_NAMED_PIPE ? REQUEST_UNIX : protocol_of(c)->over_tcp;
}

/* --- its end ---------------------------------------------------------------------------------- */

void connection_release(struct connection *c)
{
    if (c->closed && c->in_flight == 0) {
        free(c);
    }
}

/* What is in flight may live on, but has no buffers to go to. */
static void closed_cb(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    protocol_of(c)->end(c);
    io_buffer_free(&c->out);
    io_buffer_free(&c->writing);
    c->closed = true;
    connection_release(c);
}

void connection_cut(struct connection *c)
{
    if (c->closing) {
        return;
    }
    c->closing = true;
    connections_leave(c);
    caller_leave(&c->caller);
    uv_close(&c->handle, closed_cb);
}

/* Whether nobody is left to wait for. */
static bool is_left(const struct connection *c)
{
    return c->input_ended || (c->all->draining && !c->refused);
}

static void shutdown_cb(uv_shutdown_t *shutdown, int status)
{
    struct connection *c = shutdown->data;
    c->shut = true;
    if (status < 0 || is_left(c)) {
        connection_cut(c);
    }
}

void connection_finish(struct connection *c)
{
    if (c->shut && is_left(c)) {
        connection_cut(c);
    }
    if (c->shutting || c->closing) {
        return;
    }
    c->shutting = true;
    c->linger_us = clock_monotonic_us() + INT64_C(1000) * LINGER_MS;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, &c->stream, shutdown_cb) < 0) {
        connection_cut(c);
    }
}

/* --- bytes out -------------------------------------------------------------------------------- */

static void written_cb(uv_write_t *write, int status)
{
    struct connection *c = write->data;
    io_buffer_reset(&c->writing, protocol_of(c)->out_keep_bytes);
    if (status < 0) {
        connection_cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    c->stuck_us = 0;
    connection_advance(c);
}

static uv_buf_t buf_of(struct slice bytes)
{
    /* uv only reads what it writes, but its type cannot say so. */
    return uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.length);
}

/* The kernel takes no more of `out` now. */
static void write_rest(struct connection *c)
{
    struct io_buffer rest = c->out;
    c->out = c->writing;
    c->writing = rest;
    c->stuck_us = c->active_us;
    c->write.data = c;
    uv_buf_t bytes = buf_of(io_buffer_rest(&c->writing));
    if (uv_write(&c->write, &c->stream, &bytes, 1, written_cb) < 0) {
        connection_cut(c);
    }
}

bool connection_flush(struct connection *c)
{
    if (io_buffer_left(&c->writing) > 0 || io_buffer_left(&c->out) == 0) {
        return false; /* written_cb() goes on */
    }
    uv_buf_t bytes = buf_of(io_buffer_rest(&c->out));
    int n = uv_try_write(&c->stream, &bytes, 1);
    if (n < 0 && n != UV_EAGAIN) {
        connection_cut(c);
        return false;
    }
    c->active_us = clock_monotonic_us();
    if (n >= 0 && (size_t)n == bytes.len) {
        io_buffer_reset(&c->out, protocol_of(c)->out_keep_bytes);
        return true;
    }
    io_buffer_take(&c->out, n < 0 ? 0 : (size_t)n);
    write_rest(c);
    return false;
}

/* --- bytes in --------------------------------------------------------------------------------- */

static void alloc_cb(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    struct connection *c = handle->data;
    (void)suggested;
    *ret = protocol_of(c)->space(c); /* of no length: uv reports UV_ENOBUFS */
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct connection *c = stream->data;
    if (n == 0) {
        return;
    }
    if (n < 0 && n != UV_EOF) {
        connection_cut(c);
        return;
    }
    c->active_us = clock_monotonic_us();
    if (n == UV_EOF) {
        c->input_ended = true;
    } else if (!c->no_more) {
        protocol_of(c)->arrived(c, (struct slice){buffer->base, (size_t)n});
    }
    connection_advance(c);
}

void connection_set_reading(struct connection *c, bool reading)
{
    c->reading = reading;
    if (!reading) {
        IGNORE(uv_read_stop(&c->stream)); /* cannot fail */
    } else if (uv_read_start(&c->stream, alloc_cb, read_cb) < 0) {
        connection_cut(c);
    }
}
