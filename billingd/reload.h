/* SIGHUP: what may change while the daemon runs is read again, on a thread of uv's, since files and
 * the user database may be somewhere in a network, and then taken over.  Loop thread. */
#pragma once

#include <uv.h>

#include "billingd/base/notify.h"
#include "billingd/config_reload.h"
#include "billingd/daemon.h"
#include "billingd/net/peer.h"

struct reload_options {
    uv_loop_t *loop;
    struct config *config;                /* that the daemon runs with */
    const struct daemon_command *command; /* which is read again */
    struct notify *notify;                /* the manager, who is told */
    /* CONFIG has changed, and RULES are whom it names: hand it to who has it.  Nothing of that may
     * fail: what can is found out before anything is taken over. */
    void (*apply)(const struct peer_rules *rules, void *arg);
    void *arg;
};

struct reload {
    struct reload_options options;
    uv_signal_t hang_up; /* SIGHUP */
    uv_work_t read;
    struct config_reload fresh; /* the reading thread's while it is under way, like rules */
    struct peer_rules rules;
    bool under_way;
    bool again;   /* another one has come */
    bool drained; /* none is taken over any more */
};

/* Ready RELOAD.  OPTIONS are copied. */
void reload_init(struct reload *reload, const struct reload_options *options);

/* Reload from now on, whenever SIGHUP comes. */
void reload_start(struct reload *reload);

/* From now on nothing changes. */
void reload_drain(struct reload *reload);

/* Close its handle; all is closed when the loop has run out.  SIGHUP is ignored then. */
void reload_close(struct reload *reload);
