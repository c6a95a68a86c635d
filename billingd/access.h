/* Who may come in, as the options say it: roles on the Unix socket, and for browsers the daemon's
 * names and the origins of pages.  Made at the start, and anew where the options are read again.
 * Loop thread. */
#pragma once

#include "billingd/config.h"
#include "billingd/net/http_guard.h"
#include "billingd/net/peer.h"

enum {
    ACCESS_HOSTS_MAX = CONFIG_LIST_MAX + CONFIG_LISTEN_MAX,
    ACCESS_HOST_BYTES = 64, /* of a listener's address */
};

struct access {
    struct peer_rules peers;
    struct http_guard guard; /* of what is below, and of the config */
    const char *hosts[ACCESS_HOSTS_MAX];
    char listeners[CONFIG_LISTEN_MAX][ACCESS_HOST_BYTES]; /* hosts that http was given */
};

/* Make the rules of the Unix socket of CONFIG.  Asks the system's user database.  Returns 0, or
 * STATUS_OUT_OF_BOUNDS, having logged which entry names nobody any more. */
MUSTCHECK int access_rules(const struct config *config, struct peer_rules *ret);

/* Let in from now on by RULES, and by the names and origins of CONFIG, which must outlive
 * ACCESS. */
void access_use(struct access *access, const struct peer_rules *rules, const struct config *config);

/* Fill ACCESS from CONFIG, which must outlive it, as ACCESS must stay in its place.  Asks the
 * system's user database.  Returns 0, or STATUS_OUT_OF_BOUNDS, having logged which entry names
 * nobody any more; then *ACCESS is as it was. */
MUSTCHECK int access_load(struct access *access, const struct config *config);
