#include "billingd/access.h"

#include <string.h>

#include "billingd/base/assert.h"
#include "billingd/base/log.h"

static int add_rules(struct peer_rules *rules, const char *option, const struct config_list *list,
                     enum role role)
{
    char reason[PEER_REASON_BYTES];
    for (unsigned i = 0; i < list->n; i++) {
        if (peer_rules_add(rules, list->items[i], role, reason) < 0) {
            log_error(LOG_DAEMON, "cannot tell who may", LOG_TEXT("option", option),
                      LOG_TEXT("entry", list->items[i]), LOG_TEXT("reason", reason));
            return STATUS_OUT_OF_BOUNDS;
        }
    }
    return 0;
}

int access_rules(const struct config *config, struct peer_rules *ret)
{
    *ret = (struct peer_rules){.fallback = (enum role)config_default_role(config->unix_default)};
    int rc = add_rules(ret, "unix_admins", &config->unix_admins, ROLE_ADMIN);
    if (rc == 0) {
        rc = add_rules(ret, "unix_writers", &config->unix_writers, ROLE_WRITER);
    }
    return rc < 0 ? rc : add_rules(ret, "unix_readers", &config->unix_readers, ROLE_READER);
}

/* The host of ADDRESS, HOST:PORT, in RET: with the brackets around it, as a Host header has it. */
static void copy_host(const char *address, char ret[ACCESS_HOST_BYTES])
{
    const char *colon = strrchr(address, ':');
    INVARIANT(colon != NULL && colon - address < ACCESS_HOST_BYTES); /* it was checked */
    memcpy(ret, address, (size_t)(colon - address));
    ret[colon - address] = '\0';
}

static void name_hosts(struct access *access, const struct config *config)
{
    static const char *const usual[] = {"localhost", "127.0.0.1", "[::1]"};
    unsigned n = 0;
    for (unsigned i = 0; i < config->http_hosts.n; i++) {
        access->hosts[n++] = config->http_hosts.items[i];
    }
    for (unsigned i = 0; i < sizeof usual / sizeof usual[0] && config->http_hosts.n == 0; i++) {
        access->hosts[n++] = usual[i];
    }
    for (unsigned i = 0; i < config->http.n && config->http_hosts.n == 0; i++) {
        copy_host(config->http.items[i], access->listeners[i]);
        access->hosts[n++] = access->listeners[i];
    }
    access->guard = (struct http_guard){
        .hosts = access->hosts,
        .n_hosts = n,
        .origins = (const char *const *)config->http_origins.items,
        .n_origins = config->http_origins.n,
    };
}

void access_use(struct access *access, const struct peer_rules *rules, const struct config *config)
{
    access->peers = *rules;
    name_hosts(access, config);
}

int access_load(struct access *access, const struct config *config)
{
    struct peer_rules peers;
    int rc = access_rules(config, &peers);
    if (rc == 0) {
        access_use(access, &peers, config);
    }
    return rc;
}
