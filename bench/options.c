#include "bench/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/files.h"
#include "bench/load.h"
#include "billingd/base/random.h"
#include "proto/limits.h"

enum {
    EXIT_USAGE = 2,
    SECONDS_DEFAULT = 10,
};

#define OF(mode) (1U << BENCH_##mode)

enum {
    OF_DAEMON = OF(RPC) | OF(HTTP) | OF(READ) | OF(FAIRNESS),
    OF_LOAD = OF(RAW_APPEND) | OF(RAW_BTREE) | OF(ENGINE) | OF_DAEMON,
    OF_WRITING = OF_LOAD & ~OF(FAIRNESS),
    OF_ALL = OF(SYNC) | OF_LOAD,
};

enum kind {
    KIND_FLAG,
    KIND_NUMBER,
    KIND_TEXT,
};

struct option {
    const char *name;
    const char *value; /* what to call it in help */
    unsigned modes;    /* that take it */
    enum kind kind;
    size_t offset; /* in struct bench_options */
    uint64_t min;  /* of a number */
    uint64_t max;
    const char *help;
};

#define FLAG(name, field, modes, help)                                                             \
    {                                                                                              \
        name, "", modes, KIND_FLAG, offsetof(struct bench_options, field), 0, 0, help              \
    }
#define NUMBER(name, field, modes, min, max, help)                                                 \
    {                                                                                              \
        name, " N", modes, KIND_NUMBER, offsetof(struct bench_options, field), min, max, help      \
    }
#define TEXT(name, value, field, modes, help)                                                      \
    {                                                                                              \
        name, " " value, modes, KIND_TEXT, offsetof(struct bench_options, field), 0, 0, help       \
    }

#define RECORDS_MAX UINT64_C(10000000000)

static const struct option option_table[] = {
    NUMBER("records", records, OF_WRITING, 1, RECORDS_MAX, "write so many"),
    NUMBER("batch", batch, OF_LOAD, 1, LIMIT_BATCH_ITEMS, "records in a commit, in a request"),
    NUMBER("customers", customers, OF_LOAD, 1, 10000000, "whose the records are, at random"),
    TEXT("ids", "random|ordered", ids, OF_LOAD, "request ids: all random, or in order of time"),
    NUMBER("window", window, OF_WRITING, 1, RECORDS_MAX, "records for a rate of their own"),
    NUMBER("seed", seed, OF_LOAD, 1, UINT64_MAX, "of what is random; else another each time"),
    NUMBER("clients", clients, OF_DAEMON, 1, 4096, "connections"),
    NUMBER("pipeline", pipeline, OF(RPC) | OF(READ) | OF(FAIRNESS), 1, 1024,
           "requests in flight on each"),
    NUMBER("in-flight", in_flight, OF(FAIRNESS), 1, 1024,
           "likewise of the one beside the flood, on one connection"),
    NUMBER("flood-batch", flood_batch, OF(FAIRNESS), 1, LIMIT_BATCH_ITEMS,
           "records in a request of the flood's"),
    NUMBER("idle", idle, OF(FAIRNESS), 0, 100000, "connections that ask for nothing"),
    NUMBER("rate", rate, OF(RPC) | OF(HTTP), 1, RECORDS_MAX,
           "ask for so many records/s, whatever is answered (an open loop);\n"
           "      latency then counts from when a request was due"),
    NUMBER("seconds", seconds, OF_DAEMON, 1, 1000000,
           "end then, if not by --records; without either, after 10.  Of `read`: spend\n"
           "      no more on the reading; of `fairness`: of each phase"),
    NUMBER("samples", samples, OF(SYNC) | OF(READ) | OF(FAIRNESS), 1, 10000000,
           "how often each thing is timed"),
    FLAG("bare", bare, OF(ENGINE) | OF(RPC),
         "before each request or commit do an LMDB commit of one record, and\n"
         "      give both and the ratio of their medians; one client, one in flight"),
    FLAG("kill", kill, OF(RPC) | OF(HTTP),
         "at the end kill -9 the daemon, and time its next start"),
    TEXT("store", "URI", store, OF(ENGINE) | OF_DAEMON, "the engine and its options"),
    TEXT("dir", "DIR", dir, OF_ALL, "make temporary directories there: the disk that is measured"),
    TEXT("data-dir", "DIR", data_dir, OF(ENGINE) | OF_DAEMON,
         "keep the store there; `read` writes only what is missing from it"),
    TEXT("billingd", "FILE", billingd, OF_DAEMON, "the daemon to start"),
    TEXT("url", "unix://PATH", url, OF_DAEMON,
         "start no daemon, but take the one that listens there"),
    TEXT("http", "HOST:PORT", http, OF(HTTP), "its HTTP door, an address in numbers; with --url"),
    FLAG("keep", keep, OF_ALL, "leave temporary directories behind, and say where"),
    FLAG("json", json, OF_ALL, "the last line of stdout is one JSON object"),
};

enum {
    OPTIONS = sizeof option_table / sizeof option_table[0],
};

/* --- help ------------------------------------------------------------------------------------- */

/* Write FORMAT's text; options_parse() asks at the end whether stdout took it. */
__attribute__((format(printf, 1, 2))) static void print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    IGNORE(vprintf(format, args) < 0);
    va_end(args);
}

static uint64_t *number_in(struct bench_options *options, const struct option *option)
{
    return (uint64_t *)(void *)((char *)options + option->offset);
}

/* The modes that take OPTION, a number with what it is by itself. */
static void print_modes(const struct option *option)
{
    const char *before = "[";
    for (unsigned i = 0; i < BENCH__MODES; i++) {
        struct bench_options defaults = bench_modes[i].defaults;
        if ((option->modes & 1U << i) == 0) {
            continue;
        }
        print("%s%s", before, bench_modes[i].name);
        if (option->kind == KIND_NUMBER && *number_in(&defaults, option) > 0) {
            print(" %" PRIu64, *number_in(&defaults, option));
        }
        before = ", ";
    }
    print("]\n");
}

static void print_help(void)
{
    print(
        "Usage: billing-bench MODE [OPTION ...]\n\n"
        "Measures what recording and billing cost on this machine's disk, and what the parts of\n"
        "it cost alone.  All writes are synced.  The load is the same everywhere: %d services at\n"
        "one price each, occurred_at over the last 24 hours, some 100 bytes a record.\n\n"
        "Modes:\n",
        LOAD_SERVICES);
    for (unsigned i = 0; i < BENCH__MODES; i++) {
        print("  %s\n      %s\n", bench_modes[i].name, bench_modes[i].help);
    }
    print("\nOptions [modes that take it, with what a number is if left out]:\n");
    for (unsigned i = 0; i < OPTIONS; i++) {
        const struct option *option = &option_table[i];
        print("  --%s%s\n      %s\n      ", option->name, option->value, option->help);
        if (option->modes == OF_ALL) {
            print("[all]\n");
        } else {
            print_modes(option);
        }
    }
    print("\nNumbers are whole; k and M behind them are thousands and millions.  Without --dir, "
          "temporary directories are made beside this\n"
          "program.  Without --url, `rpc`, `http`, `read` and `fairness` start a daemon of their "
          "own.\n");
    if (fflush(stdout) != 0) {
        exit(1);
    }
}

/* --- parsing ---------------------------------------------------------------------------------- */

__attribute__((noreturn, format(printf, 1, 2))) static void usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    IGNORE(fputs("billing-bench: ", stderr) < 0); /* nowhere else to say it */
    IGNORE(vfprintf(stderr, format, args) < 0);   /* nor here */
    IGNORE(fputs("\nbilling-bench --help says what there is\n", stderr) < 0); /* nor here */
    va_end(args);
    exit(EXIT_USAGE);
}

static uint64_t parse_number(const struct option *option, const char *text)
{
    char *end;
    uint64_t unit = 1;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (*end == 'k' || *end == 'M') {
        unit = *end == 'k' ? 1000 : 1000000;
        end++;
    }
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value > option->max / unit ||
        value * unit < option->min) {
        usage("--%s is to be a whole number from %" PRIu64 " to %" PRIu64
              ", as 1500, 10k or 2M, not '%s'",
              option->name, option->min, option->max, text);
    }
    return value * unit;
}

static const struct bench_mode *find_mode(const char *name)
{
    for (unsigned i = 0; i < BENCH__MODES; i++) {
        if (strcmp(bench_modes[i].name, name) == 0) {
            return &bench_modes[i];
        }
    }
    usage("no mode '%s'", name);
}

static const struct option *find_option(const struct bench_mode *mode, const char *arg)
{
    size_t length = strcspn(arg, "=");
    for (unsigned i = 0; length > 2 && strncmp(arg, "--", 2) == 0 && i < OPTIONS; i++) {
        const struct option *option = &option_table[i];
        if (strlen(option->name) != length - 2 || strncmp(option->name, arg + 2, length - 2) != 0) {
            continue;
        }
        if ((option->modes & 1U << (mode - bench_modes)) == 0) {
            usage("%s takes no --%s", mode->name, option->name);
        }
        return option;
    }
    usage("no option '%s'", arg);
}

/* Take the option at ARGV[0], whose value may be at ARGV[1].  Returns how many words it takes. */
static int take_option(const struct bench_mode *mode, char **argv, struct bench_options *ret)
{
    const struct option *option = find_option(mode, argv[0]);
    const char *equals = strchr(argv[0], '=');
    const char *value = equals != NULL ? equals + 1 : argv[1];
    char *field = (char *)ret + option->offset;
    if (option->kind == KIND_FLAG) {
        if (equals != NULL) {
            usage("--%s takes no value", option->name);
        }
        *(bool *)field = true;
        return 1;
    }
    if (value == NULL) {
        usage("--%s is to have a value", option->name);
    }
    if (option->kind == KIND_NUMBER) {
        *number_in(ret, option) = parse_number(option, value);
    } else {
        memcpy(field, &value, sizeof value);
    }
    return equals != NULL ? 1 : 2;
}

/* What one option asks of another. */
static void check_together(const struct bench_mode *mode, struct bench_options *options)
{
    if (strcmp(options->ids, "random") != 0 && !options_ordered(options)) {
        usage("--ids is to be random or ordered, not '%s'", options->ids);
    }
    if (options->url != NULL && (options->data_dir != NULL || options->kill)) {
        usage("--url is of a daemon that runs already: no --data-dir, no --kill");
    }
    if (options->url != NULL && strncmp(options->url, "unix://", 7) != 0) {
        usage("--url is to be unix://PATH, not '%s'", options->url);
    }
    if (mode->run == mode_http && (options->url == NULL) != (options->http == NULL)) {
        usage("--url and --http go together");
    }
    if (options->bare && (options->clients > 1 || options->pipeline > 1 || options->rate > 0)) {
        usage("--bare is for one client with one request in flight");
    }
}

bool options_ordered(const struct bench_options *options)
{
    return strcmp(options->ids, "ordered") == 0;
}

const struct bench_mode *options_parse(int argc, char **argv, struct bench_options *ret)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            exit(0);
        }
    }
    if (argc < 2) {
        usage("which mode?");
    }
    const struct bench_mode *mode = find_mode(argv[1]);
    *ret = mode->defaults;
    ret->ids = "random";
    ret->store = "lmdb:";
    ret->dir = files_own_directory();
    ret->billingd = files_format("%s/../billingd/billingd", files_own_directory());
    for (char **arg = argv + 2; *arg != NULL;) {
        arg += take_option(mode, arg, ret);
    }
    while (ret->seed == 0) {
        random_bytes(&ret->seed, sizeof(uint32_t)); /* half of it is easier to type again */
    }
    if ((mode->run == mode_rpc || mode->run == mode_http) && ret->records == 0 &&
        ret->seconds == 0) {
        ret->seconds = SECONDS_DEFAULT;
    }
    check_together(mode, ret);
    return mode;
}
