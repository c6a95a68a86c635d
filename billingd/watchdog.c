#include "billingd/watchdog.h"

#include "billingd/base/assert.h"
#include "billingd/base/log.h"

enum {
    FEEDS = 4, /* in the watchdog's time */
};

/* Say when the committer begins to hang, and when it goes on. */
static void note(struct watchdog *watchdog, bool hangs, int64_t busy_us)
{
    if (hangs == watchdog->starving) {
        return;
    }
    watchdog->starving = hangs;
    if (hangs) {
        log_error(LOG_COMMIT, "a commit hangs, the watchdog is no longer fed",
                  LOG_INT("seconds", busy_us / 1000000));
        notify_send(watchdog->notify, "STATUS=A commit hangs; the watchdog is no longer fed");
    } else {
        log_info(LOG_COMMIT, "the commit went on, the watchdog is fed again");
        notify_send(watchdog->notify, "STATUS=Serving");
    }
}

static void feed_cb(uv_timer_t *timer)
{
    struct watchdog *watchdog = timer->data;
    int64_t busy_us = committer_busy_us(watchdog->committer);
    bool hangs = busy_us > watchdog->notify->watchdog_us;
    note(watchdog, hangs, busy_us);
    if (!hangs) {
        notify_send(watchdog->notify, "WATCHDOG=1");
    }
}

void watchdog_init(struct watchdog *watchdog, uv_loop_t *loop, const struct notify *notify)
{
    *watchdog = (struct watchdog){.notify = notify};
    INVARIANT(uv_timer_init(loop, &watchdog->timer) == 0);
    watchdog->timer.data = watchdog;
    uv_unref((uv_handle_t *)&watchdog->timer);
}

void watchdog_start(struct watchdog *watchdog, struct committer *committer)
{
    int64_t period_ms = watchdog->notify->watchdog_us / 1000 / FEEDS;
    watchdog->committer = committer;
    if (watchdog->notify->watchdog_us > 0) {
        IGNORE(uv_timer_start(&watchdog->timer, feed_cb, 0,
                              period_ms > 0 ? (uint64_t)period_ms : 1)); /* cannot fail */
    }
}

void watchdog_close(struct watchdog *watchdog)
{
    uv_close((uv_handle_t *)&watchdog->timer, NULL);
}
