#include "billingd/reload.h"

#include <signal.h>

#include "billingd/access.h"
#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"

static void news_cb(enum config_news news, const char *name, const char *text)
{
    switch (news) {
    case CONFIG_NEWS_WRONG:
        log_error(LOG_DAEMON, "the configuration is wrong", LOG_TEXT("reason", text));
        break;
    case CONFIG_NEWS_CHANGED:
        log_info(LOG_DAEMON, "option changed", LOG_TEXT("name", name), LOG_TEXT("value", text));
        break;
    case CONFIG_NEWS_RESTART:
        log_warning(LOG_DAEMON, "option changes with the next start", LOG_TEXT("name", name),
                    LOG_TEXT("value", text));
        break;
    }
}

/* What is not said by the options alone, and may be wrong too: whom they name.  As read_cb(). */
static int accept_config_cb(const struct config *fresh, void *arg)
{
    struct peer_rules *rules = arg;
    return access_rules(fresh, rules);
}

static void begin(struct reload *reload);

/* The reading thread. */
static void read_cb(uv_work_t *work)
{
    struct reload *reload = work->data;
    config_reload_read(&reload->fresh);
}

static void take(struct reload *reload)
{
    const struct reload_options *options = &reload->options;
    int rc = config_reload_take(&reload->fresh, options->config);
    if (rc == 0) {
        options->apply(&reload->rules, options->arg);
        log_info(LOG_DAEMON, "reloaded");
    } else {
        log_error(LOG_DAEMON, "not reloaded, nothing changed");
    }
    notify_send(options->notify, "READY=1\nSTATUS=%s",
                rc == 0 ? "Serving" : "Serving; the configuration is wrong and was not reloaded");
}

/* The loop again.  What was asked for meanwhile may not be in what was read. */
static void read_done_cb(uv_work_t *work, int status)
{
    struct reload *reload = work->data;
    IGNORE(status < 0); /* nobody cancels it */
    reload->under_way = false;
    if (reload->drained) {
        config_reload_drop(&reload->fresh);
        return;
    }
    take(reload);
    if (reload->again) {
        begin(reload);
    }
}

static void begin(struct reload *reload)
{
    const struct reload_options *options = &reload->options;
    reload->under_way = true;
    reload->again = false;
    notify_send(options->notify, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reloading",
                (long long)clock_monotonic_us());
    reload->fresh = (struct config_reload){
        .argc = options->command->argc,
        .argv = options->command->argv,
        .tell = news_cb,
        .accept = accept_config_cb,
        .arg = &reload->rules,
    };
    INVARIANT(uv_queue_work(options->loop, &reload->read, read_cb, read_done_cb) == 0);
}

static void hang_up_cb(uv_signal_t *handle, int number)
{
    struct reload *reload = handle->data;
    (void)number;
    if (reload->under_way) {
        reload->again = true;
    } else if (!reload->drained) {
        begin(reload);
    }
}

void reload_init(struct reload *reload, const struct reload_options *options)
{
    *reload = (struct reload){.options = *options};
    INVARIANT(uv_signal_init(options->loop, &reload->hang_up) == 0);
    reload->hang_up.data = reload;
    reload->read.data = reload;
}

void reload_start(struct reload *reload)
{
    INVARIANT(uv_signal_start(&reload->hang_up, hang_up_cb, SIGHUP) == 0);
}

void reload_drain(struct reload *reload)
{
    reload->drained = true;
}

void reload_close(struct reload *reload)
{
    uv_close((uv_handle_t *)&reload->hang_up, NULL);
    IGNORE(signal(SIGHUP, SIG_IGN) ==
           SIG_ERR); /* cannot fail; it must not kill what still commits */
}
