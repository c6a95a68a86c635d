/* The order of things:
 *   store, committer, readers, dispatch, doors, listeners; then "ready".
 *   SIGTERM: listeners close; dispatch refuses what is new; doors finish what is in flight; when
 *   nothing is left, or after drain_timeout, the loop ends; readers, committer, store. */
#include "billingd/daemon.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <uv.h>

#include "billingd/base/assert.h"
#include "billingd/base/clock.h"
#include "billingd/base/log.h"
#include "billingd/commit/committer.h"
#include "billingd/commit/completions.h"
#include "billingd/commit/readers.h"
#include "billingd/ledger/currency.h"
#include "billingd/net/http_connection.h"
#include "billingd/net/listener.h"
#include "billingd/net/rpc_connection.h"
#include "billingd/net/wakeup.h"
#include "billingd/rpc/dispatch.h"
#include "billingd/store/store.h"

enum {
    LISTENERS_MAX = 2 * CONFIG_LISTEN_MAX,
    /* Beside connections: 64 for store, listeners, loop and log, and for those that either door
     * tells that there are too many. */
    SPARE_DESCRIPTORS = 64 + 2 * 64,
    MMAP_BYTES = 32 * 1024 * 1024, /* what is larger is given back at once */
    TRIM_MS = 2000, /* without a request: then freed memory goes back to the system */
};

struct daemon {
    const struct config *config;
    size_t connections_max; /* as far as there are descriptors */

    struct store *store;
    struct completions completions;
    struct committer *committer;
    struct readers *readers;
    struct dispatch dispatch;

    uv_loop_t loop;
    struct wakeup wakeup;  /* workers have something for the completions */
    uv_signal_t terminate; /* SIGTERM */
    uv_signal_t interrupt; /* SIGINT */
    uv_timer_t drain_timer;
    uv_timer_t trim_timer;
    uint64_t trim_requests; /* that had come in when trim_timer last looked */
    uv_prepare_t turn_end;  /* hands on what a turn of the loop has gathered */
    uv_check_t drained;     /* looks whether the last one is gone */
    bool draining;
    bool ending;

    struct rpc_door rpc;
    struct http_door http;
    struct listener *listeners[LISTENERS_MAX];
    unsigned n_listeners;
};

/* --- store and workers ------------------------------------------------------------------------ */

static int open_store(struct daemon *d)
{
    const struct config *config = d->config;
    struct errinfo reason;
    struct store_options options = {
        .data_dir = config->data_dir,
        .map_bytes = (uint64_t)config->map_bytes,
        .readers_max = (unsigned)config->readers + 1, /* and one for the start */
        .currency = config->currency,
        .now_us = clock_wall_us(),
    };
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
    (void)arg;
    log_error(LOG_COMMIT, "storage failed, outcome unknown, ending",
              LOG_TEXT("code", status_info(status)->name));
    _exit(EXIT_STORAGE_FAILED);
}

static void wake_cb(void *arg)
{
    struct daemon *d = arg;
    wakeup_send(&d->wakeup);
}

static int start_workers(struct daemon *d)
{
    const struct config *config = d->config;
    struct ledger_env env = {
        .currency = config->currency,
        .minor_digits = currency_minor_digits(config->currency),
        .catalogue_listed = config_catalogue_listed(config->catalogue) == 1,
    };
    struct committer_options committer = {
        .store = d->store,
        .env = env,
        .completions = &d->completions,
        .queue_ops_max = (size_t)config->queue_ops_max,
        .queue_bytes_max = (size_t)config->queue_bytes_max,
        .group_ops_max = (size_t)config->group_ops_max,
        .group_bytes_max = (size_t)config->group_bytes_max,
        .failed = storage_failed_cb,
    };
    struct readers_options readers = {
        .store = d->store,
        .env = env,
        .completions = &d->completions,
        .threads = (unsigned)config->readers,
        .queue_ops_max = (size_t)config->queue_ops_max,
        .queue_bytes_max = (size_t)config->queue_bytes_max,
    };
    completions_init(&d->completions, wake_cb, d);
    int rc = committer_create(&committer, &d->committer);
    return rc < 0 ? rc : readers_create(&readers, &d->readers);
}

static int start_dispatch(struct daemon *d)
{
    struct store_view *view;
    struct store_info info;
    struct dispatch_options options = {
        .committer = d->committer,
        .readers = d->readers,
        .require_request_id = d->config->require_request_id,
        .version = BILLING_VERSION,
        .started_at_us = clock_wall_us(),
        .currency = d->config->currency,
    };
    int rc = store_snapshot(d->store, &view);
    if (rc < 0) {
        return rc;
    }
    rc = store_info(view, &info);
    store_release(view);
    dispatch_init(&d->dispatch, &options, info.id_key);
    return rc;
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

static void woken_cb(void *arg)
{
    struct daemon *d = arg;
    completions_drain(&d->completions);
    expect_trim(d);
}

/* Requests that came together are begun together, then answers that came together are written
 * together, which lets further requests in. */
static void turn_end_cb(uv_prepare_t *prepare)
{
    struct daemon *d = prepare->data;
    dispatch_flush(&d->dispatch);
    rpc_door_flush(&d->rpc);
    dispatch_flush(&d->dispatch);
}

static void end_loop(struct daemon *d)
{
    d->ending = true;
    rpc_door_close(&d->rpc);
    http_door_close(&d->http);
    uv_close((uv_handle_t *)&d->terminate, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->drain_timer, NULL);
    uv_close((uv_handle_t *)&d->trim_timer, NULL);
    uv_close((uv_handle_t *)&d->turn_end, NULL);
    uv_close((uv_handle_t *)&d->drained, NULL);
}

static void drained_cb(uv_check_t *check)
{
    struct daemon *d = check->data;
    if (d->rpc.n == 0 && http_door_count(&d->http) == 0 && d->dispatch.stats.in_flight == 0) {
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

static void close_listeners(struct daemon *d)
{
    for (unsigned i = 0; i < d->n_listeners; i++) {
        listener_close(d->listeners[i]);
    }
    d->n_listeners = 0;
}

static void drain_cb(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;
    if (d->draining) {
        return;
    }
    d->draining = true;
    log_info(LOG_DAEMON, "draining", LOG_TEXT("signal", number == SIGINT ? "SIGINT" : "SIGTERM"),
             LOG_INT("connections", d->dispatch.stats.connections));
    close_listeners(d);
    dispatch_drain(&d->dispatch);
    rpc_door_drain(&d->rpc);
    http_door_drain(&d->http);
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
    INVARIANT(uv_timer_init(&d->loop, &d->drain_timer) == 0);
    INVARIANT(uv_timer_init(&d->loop, &d->trim_timer) == 0);
    INVARIANT(uv_prepare_init(&d->loop, &d->turn_end) == 0);
    INVARIANT(uv_check_init(&d->loop, &d->drained) == 0);
    d->terminate.data = d;
    d->interrupt.data = d;
    d->drain_timer.data = d;
    d->trim_timer.data = d;
    d->turn_end.data = d;
    d->drained.data = d;
    INVARIANT(uv_signal_start(&d->terminate, drain_cb, SIGTERM) == 0);
    INVARIANT(uv_signal_start(&d->interrupt, drain_cb, SIGINT) == 0);
}

/* --- doors ------------------------------------------------------------------------------------ */

static bool has_room(const struct daemon *d)
{
    return d->dispatch.stats.connections < d->connections_max;
}

static void rpc_accept_cb(uv_stream_t *server, void *arg)
{
    struct daemon *d = arg;
    rpc_door_accept(&d->rpc, server, has_room(d));
}

static void http_accept_cb(uv_stream_t *server, void *arg)
{
    struct daemon *d = arg;
    http_door_accept(&d->http, server, has_room(d));
}

static void open_doors(struct daemon *d)
{
    const struct config *config = d->config;
    struct rpc_options rpc = {
        .frame_bytes_max = (size_t)config->frame_bytes_max,
        .pipeline_max = (unsigned)config->pipeline_max,
        .frame_timeout_ms = config->frame_timeout_ms,
        .idle_timeout_ms = config->idle_timeout_ms,
        .write_timeout_ms = config->write_timeout_ms,
    };
    struct http_options http = {
        .head_bytes_max = (size_t)config->head_bytes_max,
        .body_bytes_max = (size_t)config->body_bytes_max,
        .idle_timeout_ms = config->http_idle_timeout_ms,
        .head_timeout_ms = config->head_timeout_ms,
        .body_timeout_ms = config->body_timeout_ms,
        .write_timeout_ms = config->write_timeout_ms,
    };
    rpc_door_init(&d->rpc, &d->loop, &d->dispatch, &rpc);
    http_door_init(&d->http, &d->loop, &d->dispatch, &http);
    INVARIANT(uv_prepare_start(&d->turn_end, turn_end_cb) == 0);
    uv_unref((uv_handle_t *)&d->turn_end);
}

static int listen_at(struct daemon *d, const char *door, const char *address,
                     listener_accept_fn accept_cb)
{
    char reason[LISTENER_REASON_BYTES];
    struct listener_options options = {
        .loop = &d->loop,
        .socket_mode = (mode_t)d->config->socket_mode,
        .accept_cb = accept_cb,
        .arg = d,
    };
    struct listener **slot = &d->listeners[d->n_listeners];
    int rc = listener_open(address, &options, slot, reason);
    if (rc < 0) {
        log_error(LOG_NET, "cannot listen", LOG_TEXT("door", door), LOG_TEXT("reason", reason));
        return rc;
    }
    d->n_listeners++;
    if (strcmp(door, "rpc") == 0) {
        door = listener_is_unix(*slot) ? "unix" : "tcp";
    }
    log_info(LOG_NET, "listening", LOG_TEXT("door", door),
             LOG_TEXT("address", listener_address(*slot)));
    return 0;
}

static int listen_everywhere(struct daemon *d)
{
    const struct config *config = d->config;
    int rc = 0;
    for (unsigned i = 0; i < config->listen.n && rc == 0; i++) {
        rc = listen_at(d, "rpc", config->listen.items[i], rpc_accept_cb);
    }
    for (unsigned i = 0; i < config->http.n && rc == 0; i++) {
        char address[160];
        IGNORE(snprintf(address, sizeof address, "tcp:%s", config->http.items[i]) < 0); /* fits */
        rc = listen_at(d, "http", address, http_accept_cb);
    }
    return rc;
}

/* --- start and end ---------------------------------------------------------------------------- */

/* At the descriptor limit libuv drops clients without a word: so it is raised beyond what
 * connections_max lets in, or connections_max lowered to what it allows. */
static size_t fit_connections(int64_t connections_max)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections_max + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted) {
        return (size_t)connections_max;
    }
    limit.rlim_cur = limit.rlim_max >= wanted ? wanted : limit.rlim_max;
    IGNORE(setrlimit(RLIMIT_NOFILE, &limit) < 0); /* what holds is asked below */
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted) {
        return (size_t)connections_max;
    }
    size_t fitting = limit.rlim_cur / 2 > SPARE_DESCRIPTORS ? limit.rlim_cur - SPARE_DESCRIPTORS
                                                            : limit.rlim_cur / 2;
    log_warning(LOG_DAEMON, "fewer connections than connections_max: few descriptors",
                LOG_INT("descriptors", limit.rlim_cur), LOG_INT("connections", fitting));
    return fitting;
}

static void stop(struct daemon *d)
{
    dispatch_close(&d->dispatch);
    readers_destroy(d->readers);
    committer_destroy(d->committer);
    if (d->committer != NULL) {
        completions_drain(&d->completions);
        completions_done(&d->completions);
        request_spares_free(&d->dispatch.spares);
    }
    if (d->store != NULL) {
        store_close(d->store);
    }
}

static int serve(struct daemon *d)
{
    start_loop(d);
    int rc = start_workers(d);
    if (rc == 0) {
        rc = start_dispatch(d);
    }
    open_doors(d);
    if (rc == 0) {
        rc = listen_everywhere(d);
    }
    if (rc == 0) {
        log_info(LOG_DAEMON, "ready", LOG_TEXT("version", BILLING_VERSION),
                 LOG_TEXT("data", d->config->data_dir), LOG_INT("pid", getpid()));
    } else {
        close_listeners(d);
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

int daemon_run(const struct config *config)
{
    struct daemon d = {.config = config};
    keep_freed_memory();
    IGNORE(signal(SIGPIPE, SIG_IGN) == SIG_ERR); /* cannot fail; a dead peer is an error code */
    IGNORE(signal(SIGXFSZ, SIG_IGN) == SIG_ERR); /* likewise; a file at its limit is one too */
    d.connections_max = fit_connections(config->connections_max);
    int rc = open_store(&d);
    if (rc == 0) {
        rc = serve(&d);
        stop(&d);
        close_loop(&d);
    }
    if (rc == 0) {
        log_info(LOG_DAEMON, "stopped");
    }
    return rc == 0 ? EXIT_DONE : EXIT_NOT_STARTED;
}

int daemon_check(const struct config *config)
{
    struct daemon d = {.config = config};
    if (open_store(&d) < 0) {
        return EXIT_NOT_STARTED;
    }
    store_close(d.store);
    return EXIT_DONE;
}
