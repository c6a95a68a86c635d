/* The service manager's watchdog (WatchdogSec=), fed by those two that everything hangs on: the
 * loop, whose timer it is, and the committer.  A loop that does not turn does not feed, nor does
 * one whose committer has been at one transaction for longer than the watchdog's time; a committer
 * that waits for work is fine.  Loop thread. */
#pragma once

#include <stdbool.h>

#include <uv.h>

#include "billingd/base/notify.h"
#include "billingd/commit/committer.h"

struct watchdog {
    uv_timer_t timer;
    const struct notify *notify;
    struct committer *committer;
    bool starving; /* the committer hangs: nothing is fed */
};

/* Ready WATCHDOG on LOOP; it feeds once it is started.  NOTIFY must outlive it. */
void watchdog_init(struct watchdog *watchdog, uv_loop_t *loop, const struct notify *notify);

/* Feed from now on, four times in the watchdog's time, where the manager asks for it at all. */
void watchdog_start(struct watchdog *watchdog, struct committer *committer);

/* Feed no more; WATCHDOG may go when the loop has seen it closed. */
void watchdog_close(struct watchdog *watchdog);
