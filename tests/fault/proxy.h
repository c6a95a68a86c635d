/* A proxy between a client and the daemon that does to the bytes of one conversation what networks
 * and dying peers do, at a position that it is told.
 *
 * It has threads of its own.  What is below is for one thread at a time; nothing fails a test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum proxy_direction {
    PROXY_TO_DAEMON,
    PROXY_TO_CLIENT,
    PROXY_DIRECTIONS, /* how many there are */
};

enum proxy_fault_kind {
    PROXY_CUT,    /* both ways end there */
    PROXY_SPLIT,  /* the rest comes later, by itself */
    PROXY_STALL,  /* the rest comes when it is released: long after the client has given up */
    PROXY_REPEAT, /* the bytes before it come twice */
    PROXY_AGAIN,  /* what is sent first, at once, comes twice; wherever it ends */
    PROXY_FAULTS, /* how many there are */
};

struct proxy_fault {
    enum proxy_fault_kind kind;
    enum proxy_direction direction;
    uint64_t position; /* behind so many bytes of that direction */
    uint64_t length;   /* of PROXY_REPEAT: how many, up to 64; fewer where there are fewer */
};

struct proxy;

/* Listen at ADDRESS, unix:PATH or tcp:127.0.0.1:0, and connect who comes to TARGET.  Aborts where
 * it cannot listen. */
struct proxy *proxy_create(const char *address, const char *target);

/* Ends all connections, too. */
void proxy_destroy(struct proxy *proxy);

/* Where it listens: unix:PATH or tcp:HOST:PORT. */
const char *proxy_address(const struct proxy *proxy);

/* FAULT (NULL: none) befalls the next connection; those after it see none. */
void proxy_arm(struct proxy *proxy, const struct proxy_fault *fault);

/* Let go what is stalled, and wait until every connection has ended: the daemon has then seen all
 * that it will ever see of them, and answered it.  The clients have to have closed theirs.  Returns
 * false where one does not end in time. */
bool proxy_settle(struct proxy *proxy, int timeout_ms);

/* Whether the fault came to pass: the conversation was that long. */
bool proxy_struck(struct proxy *proxy);

/* How many bytes the connection after proxy_arm() carried in DIRECTION. */
uint64_t proxy_bytes(struct proxy *proxy, enum proxy_direction direction);
