#include "billingd/config_options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "billingd/base/assert.h"
#include "billingd/report/dsn.h"
#include "proto/limits.h"

/* --- the table -------------------------------------------------------------------------------- */

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define DAY_MS INT64_C(86400000)

/* As many as Linux gives a process descriptors (fs.nr_open). */
#define DESCRIPTORS_MAX INT64_C(1048576)

/* More than this waiting or in one commit helps nobody. */
#define OPS_MAX INT64_C(1048576)

/* Beyond what one daemon answers. */
#define RATE_MAX INT64_C(10000000)

/* A request is kept whole in memory, and so is what it is parsed into. */
#define REQUEST_BYTES_MAX (128 * MIB)

#define AT(field) offsetof(struct config, field)

/* The order is that of --help.  No maximum is INT64_MAX: libconfig makes that of numbers that are
 * larger than it can hold, and they have to be refused. */
const struct config_option config_options[] = {
    /* --- on the command line alone --- */
    {"config", CONFIG_TEXT, CONFIG_ARGUMENT, AT(config_file), NULL, 1, CONFIG_TEXT_BYTES_MAX,
     "FILE", "read options from FILE; those of the command line win"},
    {"check", CONFIG_FLAG, CONFIG_ARGUMENT, AT(check), "false", 0, 1, NULL,
     "check the options and that the data directory is free, then end"},
    {"version", CONFIG_FLAG, CONFIG_ARGUMENT, AT(version), "false", 0, 1, NULL,
     "print the version and end"},
    {"help", CONFIG_FLAG, CONFIG_ARGUMENT, AT(help), "false", 0, 1, NULL, "print this and end"},

    /* --- where --- */
    {"data_dir", CONFIG_TEXT, CONFIG_RESTART, AT(data_dir), NULL, 1, CONFIG_TEXT_BYTES_MAX, "DIR",
     "where everything is kept; default: the state directory, see billingd(8)"},
    {"store", CONFIG_TEXT, CONFIG_RESTART, AT(store), "lmdb:", 1, CONFIG_TEXT_BYTES_MAX, "URI",
     "the storage engine"},
    {"listen", CONFIG_LIST, CONFIG_RESTART, AT(listen), NULL, 1, CONFIG_LISTEN_MAX, "ADDRESS",
     "unix:PATH or tcp:HOST:PORT; again for more; default: a socket in the runtime directory"},
    {"http", CONFIG_LIST, CONFIG_RESTART, AT(http), NULL, 1, CONFIG_LISTEN_MAX, "HOST:PORT",
     "serve HTTP there; again for more; default: nowhere"},
    {"allow_insecure", CONFIG_FLAG, CONFIG_RESTART, AT(allow_insecure), "false", 0, 1, NULL,
     "let tcp: and http be reached from other hosts, though nothing there is encrypted"},
    {"socket_mode", CONFIG_MODE, CONFIG_RESTART, AT(socket_mode), "0660", 0, 0777, "MODE",
     "permissions of the Unix socket, octal"},

    /* --- who may --- */
    {"require_auth", CONFIG_FLAG, CONFIG_RELOAD, AT(require_auth), "false", 0, 1, NULL,
     "ask for an API key on loopback too; elsewhere TCP and HTTP always do"},
    {"unix_admins", CONFIG_LIST, CONFIG_RELOAD, AT(unix_admins), NULL, 1, CONFIG_LIST_MAX, "WHO",
     "on the Unix socket, who may do all: user:NAME or group:NAME; again for more"},
    {"unix_writers", CONFIG_LIST, CONFIG_RELOAD, AT(unix_writers), NULL, 1, CONFIG_LIST_MAX, "WHO",
     "on the Unix socket, who may read and record; likewise"},
    {"unix_readers", CONFIG_LIST, CONFIG_RELOAD, AT(unix_readers), NULL, 1, CONFIG_LIST_MAX, "WHO",
     "on the Unix socket, who may read; likewise"},
    {"unix_default", CONFIG_TEXT, CONFIG_RELOAD, AT(unix_default), "writer", 1, 16, "ROLE",
     "what others may on the Unix socket: reader, writer or none"},
    {"http_hosts", CONFIG_LIST, CONFIG_RELOAD, AT(http_hosts), NULL, 1, CONFIG_LIST_MAX, "HOST",
     "what HTTP may call this daemon; again for more; default: localhost, and http's hosts"},
    {"http_origins", CONFIG_LIST, CONFIG_RELOAD, AT(http_origins), NULL, 1, CONFIG_LIST_MAX,
     "ORIGIN", "scheme://host[:port] of pages that may use HTTP; again for more; default: none"},

    /* --- meaning --- */
    {"currency", CONFIG_TEXT, CONFIG_RESTART, AT(currency), "USD", 3, 3, "CODE",
     "ISO 4217 code of all amounts; fixed at the first start"},
    {"require_request_id", CONFIG_FLAG, CONFIG_RELOAD, AT(require_request_id), "false", 0, 1, NULL,
     "refuse writes without a request id, in place of making one up"},
    {"catalogue", CONFIG_TEXT, CONFIG_RELOAD, AT(catalogue), "open", 1, 16, "WHICH",
     "services that may be billed: open (any) or listed (those in the catalogue)"},

    /* --- what it says of itself --- */
    {"log_level", CONFIG_TEXT, CONFIG_RELOAD, AT(log_level), "info", 1, 16, "LEVEL",
     "debug, info, warning or error"},
    {"log_format", CONFIG_TEXT, CONFIG_RESTART, AT(log_format), "logfmt", 1, 16, "FORMAT",
     "logfmt or json, a line an event"},
    {"log_requests_per_second_max", CONFIG_COUNT, CONFIG_RELOAD, AT(log_requests_per_second_max),
     "100", 0, 1000000, "N", "requests that are logged; 0: only internal errors"},
    {"log_payloads", CONFIG_FLAG, CONFIG_RELOAD, AT(log_payloads), "false", 0, 1, NULL,
     "log what requests say, too: names, prices and reasons of customers"},
    {"sentry_dsn", CONFIG_TEXT, CONFIG_RESTART_SECRET, AT(sentry_dsn), NULL, 0,
     REPORT_DSN_BYTES_MAX, "DSN", "report unexpected errors there, as to Sentry; default: nowhere"},
    {"sentry_environment", CONFIG_TEXT, CONFIG_RESTART, AT(sentry_environment), "production", 1, 64,
     "NAME", "what such reports call this deployment"},

    /* --- the store's bounds --- */
    {"map_bytes", CONFIG_BYTES, CONFIG_RESTART, AT(map_bytes), "1TiB", MIB, 64 * TIB, "SIZE",
     "address space to reserve: the store grows up to it"},
    {"readers", CONFIG_COUNT, CONFIG_RESTART, AT(readers), "2", 1, 64, "N",
     "threads that answer reads"},
    {"queue_ops_max", CONFIG_COUNT, CONFIG_RELOAD, AT(queue_ops_max), "65536", 1, OPS_MAX, "N",
     "writes that may wait; more are answered 'busy'"},
    {"queue_bytes_max", CONFIG_BYTES, CONFIG_RELOAD, AT(queue_bytes_max), "64MiB", 64 * KIB,
     64 * GIB, "SIZE", "memory that waiting writes may take"},
    {"group_ops_max", CONFIG_COUNT, CONFIG_RELOAD, AT(group_ops_max), "4096", 1, OPS_MAX, "N",
     "writes in one commit"},
    {"group_bytes_max", CONFIG_BYTES, CONFIG_RELOAD, AT(group_bytes_max), "32MiB", KIB, 64 * GIB,
     "SIZE", "memory of the writes in one commit; a single one always fits"},

    /* --- the doors' bounds --- */
    {"connections_max", CONFIG_COUNT, CONFIG_RELOAD, AT(connections_max), "4096", 1,
     DESCRIPTORS_MAX, "N", "connections at once, all doors together"},
    {"connections_per_identity_max", CONFIG_COUNT, CONFIG_RELOAD, AT(connections_per_identity_max),
     "0", 0, DESCRIPTORS_MAX, "N", "of them, of one identity; 0: three quarters"},
    {"requests_per_second_max", CONFIG_COUNT, CONFIG_RELOAD, AT(requests_per_second_max), "0", 0,
     RATE_MAX, "N", "of one identity, a batch's items counted singly; 0: any"},
    {"memory_max", CONFIG_BYTES, CONFIG_RELOAD, AT(memory_max), "1GiB", 16 * MIB, 64 * TIB, "SIZE",
     "memory of requests, answers and buffers; half for one identity"},
    {"pipeline_max", CONFIG_COUNT, CONFIG_RELOAD, AT(pipeline_max), "1024", 1, 65536, "N",
     "requests in flight on one RPC connection"},
    {"frame_bytes_max", CONFIG_BYTES, CONFIG_RELOAD, AT(frame_bytes_max), "16MiB",
     LIMIT_FRAME_BYTES_MIN, REQUEST_BYTES_MAX, "SIZE", "an RPC frame"},
    {"body_bytes_max", CONFIG_BYTES, CONFIG_RELOAD, AT(body_bytes_max), "16MiB", KIB,
     REQUEST_BYTES_MAX, "SIZE", "the body of an HTTP request"},
    {"head_bytes_max", CONFIG_BYTES, CONFIG_RELOAD, AT(head_bytes_max), "32KiB", KIB, MIB, "SIZE",
     "the head of an HTTP request"},

    /* --- deadlines --- */
    {"frame_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(frame_timeout_ms), "30s", 1, DAY_MS,
     "TIME", "for the rest of an RPC frame that has begun"},
    {"idle_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(idle_timeout_ms), "0", 0, DAY_MS, "TIME",
     "for RPC connections that ask nothing; 0: for ever"},
    {"write_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(write_timeout_ms), "30s", 1, DAY_MS,
     "TIME", "for a client to take what was written to it"},
    {"http_idle_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(http_idle_timeout_ms), "60s", 1,
     DAY_MS, "TIME", "for HTTP connections that ask nothing"},
    {"head_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(head_timeout_ms), "10s", 1, DAY_MS,
     "TIME", "for the head of an HTTP request"},
    {"body_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(body_timeout_ms), "30s", 1, DAY_MS,
     "TIME", "for the body of an HTTP request"},
    {"drain_timeout_ms", CONFIG_DURATION, CONFIG_RELOAD, AT(drain_timeout_ms), "30s", 1, DAY_MS,
     "TIME", "from SIGTERM until the connections that are left are cut"},
};
const size_t config_options_n = sizeof config_options / sizeof config_options[0];

_Static_assert(sizeof config_options / sizeof config_options[0] <= CONFIG_OPTIONS_MAX,
               "struct config_load has room for each option");

/* --- the types -------------------------------------------------------------------------------- */

struct unit {
    const char *suffix; /* NULL ends a list */
    int64_t factor;
};

/* Smallest first, for the largest that fits is found from the end. */
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit byte_units[] = {{"", 1},      {"KiB", KIB}, {"MiB", MIB},
                                         {"GiB", GIB}, {"TiB", TIB}, {NULL, 0}};
static const struct unit time_units[] = {{"", 1},      {"ms", 1},      {"s", 1000},
                                         {"m", 60000}, {"h", 3600000}, {NULL, 0}};

static const struct {
    const char *what;         /* "'x' is not ...": of a number, its bounds follow */
    const char *hint;         /* and behind them, how it is written */
    const struct unit *units; /* NULL: no number */
    int base;
    unsigned forms;
    const char *forms_words;
} types[] = {
    [CONFIG_TEXT] = {"a text", "", NULL, 0, CONFIG_FORM_STRING, "a text in quotes"},
    [CONFIG_LIST] = {"a text", "", NULL, 0, CONFIG_FORM_STRING | CONFIG_FORM_ARRAY,
                     "a text in quotes, or an array of them in [ ]"},
    [CONFIG_FLAG] = {"true or false", "", NULL, 0, CONFIG_FORM_BOOL, "true or false"},
    [CONFIG_COUNT] = {"a whole number", "", no_units, 10, CONFIG_FORM_NUMBER,
                      "a whole decimal number"},
    [CONFIG_BYTES] = {"a size", " (in bytes, or as in 16KiB, 16MiB, 16GiB, 16TiB)", byte_units, 10,
                      CONFIG_FORM_NUMBER | CONFIG_FORM_STRING,
                      "a whole decimal number, or a size in quotes"},
    [CONFIG_DURATION] = {"a time", " (in milliseconds, or as in 250ms, 30s, 5m, 2h)", time_units,
                         10, CONFIG_FORM_NUMBER | CONFIG_FORM_STRING,
                         "a whole decimal number, or a time in quotes"},
    [CONFIG_MODE] = {"a mode", " (octal)", no_units, 8, CONFIG_FORM_STRING,
                     "an octal mode in quotes"},
};

unsigned config_option_forms(const struct config_option *option, const char **ret_words)
{
    *ret_words = types[option->type].forms_words;
    return types[option->type].forms;
}

/* Digits of TYPE's base and one of its units; no sign, no blanks, no fraction. */
static int parse_number(enum config_type type, const char *text, int64_t *ret)
{
    if (*text < '0' || *text > '9') {
        return STATUS_OUT_OF_BOUNDS;
    }
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, types[type].base);
    const struct unit *unit = types[type].units;
    while (unit->suffix != NULL && strcmp(unit->suffix, end) != 0) {
        unit++;
    }
    int64_t value;
    if (errno != 0 || unit->suffix == NULL ||
        __builtin_mul_overflow(number, unit->factor, &value)) {
        return STATUS_OUT_OF_BOUNDS;
    }
    *ret = value;
    return 0;
}

struct number_text {
    char text[24];
};

/* As one would write it: in the largest unit that leaves no rest. */
static struct number_text format_number(enum config_type type, int64_t value)
{
    struct number_text ret;
    const struct unit *unit = types[type].units;
    for (const struct unit *larger = unit + 1; value != 0 && larger->suffix != NULL; larger++) {
        unit = value % larger->factor == 0 ? larger : unit;
    }
    if (type == CONFIG_MODE) { /* 24 bytes hold any */
        IGNORE(snprintf(ret.text, sizeof ret.text, "0%03" PRIo64, (uint64_t)value) < 0);
    } else {
        IGNORE(snprintf(ret.text, sizeof ret.text, "%" PRId64 "%s", value / unit->factor,
                        unit->suffix) < 0);
    }
    return ret;
}

struct config_bounds config_option_bounds(const struct config_option *option)
{
    struct config_bounds ret = {.text = ""};
    if (types[option->type].units != NULL) {
        IGNORE(snprintf(ret.text, sizeof ret.text, "%s to %s",
                        format_number(option->type, option->min).text,
                        format_number(option->type, option->max).text) < 0); /* 64 bytes hold two */
    }
    return ret;
}

/* --- values ----------------------------------------------------------------------------------- */

static int set_text(const char *text, int64_t min, int64_t max, char **ret)
{
    size_t length = strlen(text);
    if (length < (size_t)min || length > (size_t)max) {
        return STATUS_OUT_OF_BOUNDS;
    }
    free(*ret);
    *ret = strdup(text);
    INVARIANT(*ret != NULL);
    return 0;
}

static int set_item(const char *text, struct config_list *list)
{
    if (list->n == CONFIG_LIST_MAX) {
        return STATUS_OUT_OF_BOUNDS;
    }
    int rc = set_text(text, 1, CONFIG_TEXT_BYTES_MAX, &list->items[list->n]);
    list->n += rc == 0;
    return rc;
}

static int set_flag(const char *text, bool *ret)
{
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0) {
        return STATUS_OUT_OF_BOUNDS;
    }
    *ret = is_true;
    return 0;
}

static int set_number(const struct config_option *option, const char *text, int64_t *ret)
{
    int64_t value = 0;
    int rc = parse_number(option->type, text, &value);
    if (rc < 0 || value < option->min || value > option->max) {
        return STATUS_OUT_OF_BOUNDS;
    }
    *ret = value;
    return 0;
}

int config_option_set(const struct config_option *option, const char *text, struct config *into)
{
    void *field = (char *)into + option->offset;
    switch (option->type) {
    case CONFIG_TEXT:
        return set_text(text, option->min, option->max, field);
    case CONFIG_LIST:
        return set_item(text, field);
    case CONFIG_FLAG:
        return set_flag(text, field);
    case CONFIG_COUNT:
    case CONFIG_BYTES:
    case CONFIG_DURATION:
    case CONFIG_MODE:
        return set_number(option, text, field);
    }
    return STATUS_OUT_OF_BOUNDS;
}

const char *config_option_shown(const struct config_option *option, const char *text)
{
    return option->scope == CONFIG_RESTART_SECRET ? "(not shown)" : text;
}

/* What would have been right: "a size from 64KiB to 128MiB (in bytes, ...)". */
static void say_malformed(struct config_load *load, const struct config_option *option,
                          struct config_origin origin, const char *text)
{
    const char *what = types[option->type].what;
    text = config_option_shown(option, text);
    if (types[option->type].units != NULL) {
        config_problem(load, origin, option->name, "'%s' is not %s from %s%s", text, what,
                       config_option_bounds(option).text, types[option->type].hint);
    } else if (option->type == CONFIG_FLAG) {
        config_problem(load, origin, option->name, "'%s' is not %s", text, what);
    } else {
        bool item = option->type == CONFIG_LIST;
        config_problem(load, origin, option->name,
                       "'%s' is not %s of %" PRId64 " to %" PRId64 " bytes", text, what,
                       item ? 1 : option->min, item ? CONFIG_TEXT_BYTES_MAX : option->max);
    }
}

void config_option_take(struct config_load *load, const struct config_option *option,
                        struct config_origin origin, const char *text, struct config *into)
{
    const struct config_list *list =
        option->type == CONFIG_LIST
            ? (const struct config_list *)((const char *)into + option->offset)
            : NULL;
    if (list != NULL && list->n == option->max) {
        config_problem(load, origin, option->name, "'%s' is one too many: at most %" PRId64, text,
                       option->max);
    } else if (config_option_set(option, text, into) < 0) {
        say_malformed(load, option, origin, text);
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static bool flag_is(const char *name, const char *flag, size_t length)
{
    if (strlen(name) != length) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (name[i] != (flag[i] == '-' ? '_' : flag[i])) {
            return false;
        }
    }
    return true;
}

const struct config_option *config_option_by_flag(const char *name, size_t length)
{
    for (size_t i = 0; i < config_options_n; i++) {
        if (flag_is(config_options[i].name, name, length)) {
            return &config_options[i];
        }
    }
    return NULL;
}

const struct config_option *config_option_by_name(const char *name)
{
    for (size_t i = 0; i < config_options_n; i++) {
        if (config_options[i].scope != CONFIG_ARGUMENT &&
            strcmp(config_options[i].name, name) == 0) {
            return &config_options[i];
        }
    }
    return NULL;
}

struct config_origin *config_option_origin(struct config_load *load,
                                           const struct config_option *option)
{
    return &load->origins[option - config_options];
}

/* --- what is printed -------------------------------------------------------------------------- */

/* Where it cannot be written there is nowhere to say so. */
static void put(FILE *out, const char *text)
{
    IGNORE(fputs(text, out) < 0);
}

/* NAME as a flag has it. */
static void put_flag(FILE *out, const char *name)
{
    put(out, "--");
    for (; *name != '\0'; name++) {
        IGNORE(fputc(*name == '_' ? '-' : *name, out) < 0); /* as put() */
    }
}

void config_problem(struct config_load *load, struct config_origin origin, const char *name,
                    const char *format, ...)
{
    FILE *out = load->errors;
    load->problems++;
    if (origin.from == CONFIG_FROM_FILE) {
        IGNORE(fprintf(out, "%s:%u: ", load->file, origin.line) < 0); /* as put() */
    } else {
        put(out, "billingd: ");
    }
    if (name != NULL && origin.from == CONFIG_FROM_FLAG) {
        put_flag(out, name);
    } else if (name != NULL) {
        put(out, name);
    }
    put(out, name != NULL ? ": " : "");
    va_list args;
    va_start(args, format);
    IGNORE(vfprintf(out, format, args) < 0); /* as put() */
    va_end(args);
    put(out, "\n");
}

static void help_option(FILE *out, const struct config_option *option)
{
    struct config_bounds bounds = config_option_bounds(option);
    put(out, "  ");
    put_flag(out, option->name);
    put(out, option->argument != NULL ? " " : "");
    put(out, option->argument != NULL ? option->argument : "");
    put(out, "\n      ");
    put(out, option->help);
    if (option->fallback != NULL && option->type != CONFIG_FLAG) {
        put(out, " [default ");
        put(out, option->fallback);
        put(out, bounds.text[0] != '\0' ? "; " : "");
        put(out, bounds.text);
        put(out, "]");
    }
    put(out, "\n");
}

static void help_options(FILE *out, bool in_file)
{
    for (size_t i = 0; i < config_options_n; i++) {
        if ((config_options[i].scope != CONFIG_ARGUMENT) == in_file) {
            help_option(out, &config_options[i]);
        }
    }
}

void config_help(FILE *out)
{
    put(out, "Usage: billingd [OPTION ...]\n"
             "\n"
             "Keeps what each customer used, exactly once, and tells what each owes.  Without\n"
             "options it runs; on stderr it says where it listens and where its data is.\n"
             "\n"
             "On the command line alone:\n");
    help_options(out, false);
    put(out, "\n"
             "Also in the config file, with '_' for '-' and no '--':\n");
    help_options(out, true);
    put(out, "\n"
             "Sizes take KiB, MiB, GiB and TiB, times ms, s, m and h (without: milliseconds).\n"
             "See billingd(8) and billingd.conf(5).\n");
}
