#include "billingd/net/connections.h"

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/rpc/dispatch.h"

enum {
    REFUSED_MAX = 64, /* connections that linger only to read that they are too many */
    SWEEP_MS = 250,
    KEEPALIVE_S = 60, /* TCP probes after so long: peers that vanished do not keep their place */
};

/* --- the lists -------------------------------------------------------------------------------- */

static void enter(struct connections *all, struct connection *c, bool admit)
{
    c->next = all->first;
    if (c->next != NULL) {
        c->next->previous = c;
    }
    all->first = c;
    all->n++;
    c->admitted = admit;
    if (admit) {
        all->dispatch->stats.connections++;
        all->dispatch->stats.open[connection_door(c)]++;
    } else {
        all->n_refused++;
    }
}

static void unlink_unflushed(struct connection *c)
{
    if (!c->is_unflushed) {
        return;
    }
    if (c->previous_unflushed == NULL) {
        c->all->unflushed = c->next_unflushed;
    } else {
        c->previous_unflushed->next_unflushed = c->next_unflushed;
    }
    if (c->next_unflushed != NULL) {
        c->next_unflushed->previous_unflushed = c->previous_unflushed;
    }
    c->is_unflushed = false;
}

void connections_leave(struct connection *c)
{
    struct connections *all = c->all;
    unlink_unflushed(c);
    turn_queue_leave(&all->waiting, &c->next_turn);
    if (c->previous == NULL) {
        all->first = c->next;
    } else {
        c->previous->next = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    all->n--;
    if (c->admitted) {
        all->dispatch->stats.connections--;
        all->dispatch->stats.open[connection_door(c)]--;
    } else {
        all->n_refused--;
    }
}

/* --- letting in ------------------------------------------------------------------------------- */

static void set_up_tcp(struct connection *c)
{
    IGNORE(uv_tcp_nodelay(&c->tcp, 1)); /* answers are gathered here, not in the kernel */
    IGNORE(uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S)); /* without it, they stay longer */
}

void connections_accept(struct connections *all, uv_stream_t *server, struct admission admission)
{
    const struct connections_options *options = &all->options;
    struct connection *c = connection_create(all, server->type == UV_NAMED_PIPE);
    int rc = uv_accept(server, &c->stream);
    bool fits = caller_enter(&c->caller, all->dispatch, &admission, connection_unix_fd(c),
                             options->peers, options->asker_connections_max) == 0;
    enter(all, c, admission.has_room && fits);
    if (rc < 0 || all->n_refused > REFUSED_MAX) {
        connection_cut(c);
        return;
    }
    if (server->type == UV_TCP) {
        set_up_tcp(c);
    }
    if (!admission.has_room) {
        c->all->protocol->refuse(c, STATUS_BUSY, "there are too many connections");
    } else if (!fits) {
        c->all->protocol->refuse(c, STATUS_RATE_LIMITED, caller_too_many);
    }
    connection_advance(c);
}

void connections_apply_rules(struct connections *all)
{
    const struct connections_options *options = &all->options;
    for (struct connection *c = all->first; c != NULL; c = c->next) {
        caller_apply_rules(&c->caller, connection_unix_fd(c), options->peers,
                           options->asker_connections_max);
    }
}

/* --- turns of the loop ------------------------------------------------------------------------ */

void connections_flush(struct connections *all)
{
    while (all->unflushed != NULL) {
        struct connection *c = all->unflushed;
        unlink_unflushed(c);
        if (connection_flush(c)) {
            connection_advance(c);
        }
    }
}

void connections_turn(struct connections *all)
{
    turn_queue_go_on(&all->waiting);
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* Why C is to be cut, or NULL. */
static const char *overdue(const struct connection *c, int64_t now_us)
{
    const struct connections_options *options = &c->all->options;
    if (c->linger_us != 0 && now_us > c->linger_us) {
        return "lingered";
    }
    if (connection_is_over(c->stuck_us, options->write_timeout_ms, now_us)) {
        return "answers not taken";
    }
    bool is_busy = c->in_flight > 0 || connection_unwritten(c) > 0 || c->shutting;
    return is_busy ? NULL : c->all->protocol->overdue(c, now_us);
}

/* uv tells when a write is through, not how it fares: a slow client is not a dead one. */
static void note_progress(struct connection *c, int64_t now_us)
{
    size_t queued_bytes = uv_stream_get_write_queue_size(&c->stream);
    if (queued_bytes < c->queued_bytes) {
        c->active_us = now_us;
        c->stuck_us = c->stuck_us == 0 ? 0 : now_us; /* 0: it has taken all */
    }
    c->queued_bytes = queued_bytes;
}

static void look_after(struct connection *c, int64_t now_us)
{
    const struct connections_options *options = &c->all->options;
    note_progress(c, now_us);
    const char *reason = overdue(c, now_us);
    if (reason != NULL) {
        log_debug(LOG_NET, "connection cut", LOG_TEXT("door", c->all->protocol->door),
                  LOG_TEXT("reason", reason), LOG_SLICE("identity", c->caller.who.name));
        connection_cut(c);
        return;
    }
    c->all->protocol->check_arrival(c, now_us);
    if (c->closing) { /* its refusal could not be written */
        return;
    }
    caller_check_key(&c->caller, options->asker_connections_max);
    connection_advance(c); /* those that waited for room, too */
}

static void sweep_cb(uv_timer_t *timer)
{
    struct connections *all = timer->data;
    int64_t now_us = clock_monotonic_us();
    struct connection *next;
    for (struct connection *c = all->first; c != NULL; c = next) {
        next = c->next;
        if (!c->closing) { /* one before it may have cut it */
            look_after(c, now_us);
        }
    }
}

/* --- beginning and end ------------------------------------------------------------------------ */

void connections_init(struct connections *all, uv_loop_t *loop, struct dispatch *dispatch,
                      const struct connection_protocol *protocol,
                      const struct connections_options *options)
{
    *all = (struct connections){
        .loop = loop, .dispatch = dispatch, .protocol = protocol, .options = *options};
    all->sweep.data = all;
    turn_queue_init(&all->waiting, loop);
    INVARIANT(uv_timer_init(loop, &all->sweep) == 0);
    INVARIANT(uv_timer_start(&all->sweep, sweep_cb, SWEEP_MS, SWEEP_MS) == 0);
    uv_unref((uv_handle_t *)&all->sweep);
}

void connections_drain(struct connections *all)
{
    struct connection *next;
    all->draining = true;
    for (struct connection *c = all->first; c != NULL; c = next) {
        next = c->next;
        if (!c->closing) { /* likewise */
            all->protocol->drain(c);
        }
    }
}

void connections_close(struct connections *all)
{
    while (all->first != NULL) {
        connection_cut(all->first);
    }
    turn_queue_close(&all->waiting);
    uv_close((uv_handle_t *)&all->sweep, NULL);
}
