/* A connection, of whichever door: its socket, bytes in, bytes out, and its end.  What the bytes
 * mean is its protocol's, by struct connection_protocol.  Loop thread only.
 *
 * In: what arrives is put where the protocol has room for it, and the protocol is told.  Out: the
 * protocol puts answers into `out`; the kernel takes what it has room for, uv keeps at the rest.
 * Every byte of a socket passes connection.c, and nothing else reads or writes one.
 * End: once all is said our side is shut down, and the client has a little time to close its own,
 * so that what it still sends does not turn our last answer into a reset; or it is cut.  What is in
 * flight then is carried out, the answer dropped, and the connection freed when it has come
 * back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "billingd/net/caller.h"
#include "billingd/net/io_buffer.h"
#include "billingd/net/turn_queue.h"

struct connection;
struct connections;

enum {
    CONNECTION_READ_BYTES = 64 * 1024, /* asked of the kernel at once */
};

/* What makes a connection one of its door.  The callbacks are given connections of that door, and
 * may cut them. */
struct connection_protocol {
    const char *door;           /* its name in the log */
    enum request_door over_tcp; /* how requests come over TCP */
    size_t out_keep_bytes;      /* a buffer of up to this is kept for the next answers */
    size_t connection_bytes;    /* of its connections, which begin with a struct connection */

    /* Ready what is behind the struct connection, all zeroes. */
    void (*begin)(struct connection *c);

    /* It is closed: free what that owns.  Requests of it may still be in flight. */
    void (*end)(struct connection *c);

    /* Where to put what arrives next; of no length where there is no memory. */
    uv_buf_t (*space)(struct connection *c);

    /* BYTES have arrived, there.  Not called where no_more is set: they are dropped. */
    void (*arrived)(struct connection *c, struct slice bytes);

    /* Something has changed: bytes have arrived or their end, answers are written, its turn has
     * come, or time has passed.  Take what can be taken, and settle whether to go on or to end. */
    void (*advance)(struct connection *c);

    /* Tell the client that with STATUS, for REASON, no more is taken from it. */
    void (*refuse)(struct connection *c, int status, const char *reason);

    /* Why C, on which nothing is under way, is to be cut; NULL: it is not. */
    const char *(*overdue)(const struct connection *c, int64_t now_us);

    /* Refuse a request that takes too long to arrive. */
    void (*check_arrival)(struct connection *c, int64_t now_us);

    /* Take no new requests: refuse what has arrived, answer what is in flight, end. */
    void (*drain)(struct connection *c);
};

struct connection {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    };
    struct connections *all; /* of the door */
    struct connection *next;
    struct connection *previous;

    struct caller caller; /* whose it is */
    struct turn_waiter next_turn;
    unsigned in_flight; /* requests with a worker; the protocol's */

    struct io_buffer out;     /* answers, not yet given to the kernel; the protocol's */
    struct io_buffer writing; /* what uv_write() is at */
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool is_unflushed; /* in all->unflushed */
    struct connection *next_unflushed;
    struct connection *previous_unflushed;

    bool admitted;    /* else it is told that there are too many, and counts apart */
    bool reading;     /* uv reads from it */
    bool input_ended; /* the client sends no more */
    bool no_more;     /* no further request is taken; input is dropped; the protocol's */
    bool refused;     /* in the middle: the client has time to read why, while draining too */
    bool shutting;    /* our side is being shut down */
    bool shut;        /* and is through */
    bool closing;     /* uv_close() was called */
    bool closed;      /* and is through */

    /* Monotonic microseconds. */
    int64_t active_us;   /* last byte in or out */
    int64_t stuck_us;    /* since when the client takes none of its answers; 0: it does */
    size_t queued_bytes; /* in uv's write queue at the last sweep */
    int64_t linger_us;   /* cut at this time; 0: not yet */
};

/* How much of its answers the client has not taken. */
static inline size_t connection_unwritten(const struct connection *c)
{
    return io_buffer_left(&c->out) + io_buffer_left(&c->writing);
}

/* Whether TIMEOUT_MS are over since SINCE_US; 0 of either: never. */
static inline bool connection_is_over(int64_t since_us, int64_t timeout_ms, int64_t now_us)
{
    return since_us != 0 && timeout_ms != 0 && now_us - since_us > timeout_ms * 1000;
}

/* Count what its buffers take, and INPUT_BYTES that the protocol holds of what has arrived. */
static inline void connection_count(struct connection *c, size_t input_bytes)
{
    if (!c->closing) { /* connection_cut() has counted it off */
        account_count(&c->caller.account, input_bytes + c->out.capacity + c->writing.capacity);
    }
}

/* Begin to read, or stop. */
void connection_set_reading(struct connection *c, bool reading);

/* Read exactly while WANTED, and while there is anything to come. */
static inline void connection_want_reading(struct connection *c, bool wanted)
{
    wanted = wanted && !c->input_ended;
    if (wanted != c->reading && !c->closing) {
        connection_set_reading(c, wanted);
    }
}

/* Give `out` to the kernel, as much as it takes now; the rest follows, and advance().  Returns
 * whether it took all of it. */
bool connection_flush(struct connection *c);

/* Everything is said: close our side, and wait a little for the client to close its own.  Called
 * again, it is settled whether that is over. */
void connection_finish(struct connection *c);

/* Close it at once; it is in none of the lists any more.  Nothing where it is closing. */
void connection_cut(struct connection *c);

/* Free C where it is closed, and nothing is in flight.  Behind each request that has come back. */
void connection_release(struct connection *c);

/* --- for connections.c ------------------------------------------------------------------------ */

/* A connection of ALL that waits to be accepted; on a Unix socket, or over TCP. */
struct connection *connection_create(struct connections *all, bool is_unix);

/* Where its kernel says who it is: the descriptor of a Unix socket; else -1. */
int connection_unix_fd(const struct connection *c);

/* The door that it came by. */
enum request_door connection_door(const struct connection *c);
