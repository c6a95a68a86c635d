/* The entrances: where the daemon listens, what was handed over and what is configured, and how
 * many connections are let in there.  Loop thread. */
#pragma once

#include <uv.h>

#include "billingd/activation.h"
#include "billingd/config.h"
#include "billingd/net/connections.h"
#include "billingd/net/newcomers.h"

enum {
    ENTRANCES_MAX = 2 * CONFIG_LISTEN_MAX + ACTIVATION_SOCKETS_MAX,
};

struct entrances;
struct listener;

/* A listener, and what its connections are let in with. */
struct entrance {
    struct entrances *entrances;
    struct listener *listener;
    struct connections *door; /* that they are of */
    bool needs_key;
};

struct entrances {
    const struct config *config;
    uv_loop_t *loop;
    struct connections *rpc;
    struct connections *http;
    size_t connections_max;     /* of the config, as far as there are descriptors */
    struct newcomers newcomers; /* who needs a key there and has shown none */
    struct entrance all[ENTRANCES_MAX];
    unsigned n;
};

/* Ready ENTRANCES, which is to stay in its place, and raise the limit of descriptors as far as
 * CONFIG's connections_max needs it.  All of it must outlive ENTRANCES; LOOP and the doors may be
 * readied until entrances_open(). */
void entrances_init(struct entrances *entrances, const struct config *config, uv_loop_t *loop,
                    struct connections *rpc, struct connections *http);

/* Listen.  Sockets that are handed over take the place of the configured ones of their kind.
 * Returns 0, or a STATUS_*, having logged why; what is open then is left to entrances_close(). */
MUSTCHECK int entrances_open(struct entrances *entrances, const struct activation *handed_over);

/* The config has changed: let further connections in by what it says now.  Those that are open are
 * left to the doors' apply_rules(). */
void entrances_adjust(struct entrances *entrances);

/* Listen no more. */
void entrances_close(struct entrances *entrances);
