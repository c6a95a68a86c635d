#include "billingd/entrances.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "billingd/base/assert.h"
#include "billingd/base/log.h"
#include "billingd/net/listener.h"
#include "billingd/rpc/dispatch.h"

enum {
    /* Beside connections: 64 for store, listeners, loop and log, and for those that either door
     * tells that there are too many. */
    SPARE_DESCRIPTORS = 64 + 2 * 64,
};

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

/* Those who have shown no key may have a quarter of the connections. */
static void set_connections_max(struct entrances *entrances)
{
    entrances->connections_max = fit_connections(entrances->config->connections_max);
    entrances->newcomers.n_max =
        entrances->connections_max < 4 ? 1 : entrances->connections_max / 4;
}

void entrances_init(struct entrances *entrances, const struct config *config, uv_loop_t *loop,
                    struct connections *rpc, struct connections *http)
{
    *entrances = (struct entrances){
        .config = config,
        .loop = loop,
        .rpc = rpc,
        .http = http,
    };
    set_connections_max(entrances);
}

/* --- letting in ------------------------------------------------------------------------------- */

/* Where all connections are taken, one that has shown no key makes way, if there is one. */
static struct admission admission_of(struct entrance *entrance)
{
    struct entrances *entrances = entrance->entrances;
    const struct dispatch *dispatch = entrance->door->dispatch;
    return (struct admission){
        .has_room = dispatch->stats.connections < entrances->connections_max ||
                    newcomers_turn_away(&entrances->newcomers),
        .needs_key = &entrance->needs_key,
        .newcomers = &entrances->newcomers,
    };
}

static void accept_cb(uv_stream_t *server, void *arg)
{
    struct entrance *entrance = arg;
    connections_accept(entrance->door, server, admission_of(entrance));
}

/* --- listening -------------------------------------------------------------------------------- */

static void say_listening(const struct listener *listener, bool is_http)
{
    const char *rpc = listener_is_unix(listener) ? "unix" : "tcp";
    log_info(LOG_NET, "listening", LOG_TEXT("door", is_http ? "http" : rpc),
             LOG_TEXT("address", listener_address(listener)));
}

/* Whether LISTENER's connections have to bring a key: on a Unix socket the kernel says who it
 * is. */
static bool needs_key(const struct entrances *entrances, const struct listener *listener)
{
    return !listener_is_unix(listener) &&
           (entrances->config->require_auth || !listener_is_local(listener));
}

/* At ADDRESS, or on FD where ADDRESS is NULL. */
static int listen_at(struct entrances *entrances, bool is_http, const char *address, int fd)
{
    char reason[LISTENER_REASON_BYTES];
    struct entrance *entrance = &entrances->all[entrances->n];
    struct listener_options options = {
        .loop = entrances->loop,
        .socket_mode = (mode_t)entrances->config->socket_mode,
        .accept_cb = accept_cb,
        .arg = entrance,
    };
    int rc = address == NULL ? listener_adopt(fd, &options, &entrance->listener, reason)
                             : listener_open(address, &options, &entrance->listener, reason);
    if (rc < 0) {
        log_error(LOG_NET, "cannot listen", LOG_TEXT("door", is_http ? "http" : "rpc"),
                  LOG_TEXT("reason", reason));
        return rc;
    }
    entrances->n++;
    entrance->entrances = entrances;
    entrance->door = is_http ? entrances->http : entrances->rpc;
    entrance->needs_key = needs_key(entrances, entrance->listener);
    say_listening(entrance->listener, is_http);
    return 0;
}

/* What the manager hands over keeps the rule that config_check() holds over what is configured. */
static int check_reach(const struct entrances *entrances, const struct listener *listener)
{
    if (listener_is_local(listener) || entrances->config->allow_insecure) {
        return 0;
    }
    log_error(LOG_NET,
              "a socket that was handed over can be reached from other hosts, and nothing there is "
              "encrypted; refused unless allow_insecure is true",
              LOG_TEXT("address", listener_address(listener)));
    return STATUS_OUT_OF_BOUNDS;
}

static int listen_on_handed_over(struct entrances *entrances, const struct activation *handed_over)
{
    int rc = 0;
    for (unsigned i = 0; i < handed_over->n && rc == 0; i++) {
        bool is_http = handed_over->sockets[i].kind == ACTIVATION_HTTP;
        rc = listen_at(entrances, is_http, NULL, handed_over->sockets[i].fd);
        if (rc == 0) {
            rc = check_reach(entrances, entrances->all[entrances->n - 1].listener);
        }
    }
    return rc;
}

int entrances_open(struct entrances *entrances, const struct activation *handed_over)
{
    const struct config *config = entrances->config;
    int rc = listen_on_handed_over(entrances, handed_over);
    for (unsigned i = 0; i < config->listen.n && rc == 0; i++) {
        const char *address = config->listen.items[i];
        bool is_unix = strncmp(address, "unix:", 5) == 0;
        if (!activation_has(handed_over, is_unix ? ACTIVATION_UNIX : ACTIVATION_TCP)) {
            rc = listen_at(entrances, false, address, -1);
        }
    }
    for (unsigned i = 0; i < config->http.n && rc == 0; i++) {
        char address[160];
        IGNORE(snprintf(address, sizeof address, "tcp:%s", config->http.items[i]) < 0); /* fits */
        if (!activation_has(handed_over, ACTIVATION_HTTP)) {
            rc = listen_at(entrances, true, address, -1);
        }
    }
    return rc;
}

void entrances_adjust(struct entrances *entrances)
{
    for (unsigned i = 0; i < entrances->n; i++) {
        entrances->all[i].needs_key = needs_key(entrances, entrances->all[i].listener);
    }
    set_connections_max(entrances);
}

void entrances_close(struct entrances *entrances)
{
    for (unsigned i = 0; i < entrances->n; i++) {
        listener_close(entrances->all[i].listener);
    }
    entrances->n = 0;
}
