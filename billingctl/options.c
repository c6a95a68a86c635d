#include "billingctl/options.h"

#include <string.h>

#include <billing/admin.h>

const struct flag flag_table[FLAG__COUNT] = {
    [FLAG_SERVER] = {.name = "server",
                     .value = "URL",
                     .help = "where billingd listens: unix:///path/of/socket or tcp://host:port"},
    [FLAG_OUTPUT] = {.name = "output",
                     .value = "FORMAT",
                     .words = "table json csv id",
                     .help = "how to print the result: table (the default), json, csv or id"},
    [FLAG_REQUEST_ID] = {.name = "request-id",
                         .value = "ID",
                         .field = "request_id",
                         .help = "what makes a recording happen once, however often it is run"},
    [FLAG_TIMEOUT] = {.name = "timeout",
                      .value = "TIME",
                      .help = "how long a call may take with all its retries: 250ms, 5s, 2m"},
    [FLAG_TOKEN_FILE] = {.name = "token-file",
                         .value = "FILE",
                         .help = "a file with the API key that says who asks, and nothing else"},
    [FLAG_HELP] = {.name = "help", .help = "show help and do nothing"},
    [FLAG_VERSION] = {.name = "version", .help = "show the version and do nothing"},
    [FLAG_CUSTOMER] = {.name = "customer",
                       .value = "ID",
                       .field = "customer_id",
                       .help = "the customer's id, or external: and its external id"},
    [FLAG_EXTERNAL_ID] = {.name = "external-id",
                          .value = "X",
                          .field = "external_id",
                          .help = "the customer's id in another system"},
    [FLAG_SERVICE] = {.name = "service",
                      .value = "S",
                      .field = "service",
                      .help = "what was used; of a key, what it may record, all where left out",
                      .times = BILLING_KEY_SERVICES_MAX},
    [FLAG_UNITS] = {.name = "units",
                    .value = "N",
                    .field = "units_consumed",
                    .help = "how much of it, a decimal"},
    [FLAG_PRICE] = {.name = "price",
                    .value = "P",
                    .field = "price_per_unit",
                    .help = "the price of one unit, a decimal"},
    [FLAG_AMOUNT] = {.name = "amount",
                     .value = "A",
                     .field = "amount",
                     .help = "what it adds to the bill, a decimal; a credit below zero"},
    [FLAG_REASON] = {.name = "reason", .value = "R", .field = "reason", .help = "why, for people"},
    [FLAG_AT] = {.name = "at",
                 .value = "TIME",
                 .field = "occurred_at",
                 .help = "when it happened: RFC 3339 or a date; now where left out"},
    [FLAG_LABEL] = {.name = "label",
                    .value = "NAME=VALUE",
                    .field = "labels",
                    .help = "a label, up to 16 of them",
                    .times = BILLING_LABELS_MAX},
    [FLAG_START] = {.name = "start",
                    .value = "TIME",
                    .field = "start",
                    .help = "from this time on: RFC 3339 or a date"},
    [FLAG_END] = {.name = "end",
                  .value = "TIME",
                  .field = "end",
                  .help = "until just before this time"},
    [FLAG_MONTH] = {.name = "month",
                    .value = "YYYY-MM",
                    .field = "end", /* which it stands in place of; its start is never wrong */
                    .help = "the window of one month in UTC, in place of --start and --end"},
    [FLAG_BY] = {.name = "by",
                 .value = "CLOCK",
                 .words = "occurred billed",
                 .field = "by",
                 .help = "which time counts: occurred (the default) or billed"},
    [FLAG_WINDOW] = {.name = "window",
                     .value = "WINDOW",
                     .words = "hour day month",
                     .field = "window",
                     .help = "what a row adds up, in UTC: hour, day (the default) or month"},
    [FLAG_GROUP_BY] = {.name = "group-by",
                       .value = "WHAT",
                       .words = "service",
                       .field = "group_by",
                       .help = "rows of their own for each: service"},
    [FLAG_INCLUDE_EMPTY] = {.name = "include-empty",
                            .field = "include_empty",
                            .help = "windows without usage too, as zero"},
    [FLAG_EXPLAIN] = {.name = "explain",
                      .help = "list the records behind the bill, or of --service and --price"},
    [FLAG_ALL] = {.name = "all", .help = "every customer; of keys, those too that are revoked"},
    [FLAG_DRY_RUN] = {.name = "dry-run", .help = "show what it would come to and do nothing"},
    [FLAG_UNIT] = {.name = "unit",
                   .value = "U",
                   .field = "unit",
                   .help = "what one unit of it is called"},
    [FLAG_LIMIT] = {.name = "limit",
                    .value = "N",
                    .field = "limit",
                    .help = "at most so many rows; all where left out"},
    [FLAG_CURSOR] = {.name = "cursor",
                     .value = "CURSOR",
                     .field = "cursor",
                     .help = "go on where a list with this next_cursor ended"},
    [FLAG_FORMAT] = {.name = "format",
                     .value = "FORMAT",
                     .words = "csv ndjson focus",
                     .help = "csv, ndjson or focus; an import goes by the file's name else"},
    [FLAG_DERIVE_IDS] = {.name = "derive-ids",
                         .help = "make the request ids of rows that have none from their content"},
    [FLAG_BATCH] = {.name = "batch",
                    .value = "N",
                    .help = "rows sent at a time, 1 to 10000; 1000 where left out"},
    [FLAG_REJECTS] = {.name = "rejects",
                      .value = "FILE",
                      .help = "write the rows that were not recorded to FILE, as they were"},
    [FLAG_QUIET] = {.name = "quiet", .help = "no progress and no summary, only what is wrong"},
    [FLAG_NAME] = {.name = "name",
                   .value = "N",
                   .field = "name",
                   .help = "what it is called: no other key that is in force is"},
    [FLAG_ROLE] = {.name = "role",
                   .value = "ROLE",
                   .words = "reader writer admin",
                   .field = "role",
                   .help = "what it opens: reader, writer (of usage, and reads) or admin"},
    [FLAG_EXPIRES] = {.name = "expires",
                      .value = "TIME",
                      .field = "expires_at",
                      .help =
                          "until when it is good: RFC 3339, a date, or from now on, 30s or 90d"},
};

static enum flag_id find_flag(const char *name, size_t length)
{
    int id = 0;
    while (id < FLAG__COUNT && (strlen(flag_table[id].name) != length ||
                                memcmp(flag_table[id].name, name, length) != 0)) {
        id++;
    }
    return (enum flag_id)id;
}

/* Where the values of flag ID go that may be given more than once; NULL for another one. */
static struct many *find_many(struct options *options, enum flag_id id)
{
    return id == FLAG_LABEL ? &options->labels : id == FLAG_SERVICE ? &options->services : NULL;
}

static bool keep_value(struct options *options, enum flag_id id, const char *value,
                       struct reason *reterr)
{
    const struct flag *flag = &flag_table[id];
    struct many *many = find_many(options, id);
    if (many != NULL) {
        if (many->count == flag->times) {
            return reason_set(reterr, "--%s is given more than %zu times", flag->name, flag->times);
        }
        many->values[many->count++] = value;
    } else if (options->values[id] != NULL) {
        return reason_set(reterr, "--%s is given twice", flag->name);
    }
    options->values[id] = value;
    return true;
}

/* The flag at argv[*I], and the value behind it, where it takes one. */
static bool take_flag(int argc, char *const *argv, int *i, struct options *options,
                      struct reason *reterr)
{
    const char *word = argv[*i];
    if (strcmp(word, "-h") == 0) {
        return keep_value(options, FLAG_HELP, "", reterr);
    }
    const char *name = strncmp(word, "--", 2) == 0 ? word + 2 : "";
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    enum flag_id id = find_flag(name, length);
    if (id == FLAG__COUNT) {
        return reason_set(reterr, "there is no flag %s", word);
    }
    const struct flag *flag = &flag_table[id];
    if (flag->value == NULL) {
        return value == NULL ? keep_value(options, id, "", reterr)
                             : reason_set(reterr, "--%s takes no value", flag->name);
    }
    if (value == NULL) {
        /* A flag in its place is a value that was forgotten; --flag=--x says that it is meant. */
        if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0) {
            return reason_set(reterr, "--%s needs a value: %s", flag->name, flag->value);
        }
        value = argv[++*i];
    }
    return keep_value(options, id, value, reterr);
}

bool options_parse(int argc, char *const *argv, struct options *ret, struct reason *reterr)
{
    bool flags_ended = false;
    *ret = (struct options){0};
    for (int i = 1; i < argc; i++) {
        bool is_flag = !flags_ended && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_flag && strcmp(argv[i], "--") == 0) {
            flags_ended = true;
        } else if (is_flag) {
            if (!take_flag(argc, argv, &i, ret, reterr)) {
                return false;
            }
        } else if (ret->word_count == OPTIONS_WORDS_MAX) {
            return reason_set(reterr, "unexpected argument '%s'", argv[i]);
        } else {
            ret->words[ret->word_count++] = argv[i];
        }
    }
    return true;
}

bool options_has(const struct options *options, enum flag_id id)
{
    return options->values[id] != NULL;
}
