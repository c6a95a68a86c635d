/* Who is at the other end of a Unix socket, by the kernel's word, and which role that one has.
 *
 * The names in an operator's rules are resolved when the rules are made; after that nothing here
 * asks anybody but the kernel.  Loop thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "billingd/rpc/identity.h"
#include "proto/status.h"

enum {
    PEER_RULES_MAX = 192,
    PEER_NAME_BYTES = 24,    /* of "uid:4294967295" */
    PEER_REASON_BYTES = 128, /* why a rule is none */
};

struct peer_rule {
    bool is_group;
    id_t id;
    enum role role;
};

/* Starts as {.fallback = ...}. */
struct peer_rules {
    struct peer_rule rules[PEER_RULES_MAX];
    unsigned n;
    enum role fallback; /* of those whom no rule names */
};

/* Take one more rule: ENTRY is "user:NAME", "user:1000", "group:NAME" or "group:GID".  Asks the
 * system's user database, which may take a while: at the start, and where the operator asks for it.
 * Returns 0, or STATUS_OUT_OF_BOUNDS with what is wrong in REASON of PEER_REASON_BYTES. */
MUSTCHECK int peer_rules_add(struct peer_rules *rules, const char *entry, enum role role,
                             char *reason);

/* The role of UID with the N groups at GIDS.  root and the daemon's own user are admins; a rule for
 * the user counts before those for groups; of several the highest role counts. */
enum role peer_rules_role(const struct peer_rules *rules, uid_t uid, const gid_t *gids, size_t n);

/* Who is at the other end of FD, a connected Unix socket.  RULES of NULL are none, with "writer"
 * for the others.  The name is put into NAME, of PEER_NAME_BYTES, and must live as long as *RET.
 * Where the kernel does not say who it is, *RET may do nothing. */
void peer_identify(int fd, const struct peer_rules *rules, char *name, struct identity *ret);
