/* The order of things:
 *   store, committer, readers, jobs, dispatch, doors, listeners; then "ready".
 *   SIGTERM: listeners close; dispatch refuses what is new; doors finish what is in flight; when
 *   nothing is left, or after drain_timeout, the loop ends; readers, committer, jobs, store.
 *   SIGHUP: what may change while it runs is read again, and handed to the rooms that have it. */
#include "billingd/daemon.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "billingd/access.h"
#include "billingd/activation.h"
#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/base/notify.h"
#include "billingd/commit/committer.h"
#include "billingd/commit/completions.h"
#include "billingd/commit/jobs.h"
#include "billingd/commit/readers.h"
#include "billingd/entrances.h"
#include "billingd/ledger/currency.h"
#include "billingd/metrics.h"
#include "billingd/net/http_door.h"
#include "billingd/net/rpc_door.h"
#include "billingd/net/wakeup.h"
#include "billingd/reload.h"
#include "billingd/report/report.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/rpc/keyring.h"
#include "billingd/store/store.h"
#include "billingd/store_watch.h"
#include "billingd/watchdog.h"

enum {
    PROGRESS_US = 5 * 1000 * 1000,        /* so often the manager is told that the start goes on */
    START_EXTENDED_US = 60 * 1000 * 1000, /* and has so long from then */
    MMAP_BYTES = 32 * 1024 * 1024,        /* what is larger is given back at once */
    SECOND_MS = 1000,
    REPORT_FLUSH_MS = 2000, /* at the end, for reports that are on their way */
    TRIM_MS = 2000,         /* without a request: then freed memory goes back to the system */
};

struct daemon {
    const struct daemon_command *command;
    struct config *config;
    struct access access;

    struct notify notify;
    int64_t progress_us; /* monotonic, when the manager was last told that the start goes on */
    struct activation activation;

    struct report *report; /* NULL: errors are reported nowhere */
    struct store *store;
    struct completions completions;
    struct committer *committer;
    struct readers *readers;
    struct keyring *keyring;
    struct jobs *jobs;
    struct dispatch dispatch;

    uv_loop_t loop;
    struct wakeup wakeup;  /* workers have something for the completions */
    uv_signal_t terminate; /* SIGTERM */
    uv_signal_t interrupt; /* SIGINT */
    struct reload reload;
    struct watchdog watchdog;
    uv_timer_t drain_timer;
    uv_timer_t trim_timer;
    uint64_t trim_requests; /* that had come in when trim_timer last looked */
    uv_timer_t second;      /* for what is said by time */
    struct store_watch store_watch;
    uv_prepare_t turn_end; /* hands on what a turn of the loop has gathered */
    uv_check_t drained;    /* looks whether the last one is gone */
    bool others_waited;    /* for what was urgent, when answers were given last */
    bool draining;
    bool ending;

    struct rpc_door rpc;
    struct http_door http;
    struct entrances entrances;
};

/* --- store and workers ------------------------------------------------------------------------ */

/* The store has much to do before it is open: the manager is to wait, as long as it goes on. */
static void progress_cb(uint64_t seq, void *arg)
{
    struct daemon *d = arg;
    int64_t now_us = clock_monotonic_us();
    if (now_us - d->progress_us >= PROGRESS_US) {
        d->progress_us = now_us;
        notify_send(&d->notify,
                    "EXTEND_TIMEOUT_USEC=%d\nSTATUS=Reading the journal: at record %llu",
                    START_EXTENDED_US, (unsigned long long)seq);
    }
}

static struct store_options store_options(const struct config *config)
{
    return (struct store_options){
        .data_dir = config->data_dir,
        .map_bytes = (uint64_t)config->map_bytes,
        .readers_max = (unsigned)config->readers + 1, /* and one for the start, then for jobs */
        .currency = config->currency,
        .now_us = clock_wall_us(),
    };
}

static int open_store(struct daemon *d)
{
    const struct config *config = d->config;
    struct errinfo reason;
    struct store_options options = store_options(config);
    options.progress = progress_cb;
    options.progress_arg = d;
    int rc = store_open(config->store, &options, &d->store, &reason);
    if (rc < 0) {
        log_error(LOG_STORE, "cannot open the store", LOG_TEXT("reason", reason.message));
    }
    return rc;
}

/* Committer thread.  What is on disk is unknown: answer nobody, end, and let the restart read the
 * truth.  Clients retry with their request ids and learn it. */
static void storage_failed_cb(int status, void *arg)
{
    const struct daemon *d = arg;
    log_error(LOG_COMMIT, "storage failed, outcome unknown, ending",
              LOG_TEXT("code", status_info(status)->name));
    if (d->report != NULL) {
        report_flush(d->report, REPORT_FLUSH_MS);
    }
    _exit(EXIT_STORAGE_FAILED);
}

static void wake_cb(void *arg)
{
    struct daemon *d = arg;
    wakeup_send(&d->wakeup);
}

static struct ledger_env ledger_env(const struct config *config)
{
    return (struct ledger_env){
        .currency = config->currency,
        .minor_digits = currency_minor_digits(config->currency),
        .catalogue_listed = config_catalogue_listed(config->catalogue) == 1,
    };
}

static struct committer_options committer_options(struct daemon *d)
{
    const struct config *config = d->config;
    return (struct committer_options){
        .store = d->store,
        .env = ledger_env(config),
        .completions = &d->completions,
        .queue_ops_max = (size_t)config->queue_ops_max,
        .queue_bytes_max = (size_t)config->queue_bytes_max,
        .group_ops_max = (size_t)config->group_ops_max,
        .group_bytes_max = (size_t)config->group_bytes_max,
        .failed = storage_failed_cb,
        .failed_arg = d,
    };
}

static struct readers_options readers_options(struct daemon *d)
{
    const struct config *config = d->config;
    return (struct readers_options){
        .store = d->store,
        .env = ledger_env(config),
        .completions = &d->completions,
        .threads = (unsigned)config->readers,
        .queue_ops_max = (size_t)config->queue_ops_max,
        .queue_bytes_max = (size_t)config->queue_bytes_max,
    };
}

static int start_workers(struct daemon *d)
{
    struct committer_options committer = committer_options(d);
    struct readers_options readers = readers_options(d);
    completions_init(&d->completions, wake_cb, d);
    int rc = committer_create(&committer, &d->committer);
    if (rc == 0) {
        rc = readers_create(&readers, &d->readers);
    }
    if (rc == 0) {
        rc = jobs_create(d->store, &d->jobs);
    }
    if (rc < 0) {
        log_error(LOG_DAEMON, "cannot start the threads", LOG_TEXT("code", status_info(rc)->name));
    }
    return rc;
}

static int load_keys(struct daemon *d, struct store_view *view, uint64_t id_key)
{
    d->keyring = keyring_create(id_key);
    int rc = d->keyring == NULL ? STATUS_NO_MEMORY : keyring_reload(d->keyring, view);
    if (rc < 0) {
        log_error(LOG_STORE, "cannot read the API keys: restore a backup where it is damaged",
                  LOG_TEXT("code", status_info(rc)->name));
    }
    return rc;
}

static struct request_log_options log_options(const struct config *config)
{
    return (struct request_log_options){
        .per_second_max = (unsigned)config->log_requests_per_second_max,
        .payloads = config->log_payloads,
    };
}

/* By this an operator sees whether it is the store that he means, or one that was just made. */
static void say_opened(const struct config *config, const struct store_info *info)
{
    log_info(LOG_STORE,
             info->last_seq == 0 ? "the store is open, with nothing in it yet"
                                 : "the store is open",
             LOG_TEXT("data", config->data_dir), LOG_INT("journal_position", info->last_seq),
             LOG_TEXT("currency", config->currency));
}

/* What VIEW says of the store. */
static int read_info(const struct config *config, struct store_view *view, struct store_info *ret)
{
    int rc = store_info(view, ret);
    if (rc < 0) {
        log_error(LOG_STORE, "cannot read the store: restore a backup where it is damaged",
                  LOG_TEXT("code", status_info(rc)->name));
    } else {
        say_opened(config, ret);
    }
    return rc;
}

/* What the desk must know of the store: *RET, and its keys in d->keyring. */
static int read_store(struct daemon *d, struct store_info *ret)
{
    struct store_view *view;
    int rc = store_snapshot(d->store, &view);
    if (rc < 0) {
        log_error(LOG_STORE, "cannot look at the store", LOG_TEXT("code", status_info(rc)->name));
        return rc;
    }
    rc = read_info(d->config, view, ret);
    if (rc == 0) {
        rc = load_keys(d, view, ret->id_key);
    }
    store_release(view);
    return rc;
}

static int start_dispatch(struct daemon *d)
{
    struct store_info info;
    int rc = read_store(d, &info);
    if (rc < 0) {
        return rc;
    }
    struct dispatch_options options = {
        .committer = d->committer,
        .readers = d->readers,
        .jobs = d->jobs,
        .keyring = d->keyring,
        .require_request_id = d->config->require_request_id,
        .version = BILLING_VERSION,
        .started_at_us = clock_wall_us(),
        .currency = d->config->currency,
        .requests_per_second_max = d->config->requests_per_second_max,
        .memory_max = (size_t)d->config->memory_max,
        .log = log_options(d->config),
    };
    dispatch_init(&d->dispatch, &options, info.id_key);
    return 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* The allocator keeps what large batches have freed.  Once nobody has asked for a while, it gives
 * that back, so that an idle daemon is small whatever it has seen. */
static void trim_cb(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    if (d->trim_requests != d->dispatch.stats.requests) {
        d->trim_requests = d->dispatch.stats.requests;
        return;
    }
    request_spares_free(&d->dispatch.spares);
    IGNORE(malloc_trim(0)); /* whether there was anything */
    IGNORE(uv_timer_stop(timer));
}

/* Look again after each request, so that an idle daemon wakes for nothing. */
static void expect_trim(struct daemon *d)
{
    if (!uv_is_active((uv_handle_t *)&d->trim_timer)) {
        IGNORE(uv_timer_start(&d->trim_timer, trim_cb, TRIM_MS, TRIM_MS)); /* cannot fail */
    }
}

static void second_cb(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    struct store_stats stats;
    dispatch_tick(&d->dispatch);
    store_stats(d->store, &stats);
    store_watch_note(&d->store_watch, &stats);
    log_catch_up();
}

static void metrics_cb(struct metrics_text *text, void *arg)
{
    struct daemon *d = arg;
    struct metrics_sources sources = {
        .dispatch = &d->dispatch,
        .store = d->store,
        .report = d->report,
    };
    metrics_write(&sources, text);
}

/* Answer what workers are done with: beside others, no more in a turn of the loop than is heard of
 * one, and what is urgent at once. */
static void woken_cb(void *arg)
{
    struct daemon *d = arg;
    int64_t now_us = clock_monotonic_us();
    unsigned turn = company_turn(&d->dispatch.company, now_us);
    if (company_is_alone(&d->dispatch.company, now_us)) {
        completions_drain(&d->completions);
    } else if (!d->others_waited && completions_drain_urgent(&d->completions) > 0) {
        d->others_waited = true;
        connections_flush(&d->rpc.connections);
        wakeup_send(&d->wakeup);
    } else {
        d->others_waited = false;
        if (completions_drain_some(&d->completions, turn) == turn) {
            wakeup_send(&d->wakeup);
        }
    }
    expect_trim(d);
}

/* Requests that came together are begun together, then answers that came together are written
 * together, which lets further requests in. */
static void turn_end_cb(uv_prepare_t *prepare)
{
    struct daemon *d = prepare->data;
    dispatch_flush(&d->dispatch);
    rpc_door_turn(&d->rpc);
    connections_turn(&d->http.connections);
    dispatch_flush(&d->dispatch);
}

static void end_loop(struct daemon *d)
{
    d->ending = true;
    connections_close(&d->rpc.connections);
    http_door_close(&d->http);
    uv_close((uv_handle_t *)&d->terminate, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    reload_close(&d->reload);
    watchdog_close(&d->watchdog);
    uv_close((uv_handle_t *)&d->drain_timer, NULL);
    uv_close((uv_handle_t *)&d->trim_timer, NULL);
    uv_close((uv_handle_t *)&d->second, NULL);
    uv_close((uv_handle_t *)&d->turn_end, NULL);
    uv_close((uv_handle_t *)&d->drained, NULL);
}

static void drained_cb(uv_check_t *check)
{
    struct daemon *d = check->data;
    if (d->rpc.connections.n == 0 && d->http.connections.n == 0 &&
        d->dispatch.stats.in_flight == 0) {
        end_loop(d);
    }
}

static void drain_timeout_cb(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    log_warning(LOG_DAEMON, "drain timed out, connections are cut",
                LOG_INT("connections", d->dispatch.stats.connections));
    end_loop(d);
}

static void drain_cb(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (d->draining) {
        return;
    }
    d->draining = true;
    notify_send(&d->notify, "STOPPING=1\nSTATUS=Draining");
    log_info(LOG_DAEMON, "draining", LOG_TEXT("signal", number == SIGINT ? "SIGINT" : "SIGTERM"),
             LOG_INT("connections", d->dispatch.stats.connections));
    reload_drain(&d->reload);
    entrances_close(&d->entrances);
    jobs_drain(d->jobs);
    dispatch_drain(&d->dispatch);
    connections_drain(&d->rpc.connections);
    connections_drain(&d->http.connections);
    IGNORE(uv_check_start(&d->drained, drained_cb)); /* cannot fail */
    IGNORE(uv_timer_start(&d->drain_timer, drain_timeout_cb, (uint64_t)d->config->drain_timeout_ms,
                          0)); /* cannot fail */
}

static void start_loop(struct daemon *d)
{
    INVARIANT(uv_loop_init(&d->loop) == 0);
    wakeup_init(&d->wakeup, &d->loop, woken_cb, d);
    INVARIANT(uv_signal_init(&d->loop, &d->terminate) == 0);
    INVARIANT(uv_signal_init(&d->loop, &d->interrupt) == 0);
    watchdog_init(&d->watchdog, &d->loop, &d->notify);
    INVARIANT(uv_timer_init(&d->loop, &d->drain_timer) == 0);
    INVARIANT(uv_timer_init(&d->loop, &d->trim_timer) == 0);
    INVARIANT(uv_timer_init(&d->loop, &d->second) == 0);
    INVARIANT(uv_prepare_init(&d->loop, &d->turn_end) == 0);
    INVARIANT(uv_check_init(&d->loop, &d->drained) == 0);
    d->terminate.data = d;
    d->interrupt.data = d;
    d->drain_timer.data = d;
    d->trim_timer.data = d;
    d->second.data = d;
    d->turn_end.data = d;
    d->drained.data = d;
    INVARIANT(uv_signal_start(&d->terminate, drain_cb, SIGTERM) == 0);
    INVARIANT(uv_signal_start(&d->interrupt, drain_cb, SIGINT) == 0);
}

/* --- doors ------------------------------------------------------------------------------------ */

/* Of the connections that there may be; one that takes them all leaves none to the others. */
static size_t asker_connections_max(const struct daemon *d)
{
    int64_t wanted = d->config->connections_per_identity_max;
    size_t connections_max = d->entrances.connections_max;
    return wanted == 0 ? connections_max - connections_max / 4 : (size_t)wanted;
}

static struct connections_options connections_options(const struct daemon *d)
{
    return (struct connections_options){
        .peers = &d->access.peers,
        .asker_connections_max = asker_connections_max(d),
        .write_timeout_ms = d->config->write_timeout_ms,
    };
}

static struct rpc_options rpc_options(const struct daemon *d)
{
    const struct config *config = d->config;
    return (struct rpc_options){
        .common = connections_options(d),
        .frame_bytes_max = (size_t)config->frame_bytes_max,
        .pipeline_max = (unsigned)config->pipeline_max,
        .frame_timeout_ms = config->frame_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .key_timeout_ms = config->head_timeout_ms,
    };
}

static struct http_options http_options(struct daemon *d)
{
    const struct config *config = d->config;
    return (struct http_options){
        .common = connections_options(d),
        .head_bytes_max = (size_t)config->head_bytes_max,
        .body_bytes_max = (size_t)config->body_bytes_max,
        .idle_timeout_ms = config->http_idle_timeout_ms,
        .head_timeout_ms = config->head_timeout_ms,
        .body_timeout_ms = config->body_timeout_ms,
        .turn = &d->rpc.turn,
        .guard = d->access.guard,
        .pages = {.metrics_cb = metrics_cb, .arg = d},
    };
}

static void open_doors(struct daemon *d)
{
    struct rpc_options rpc = rpc_options(d);
    struct http_options http = http_options(d);
    rpc_door_init(&d->rpc, &d->loop, &d->dispatch, &rpc);
    http_door_init(&d->http, &d->loop, &d->dispatch, &http);
    INVARIANT(uv_prepare_start(&d->turn_end, turn_end_cb) == 0);
    uv_unref((uv_handle_t *)&d->turn_end);
    INVARIANT(uv_timer_start(&d->second, second_cb, SECOND_MS, SECOND_MS) == 0);
    uv_unref((uv_handle_t *)&d->second);
}

/* --- start and end ---------------------------------------------------------------------------- */

/* Hand what may change while it runs to who has it. */
static void apply_config_cb(const struct peer_rules *rules, void *arg)
{
    struct daemon *d = arg;
    const struct config *config = d->config;
    struct committer_options committer = committer_options(d);
    struct readers_options readers = readers_options(d);
    access_use(&d->access, rules, config);
    entrances_adjust(&d->entrances);
    struct rpc_options rpc = rpc_options(d);
    struct http_options http = http_options(d);
    log_set_level((enum log_level)config_log_level(config->log_level));
    d->dispatch.options.require_request_id = config->require_request_id;
    if (d->dispatch.options.requests_per_second_max != config->requests_per_second_max) {
        d->dispatch.options.requests_per_second_max = config->requests_per_second_max;
        askers_forgive(&d->dispatch.askers);
    }
    d->dispatch.memory.bytes_max = (size_t)config->memory_max;
    d->dispatch.log.options = log_options(config);
    committer_adjust(d->committer, &committer);
    readers_adjust(d->readers, &readers);
    rpc_door_adjust(&d->rpc, &rpc);
    http_door_adjust(&d->http, &http);
    connections_apply_rules(&d->rpc.connections);
    connections_apply_rules(&d->http.connections);
}

static void stop(struct daemon *d)
{
    dispatch_close(&d->dispatch);
    readers_destroy(d->readers);
    committer_destroy(d->committer);
    jobs_destroy(d->jobs);
    if (d->committer != NULL) {
        completions_drain(&d->completions);
        completions_done(&d->completions);
        dispatch_done(&d->dispatch);
    }
    keyring_destroy(d->keyring);
    if (d->store != NULL) {
        store_close(d->store);
    }
}

static void be_ready(struct daemon *d)
{
    reload_start(&d->reload);
    watchdog_start(&d->watchdog, d->committer);
    notify_send(&d->notify, "READY=1\nSTATUS=Serving");
    log_info(LOG_DAEMON, "ready", LOG_TEXT("version", BILLING_VERSION),
             LOG_TEXT("data", d->config->data_dir), LOG_INT("pid", getpid()));
}

static int serve(struct daemon *d)
{
    start_loop(d);
    reload_init(&d->reload, &(struct reload_options){
                                .loop = &d->loop,
                                .config = d->config,
                                .command = d->command,
                                .notify = &d->notify,
                                .apply = apply_config_cb,
                                .arg = d,
                            });
    int rc = start_workers(d);
    if (rc == 0) {
        rc = start_dispatch(d);
    }
    open_doors(d);
    if (rc == 0) {
        rc = entrances_open(&d->entrances, &d->activation);
    }
    if (rc == 0) {
        be_ready(d);
    } else {
        entrances_close(&d->entrances);
        end_loop(d);
    }
    IGNORE(uv_run(&d->loop, UV_RUN_DEFAULT)); /* until everything is closed */
    return rc;
}

static void close_loop(struct daemon *d)
{
    wakeup_close(&d->wakeup);
    IGNORE(uv_run(&d->loop, UV_RUN_DEFAULT)); /* until it is closed */
    wakeup_done(&d->wakeup);
    INVARIANT(uv_loop_close(&d->loop) == 0);
}

/* By itself the allocator gives the end of its heap back at each pause and asks for it again at
 * each batch, and every page of it is cleared anew: a tenth of the loop's time.  trim_cb() does so
 * when it is quiet. */
static void keep_freed_memory(void)
{
    IGNORE(mallopt(M_TRIM_THRESHOLD, INT_MAX) == 0);
    IGNORE(mallopt(M_MMAP_THRESHOLD, MMAP_BYTES) == 0);
}

/* Before other threads.  Where it cannot be, the daemon does without. */
static void start_reports(struct daemon *d)
{
    const struct config *config = d->config;
    struct report_options options = {
        .dsn = config->sentry_dsn,
        .environment = config->sentry_environment,
        .version = BILLING_VERSION,
    };
    if (config->sentry_dsn == NULL || *config->sentry_dsn == '\0') {
        return;
    }
    int rc = report_create(&options, &d->report);
    if (rc < 0) {
        log_warning(LOG_DAEMON, "errors are reported nowhere",
                    LOG_TEXT("code", status_info(rc)->name));
    }
}

/* What the service manager has left in the environment. */
static int meet_manager(struct daemon *d)
{
    char reason[ACTIVATION_REASON_BYTES];
    const char *notify_socket = getenv("NOTIFY_SOCKET");
    if (notify_open(&d->notify) < 0 && notify_socket != NULL) {
        log_warning(LOG_DAEMON, "the service manager is told nothing: NOTIFY_SOCKET is of no use",
                    LOG_TEXT("NOTIFY_SOCKET", notify_socket));
    }
    int rc = activation_take(&d->activation, reason);
    if (rc < 0) {
        log_error(LOG_NET, "cannot take the sockets that were handed over",
                  LOG_TEXT("reason", reason));
    }
    return rc;
}

int daemon_run(struct config *config, const struct daemon_command *command)
{
    struct daemon d = {.config = config, .command = command};
    keep_freed_memory();
    start_reports(&d);
    IGNORE(signal(SIGPIPE, SIG_IGN) == SIG_ERR); /* cannot fail; a dead peer is an error code */
    IGNORE(signal(SIGXFSZ, SIG_IGN) == SIG_ERR); /* likewise; a file at its limit is one too */
    entrances_init(&d.entrances, config, &d.loop, &d.rpc.connections, &d.http.connections);
    int rc = access_load(&d.access, config);
    if (rc == 0) {
        rc = meet_manager(&d);
    }
    if (rc == 0) {
        rc = open_store(&d);
    }
    if (rc == 0) {
        rc = serve(&d);
        stop(&d);
        close_loop(&d);
    }
    if (rc == 0) {
        log_info(LOG_DAEMON, "stopped");
    }
    report_destroy(d.report, REPORT_FLUSH_MS);
    notify_close(&d.notify);
    log_catch_up();
    return rc == 0 ? EXIT_DONE : EXIT_NOT_STARTED;
}

static void say_found(const struct config *config, const struct store_found *found)
{
    if (!found->there) {
        log_info(LOG_STORE, "there is no store yet: the first start makes it",
                 LOG_TEXT("data", config->data_dir), LOG_TEXT("currency", config->currency));
        return;
    }
    if (found->cut_short) {
        log_warning(LOG_STORE, "the store's file is shorter than it is to be: a start will tell",
                    LOG_TEXT("data", config->data_dir));
        return;
    }
    if (found->to_be_upgraded) {
        log_info(LOG_STORE, "the store has an older format: the start changes it");
    }
    log_info(LOG_STORE, "there is a store", LOG_TEXT("data", config->data_dir),
             LOG_INT("journal_position", found->last_seq), LOG_TEXT("currency", config->currency));
}

int daemon_check(const struct config *config)
{
    struct store_options options = store_options(config);
    struct peer_rules rules;
    struct store_found found;
    struct errinfo reason = {""};
    int rc = access_rules(config, &rules);
    if (rc < 0) {
        return EXIT_NOT_STARTED; /* it has said why */
    }
    rc = store_look(config->store, &options, &found, &reason);
    if (rc < 0) {
        log_error(LOG_STORE, "cannot open the store", LOG_TEXT("reason", reason.message));
        return EXIT_NOT_STARTED;
    }
    say_found(config, &found);
    return EXIT_DONE;
}
