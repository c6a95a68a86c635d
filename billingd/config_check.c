#include "billingd/config_check.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "billingd/base/log.h"
#include "billingd/ledger/currency.h"
#include "billingd/net/peer.h"
#include "billingd/report/dsn.h"
#include "billingd/store/store.h"

enum {
    SOCKET_PATH_BYTES_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1, /* 107 */
    ORIGIN_BYTES_MAX = 300, /* 253 of a host's name, and around it */
    /* Of a request, beside itself: what it is parsed into, and its answer. */
    MEMORY_OF_A_REQUEST = 8,
};

/* Say it where OPTION got its value. */
#define PROBLEM(load, option, ...)                                                                 \
    config_problem(load, *config_option_origin(load, config_option_by_name(option)), option,       \
                   __VA_ARGS__)

/* --- addresses -------------------------------------------------------------------------------- */

static bool port_is_valid(const char *port)
{
    size_t digits = strspn(port, "0123456789");
    return digits >= 1 && digits <= 5 && port[digits] == '\0' && strtoul(port, NULL, 10) <= 65535;
}

/* The LENGTH bytes at HOST as one of the forms that are allowed.  Returns 0 or
 * STATUS_OUT_OF_BOUNDS. */
static int parse_host(const char *host, size_t length, bool brackets, bool *ret_loopback)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (length >= sizeof text) {
        return STATUS_OUT_OF_BOUNDS;
    }
    memcpy(text, host, length);
    text[length] = '\0';
    if (brackets) {
        if (inet_pton(AF_INET6, text, &v6) != 1) {
            return STATUS_OUT_OF_BOUNDS;
        }
        *ret_loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    } else if (strcmp(text, "localhost") == 0) {
        *ret_loopback = true;
    } else if (inet_pton(AF_INET, text, &v4) == 1) {
        *ret_loopback = ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
    } else {
        return STATUS_OUT_OF_BOUNDS;
    }
    return 0;
}

/* "HOST:PORT".  Returns 0 or STATUS_OUT_OF_BOUNDS with what is wrong with it. */
static int parse_address(const char *address, bool *ret_loopback, const char **ret_what)
{
    bool brackets = *address == '[';
    const char *host = address + brackets;
    size_t length = strcspn(host, brackets ? "]" : ":");
    const char *behind = host + length;
    *ret_what = "the host is to be an IPv4 address, an IPv6 address in [ ], or localhost";
    if (brackets && *behind == ']') {
        behind++;
    }
    if (*behind != ':') {
        *ret_what = "it is to end in ':' and a port";
        return STATUS_OUT_OF_BOUNDS;
    }
    if (parse_host(host, length, brackets, ret_loopback) < 0) {
        return STATUS_OUT_OF_BOUNDS;
    }
    *ret_what = "the port is to be a number from 0 to 65535";
    return port_is_valid(behind + 1) ? 0 : STATUS_OUT_OF_BOUNDS;
}

static void check_address(struct config_load *load, const char *option, const char *entry,
                          const char *address)
{
    bool loopback;
    const char *what;
    if (parse_address(address, &loopback, &what) < 0) {
        PROBLEM(load, option, "'%s': %s", entry, what);
    } else if (!loopback && !load->config->allow_insecure) {
        PROBLEM(
            load, option,
            "'%s' can be reached from other hosts, and nothing here is encrypted: whoever is on "
            "the way could read everything, API keys too; refused unless allow_insecure is "
            "true (--allow-insecure)",
            entry);
    }
}

static void check_listen_entry(struct config_load *load, const char *entry)
{
    if (strncmp(entry, "tcp:", 4) == 0) {
        check_address(load, "listen", entry, entry + 4);
    } else if (strncmp(entry, "unix:", 5) != 0) {
        PROBLEM(load, "listen", "'%s' is neither unix:PATH nor tcp:HOST:PORT", entry);
    } else if (entry[5] == '\0' || strlen(entry + 5) > SOCKET_PATH_BYTES_MAX) {
        PROBLEM(load, "listen", "'%s': the path has %zu bytes, and is to have 1 to %d", entry,
                strlen(entry + 5), SOCKET_PATH_BYTES_MAX);
    }
}

static void check_http_entry(struct config_load *load, const char *entry)
{
    check_address(load, "http", entry, entry);
}

/* Each entry by itself, and none twice but where the kernel chooses another port each time. */
static void check_list(struct config_load *load, const char *option, const struct config_list *list,
                       void (*check_entry)(struct config_load *load, const char *entry))
{
    for (unsigned i = 0; i < list->n; i++) {
        const char *entry = list->items[i];
        size_t length = strlen(entry);
        bool any_port = length >= 2 && strcmp(entry + length - 2, ":0") == 0;
        check_entry(load, entry);
        for (unsigned j = 0; j < i && !any_port; j++) {
            if (strcmp(entry, list->items[j]) == 0) {
                PROBLEM(load, option, "'%s' stands there twice", entry);
                break;
            }
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void check_store(struct config_load *load)
{
    struct errinfo reason;
    if (store_check(load->config->store, &reason) < 0) {
        PROBLEM(load, "store", "%s", reason.message);
    }
}

static void check_currency(struct config_load *load)
{
    const char *code = load->config->currency;
    if (strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || currency_minor_digits(code) < 0) {
        PROBLEM(load, "currency", "'%s' is not the code of a currency (ISO 4217, as in USD)", code);
    }
}

int config_log_level(const char *name)
{
    static const char *const names[] = {
        [LOG_LEVEL_DEBUG] = "debug",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_ERROR] = "error",
    };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return (int)i;
        }
    }
    return STATUS_OUT_OF_BOUNDS;
}

int config_log_format(const char *name)
{
    if (strcmp(name, "json") == 0) {
        return LOG_JSON;
    }
    return strcmp(name, "logfmt") == 0 ? LOG_LOGFMT : STATUS_OUT_OF_BOUNDS;
}

int config_catalogue_listed(const char *name)
{
    bool listed = strcmp(name, "listed") == 0;
    return listed || strcmp(name, "open") == 0 ? listed : STATUS_OUT_OF_BOUNDS;
}

static void check_catalogue(struct config_load *load)
{
    if (config_catalogue_listed(load->config->catalogue) < 0) {
        PROBLEM(load, "catalogue", "'%s' is none of open, listed", load->config->catalogue);
    }
}

static void check_log_level(struct config_load *load)
{
    if (config_log_level(load->config->log_level) < 0) {
        PROBLEM(load, "log_level", "'%s' is none of debug, info, warning, error",
                load->config->log_level);
    }
}

static void check_log_format(struct config_load *load)
{
    if (config_log_format(load->config->log_format) < 0) {
        PROBLEM(load, "log_format", "'%s' is none of logfmt, json", load->config->log_format);
    }
}

/* --- who may ---------------------------------------------------------------------------------- */

int config_default_role(const char *name)
{
    static const char *const names[] = {
        [ROLE_NONE] = "none",
        [ROLE_READER] = "reader",
        [ROLE_WRITER] = "writer",
    };
    for (int role = ROLE_NONE; role <= ROLE_WRITER; role++) {
        if (strcmp(name, names[role]) == 0) {
            return role;
        }
    }
    return STATUS_OUT_OF_BOUNDS;
}

static void check_peers(struct config_load *load, struct peer_rules *rules, const char *option,
                        const struct config_list *list)
{
    char reason[PEER_REASON_BYTES];
    for (unsigned i = 0; i < list->n; i++) {
        if (peer_rules_add(rules, list->items[i], ROLE_READER, reason) < 0) {
            PROBLEM(load, option, "'%s': %s", list->items[i], reason);
        }
    }
}

static void check_roles(struct config_load *load)
{
    struct peer_rules rules = {0};
    check_peers(load, &rules, "unix_admins", &load->config->unix_admins);
    check_peers(load, &rules, "unix_writers", &load->config->unix_writers);
    check_peers(load, &rules, "unix_readers", &load->config->unix_readers);
    if (config_default_role(load->config->unix_default) < 0) {
        PROBLEM(load, "unix_default", "'%s' is none of none, reader, writer",
                load->config->unix_default);
    }
}

/* A name as a Host header has it, but for the port. */
static void check_host(struct config_load *load, const char *entry)
{
    static const char bytes[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    bool brackets = entry[0] == '[';
    bool loopback;
    bool valid = brackets ? strlen(entry) > 2 && entry[strlen(entry) - 1] == ']' &&
                                parse_host(entry + 1, strlen(entry) - 2, true, &loopback) == 0
                          : entry[strspn(entry, bytes)] == '\0';
    if (!valid) {
        PROBLEM(load, "http_hosts",
                "'%s' is to be a name or an address, of IPv6 in [ ], without a port", entry);
    }
}

/* Whether TEXT is a host, or a host and a port, as an origin has them; the port, or NULL. */
static bool parse_origin_host(const char *text, const char **ret_port)
{
    static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    bool brackets = *text == '[';
    bool loopback;
    size_t length = brackets ? strcspn(text, "]") + 1 : strspn(text, bytes);
    if (brackets ? length > strlen(text) || parse_host(text + 1, length - 2, true, &loopback) < 0
                 : length == 0) {
        return false;
    }
    *ret_port = text[length] == ':' ? text + length + 1 : NULL;
    return *ret_port == NULL ? text[length] == '\0' : **ret_port != '0' && port_is_valid(*ret_port);
}

static bool is_usual_port(const char *origin, const char *port)
{
    return (strncmp(origin, "http:", 5) == 0 && strcmp(port, "80") == 0) ||
           (strncmp(origin, "https:", 6) == 0 && strcmp(port, "443") == 0);
}

/* As browsers write it: in lower case, nothing behind host and port, and no port that goes without
 * saying. */
static void check_origin(struct config_load *load, const char *entry)
{
    const char *host = strstr(entry, "://");
    const char *port = NULL;
    size_t scheme = strspn(entry, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
    if (host == NULL || scheme == 0 || entry + scheme != host ||
        !parse_origin_host(host + 3, &port) || strlen(entry) > ORIGIN_BYTES_MAX) {
        PROBLEM(load, "http_origins",
                "'%s' is to be scheme://host or scheme://host:port in lower case, with nothing "
                "behind it, of at most %d bytes",
                entry, ORIGIN_BYTES_MAX);
    } else if (port != NULL && is_usual_port(entry, port)) {
        PROBLEM(load, "http_origins",
                "'%s': browsers never say the usual port of a scheme: write it without ':%s'",
                entry, port);
    }
}

/* --- reports ---------------------------------------------------------------------------------- */

static void check_sentry_dsn(struct config_load *load)
{
    struct report_dsn dsn;
    const char *text = load->config->sentry_dsn;
    const char *what;
    if (text != NULL && *text != '\0' && report_dsn_parse(text, &dsn, &what) < 0) {
        /* It holds a secret, which is not shown. */
        PROBLEM(load, "sentry_dsn", "this is not a DSN, https://KEY@HOST/PROJECT: %s", what);
    }
}

static void check_sentry_environment(struct config_load *load)
{
    const char *name = load->config->sentry_environment;
    if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") !=
        strlen(name)) {
        PROBLEM(load, "sentry_environment",
                "'%s' has other characters than letters, digits, '.', '_' and '-'", name);
    }
}

/* --- what goes together ----------------------------------------------------------------------- */

/* A request that passes the door but never fits into the queue would be told to try again for
 * ever. */
static void check_fits_queue(struct config_load *load, const char *option, int64_t bytes)
{
    if (bytes > load->config->queue_bytes_max) {
        PROBLEM(load, "queue_bytes_max",
                "%" PRId64 " bytes are less than one request may have: %s is %" PRId64,
                load->config->queue_bytes_max, option, bytes);
    }
}

static void check_fits_memory(struct config_load *load, const char *option, int64_t bytes)
{
    if (bytes > load->config->memory_max / MEMORY_OF_A_REQUEST) {
        PROBLEM(load, "memory_max",
                "%" PRId64
                " bytes are less than %d times what one request may have: %s is %" PRId64,
                load->config->memory_max, MEMORY_OF_A_REQUEST, option, bytes);
    }
}

void config_check(struct config_load *load)
{
    const struct config *config = load->config;
    check_list(load, "listen", &config->listen, check_listen_entry);
    check_list(load, "http", &config->http, check_http_entry);
    check_list(load, "http_hosts", &config->http_hosts, check_host);
    check_list(load, "http_origins", &config->http_origins, check_origin);
    check_roles(load);
    check_store(load);
    check_currency(load);
    check_catalogue(load);
    check_log_level(load);
    check_log_format(load);
    check_sentry_dsn(load);
    check_sentry_environment(load);
    check_fits_queue(load, "frame_bytes_max", config->frame_bytes_max);
    check_fits_queue(load, "body_bytes_max", config->body_bytes_max);
    check_fits_memory(load, "frame_bytes_max", config->frame_bytes_max);
    check_fits_memory(load, "body_bytes_max", config->body_bytes_max);
}
