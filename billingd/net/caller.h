/* Whose a connection is: whom the door takes its caller for, for whom it counts, and what happens
 * while nobody knows.
 *
 * A connection counts for whoever asked last.  One that needs a key counts for nobody until it
 * shows one: it is a newcomer (newcomers.h), and has a little time.  Once it has shown one it stays
 * that key's, whatever else is asked on it without: a proxy's clients share their connections. When
 * that key is revoked or expires, it is where it began.
 * Loop thread only. */
#pragma once

#include "billingd/net/admission.h"
#include "billingd/net/newcomers.h"
#include "billingd/net/peer.h"
#include "billingd/rpc/request.h"

/* Starts as {.newcomer = {.turn_away, .connection}}. */
struct caller {
    struct identity who; /* where a request brings no token */
    char who_text[PEER_NAME_BYTES];
    struct account account;
    struct dispatch *dispatch;
    const bool *needs_key;       /* as admission.h has it */
    struct newcomers *newcomers; /* likewise */
    struct newcomer newcomer;
    uint64_t key; /* that it has shown, and counts for; 0: none */
};

/* What to tell one that is refused with STATUS_RATE_LIMITED. */
extern const char caller_too_many[];

/* Let CALLER in by ADMISSION: on FD where that is a Unix socket, whose kernel says who it is, by
 * RULES; else -1.  CONNECTIONS_MAX is what one identity may have.  Returns 0, or
 * STATUS_RATE_LIMITED where that one has as many. */
MUSTCHECK int caller_enter(struct caller *caller, struct dispatch *dispatch,
                           const struct admission *admission, int fd,
                           const struct peer_rules *rules, size_t connections_max);

/* The rules have changed: whom the door takes it for is settled anew, as by caller_enter().  One
 * that needs a key now, and has shown none, is a newcomer. */
void caller_apply_rules(struct caller *caller, int fd, const struct peer_rules *rules,
                        size_t connections_max);

/* REQUEST, on which gate_identify() was called, says whose the connection is.  Returns as
 * caller_enter(). */
MUSTCHECK int caller_settle(struct caller *caller, const struct request *request,
                            size_t connections_max);

/* Now and then: where the key that it has shown counts no more, it counts for that no more. */
void caller_check_key(struct caller *caller, size_t connections_max);

/* Whether what has arrived of a request on it may stay in memory, though it is not whole.  Of
 * newcomers, who share one identity's memory, the oldest make way. */
MUSTCHECK bool caller_may_hold(struct caller *caller);

/* Whether it should have shown a key by NOW_US. */
bool caller_is_late(const struct caller *caller, int64_t timeout_ms, int64_t now_us);

/* The connection is gone. */
void caller_leave(struct caller *caller);
