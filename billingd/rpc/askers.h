/* Those who ask: what each identity has open, how often it has asked, and which place it has in the
 * workers' queues.  So limits count by who it is, through whatever doors and connections.
 *
 * One that has nothing open is forgotten when its place is needed.  Where all places are taken, who
 * comes next shares the last one with others that came too late.  Loop thread only, but for
 * bytes. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "billingd/base/slice.h"
#include "billingd/commit/op.h"

struct asker {
    char *name; /* owned */
    size_t name_bytes;
    unsigned place;      /* in the queues: op->asker */
    unsigned next;       /* of the same hash: its place + 1; 0: none */
    size_t connections;  /* open */
    size_t holders;      /* requests and connections that refer to it */
    atomic_size_t bytes; /* of memory, by accounts (account.h) */
    uint64_t turn;       /* of the loop, in which it was last heard over RPC, */
    unsigned in_turn;    /* and how much in that one */
    uint64_t http_turn;  /* likewise over HTTP: neither door is to keep it from the other */
    unsigned in_http_turn;
    unsigned full_turns;   /* behind each other, in which it was heard often */
    int64_t many_until_us; /* monotonic; before it, it is one that asks many at once */
    int64_t rested_ns;     /* when it may ask a second's worth at once again, monotonic */
};

struct askers {
    struct asker *places[OP_ASKERS_MAX]; /* owned; all up to n */
    unsigned first_of[OP_ASKERS_MAX];    /* by hash: a place + 1; 0: none */
    unsigned n;
    unsigned looked_at; /* where the search for one to forget goes on */
    struct asker *last; /* who was found last, for the next request is often theirs too */
};

/* Who is called NAME; a new one where need be.  It stays while it has holders. */
struct asker *askers_find(struct askers *askers, struct slice name, int64_t now_us);

/* Forget how often each has asked: what was waited for at one rate is not to be at another. */
void askers_forgive(struct askers *askers);

/* Free all, whoever holds them. */
void askers_done(struct askers *askers);

/* Whether ASKER may ask N times more at NOW_US, where A_SECOND times are allowed (0: any number),
 * and a second's worth at once; then it has.  What asks for more than that at once may as soon as
 * one may, and is waited out.  Else *RET_WAIT_US is how long until it may. */
bool asker_may_ask(struct asker *asker, int64_t a_second, size_t n, int64_t now_us,
                   int64_t *ret_wait_us);
