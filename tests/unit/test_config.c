/* The options: from the command line, the config file and the table, and all that can be wrong
 * with each of them. */
#include <unistd.h>

#include "billingd/config_options.h"
#include "proto/limits.h"
#include "tests/lib/testkit.h"
#include "tests/unit/config_run.h"

/* libconfig forgets the text that a syntax error stands behind; what we forget is still found. */
const char *__lsan_default_suppressions(void); /* NOLINT: the sanitizer's name */
const char *__lsan_default_suppressions(void)  /* NOLINT */
{
    return "leak:libconfig.so";
}

/* --- what is right ---------------------------------------------------------------------------- */

static void config_load__nothing_given__defaults(void **state)
{
    (void)state;
    struct run run = RUN();
    assert_loaded(&run);
    const struct config *c = &run.config;
    assert_null(c->config_file);
    assert_false(c->check || c->version || c->help || c->allow_insecure || c->require_request_id);
    assert_string_equal(c->data_dir, "/state");
    assert_string_equal(c->store, "lmdb:");
    assert_i64(c->listen.n, 1);
    assert_string_equal(c->listen.items[0], "unix:/runtime/billingd.sock");
    assert_i64(c->http.n, 0);
    assert_i64(c->socket_mode, 0660);
    assert_string_equal(c->currency, "USD");
    assert_string_equal(c->catalogue, "open");
    assert_string_equal(c->log_level, "info");
    assert_i64(c->map_bytes, INT64_C(1) << 40);
    assert_i64(c->readers, 2);
    assert_i64(c->queue_ops_max, 65536);
    assert_i64(c->queue_bytes_max, 64 << 20);
    assert_i64(c->group_ops_max, 4096);
    assert_i64(c->group_bytes_max, 32 << 20);
    assert_i64(c->connections_max, 4096);
    assert_i64(c->pipeline_max, 1024);
    assert_i64(c->frame_bytes_max, LIMIT_FRAME_BYTES_DEFAULT);
    assert_i64(c->body_bytes_max, 16 << 20);
    assert_i64(c->head_bytes_max, 32 << 10);
    assert_i64(c->frame_timeout_ms, 30000);
    assert_i64(c->idle_timeout_ms, 0);
    assert_i64(c->write_timeout_ms, 30000);
    assert_i64(c->http_idle_timeout_ms, 60000);
    assert_i64(c->head_timeout_ms, 10000);
    assert_i64(c->body_timeout_ms, 30000);
    assert_i64(c->drain_timeout_ms, 30000);
    config_done(&run.config);
}

static void config_load__flags__in_all_their_forms(void **state)
{
    (void)state;
    struct run run = RUN("--data-dir=--d", "--queue_ops_max=1", "--group-ops-max", "1", "--check",
                         "--allow-insecure=true", "--require-request-id=false", "--listen",
                         "unix:/a=b", "--listen=tcp:[::]:0", "--http", "0.0.0.0:80",
                         "--idle-timeout-ms=2h", "--socket-mode", "600", "--store", "lmdb:/x");
    assert_loaded(&run);
    const struct config *c = &run.config;
    assert_string_equal(c->data_dir, "--d");
    assert_i64(c->queue_ops_max, 1);
    assert_i64(c->group_ops_max, 1);
    assert_true(c->check && c->allow_insecure && !c->require_request_id);
    assert_i64(c->listen.n, 2);
    assert_string_equal(c->listen.items[0], "unix:/a=b");
    assert_string_equal(c->listen.items[1], "tcp:[::]:0");
    assert_i64(c->http.n, 1);
    assert_i64(c->idle_timeout_ms, 7200000);
    assert_i64(c->socket_mode, 0600);
    assert_string_equal(c->store, "lmdb:/x");
    config_done(&run.config);
}

static void config_load__file__in_all_its_forms(void **state)
{
    (void)state;
    struct run run = RUN("--config", config_file("# '@include' in a comment is no harm\n"
                                                 "data_dir = \"/d@\\\"#//e\" ; // nor this: @\n"
                                                 "/* @include \"x\"\n */ listen: \"tcp:[::1]:1\",\n"
                                                 "http = [\"127.0.0.1:1\", \"localhost:2\"]\n"
                                                 "require_request_id = TRUE\n"
                                                 "readers=4 socket_mode = \"0600\"\n"
                                                 "map_bytes = 4298967296;\n"
                                                 "queue_bytes_max = \"1GiB\"; idle_timeout_ms = 7;"
                                                 "drain_timeout_ms = \"250ms\" # the end"));
    assert_loaded(&run);
    const struct config *c = &run.config;
    assert_string_equal(c->data_dir, "/d@\"#//e");
    assert_i64(c->listen.n, 1);
    assert_string_equal(c->listen.items[0], "tcp:[::1]:1");
    assert_i64(c->http.n, 2);
    assert_string_equal(c->http.items[1], "localhost:2");
    assert_true(c->require_request_id);
    assert_i64(c->readers, 4);
    assert_i64(c->socket_mode, 0600);
    assert_i64(c->map_bytes, INT64_C(4298967296)); /* not what 32 bits of it are */
    assert_i64(c->queue_bytes_max, 1 << 30);
    assert_i64(c->idle_timeout_ms, 7);
    assert_i64(c->drain_timeout_ms, 250);
    config_done(&run.config);
}

static void config_load__flag_and_file__the_flag_wins(void **state)
{
    (void)state;
    const char *file = config_file("readers = 4;\nlisten = [\"unix:/a\", \"unix:/b\"];\n"
                                   "data_dir = \"/file\"; require_request_id = true;");
    struct run run = RUN("--readers=3", "--config", file, "--listen", "unix:/c", "--data-dir=/flag",
                         "--require-request-id=false");
    assert_loaded(&run);
    assert_i64(run.config.readers, 3);
    assert_i64(run.config.listen.n, 1);
    assert_string_equal(run.config.listen.items[0], "unix:/c");
    assert_string_equal(run.config.data_dir, "/flag");
    assert_false(run.config.require_request_id);
    config_done(&run.config);
}

static void config_load__flag_wins__the_file_is_checked_all_the_same(void **state)
{
    (void)state;
    struct run run = RUN("--readers=3", "--config", config_file("\nreaders = 0;"));
    assert_refused(&run, 1, "t.conf:2: readers: '0' is not a whole number from 1 to 64\n");
    config_done(&run.config);
}

static void config_load__help_or_version__nothing_else_is_needed(void **state)
{
    (void)state;
    forget_environment();
    struct run run = RUN("--help", "--config", "/nowhere/at/all");
    assert_loaded(&run);
    assert_true(run.config.help);
    config_done(&run.config);
    run = RUN("--version");
    assert_loaded(&run);
    assert_true(run.config.version);
    config_done(&run.config);
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static void config_load__bad_command_line__says_which_word(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        const char *error;
    } cases[] = {
        {"start", "billingd: 'start' is a word too many\n"},
        {"", "billingd: '' is a word too many\n"},
        {"-h", "billingd: '-h' is not an option (see --help)\n"},
        {"-", "billingd: '-' is not an option (see --help)\n"},
        {"--", "billingd: '--' is not an option (see --help)\n"},
        {"--=5", "billingd: '--' is not an option (see --help)\n"},
        {"--reader=5", "billingd: '--reader' is not an option (see --help)\n"},
        {"--readersx", "billingd: '--readersx' is not an option (see --help)\n"},
        {"--Readers=5", "billingd: '--Readers' is not an option (see --help)\n"},
        {"--readers", "billingd: --readers: a value is missing\n"},
        {"--readers=", "billingd: --readers: '' is not a whole number from 1 to 64\n"},
        {"--readers=65", "billingd: --readers: '65' is not a whole number from 1 to 64\n"},
        {"--readers=-1", "billingd: --readers: '-1' is not a whole number from 1 to 64\n"},
        {"--check=yes", "billingd: --check: 'yes' is not true or false\n"},
        {"--check=", "billingd: --check: '' is not true or false\n"},
        {"--data-dir=", "billingd: --data-dir: '' is not a text of 1 to 4095 bytes\n"},
        {"--listen=", "billingd: --listen: '' is not a text of 1 to 4095 bytes\n"},
        {"--currency=EURO", "billingd: --currency: 'EURO' is not a text of 3 to 3 bytes\n"},
        {"--map-bytes=1048575", "billingd: --map-bytes: '1048575' is not a size from 1MiB to 64TiB "
                                "(in bytes, or as in 16KiB, 16MiB, 16GiB, 16TiB)\n"},
        {"--head-timeout_ms=0s", "billingd: --head-timeout-ms: '0s' is not a time from 1ms to 24h "
                                 "(in milliseconds, or as in 250ms, 30s, 5m, 2h)\n"},
        {"--socket-mode=0668",
         "billingd: --socket-mode: '0668' is not a mode from 0000 to 0777 (octal)\n"},
        {"--config=/nowhere/at/all", "billingd: --config: cannot open '/nowhere/at/all': No such "
                                     "file or directory\n"},
        {"--config=/", "billingd: --config: cannot read '/': it is not a regular "
                       "file but a directory\n"},
        {"--config=/dev/zero", "billingd: --config: cannot read '/dev/zero': it is not a regular "
                               "file but a device\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = RUN(cases[i].word);
        assert_refused(&run, 1, cases[i].error);
        config_done(&run.config);
    }
}

static void config_load__doubled_flags__refused_but_for_lists(void **state)
{
    (void)state;
    struct run run = RUN("--readers=2", "--readers", "2", "--check", "--check=false");
    assert_refused(&run, 2, "billingd: --readers: given twice, again as '2'\n");
    assert_contains(run.errors, "billingd: --check: given twice, again as 'false'\n");
    config_done(&run.config);
    run = RUN("--sentry-dsn=https://a@b/1", "--sentry-dsn=https://secret@b/1");
    assert_refused(&run, 1, "billingd: --sentry-dsn: given twice, again as '(not shown)'\n");
    config_done(&run.config);
}

static void config_load__value_like_a_flag__is_missing(void **state)
{
    (void)state;
    struct run run = RUN("--data-dir", "--check");
    assert_refused(&run, 1, "billingd: --data-dir: a value is missing\n");
    assert_true(run.config.check);
    config_done(&run.config);
}

static void config_load__bad_file__says_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* a good line is put before it */
        const char *error;
    } cases[] = {
        {"bogus = 1;", "t.conf:2: 'bogus' is not an option of the config file\n"},
        {"check = true;", "t.conf:2: 'check' is not an option of the config file, though one of "
                          "the command line\n"},
        {"config = \"x\";", "t.conf:2: 'config' is not"},
        {"data-dir = \"x\";", "t.conf:2: 'data-dir' is not"},
        {"READERS = 2;", "t.conf:2: 'READERS' is not"},
        {"readers = 2;\n\nreaders = 2;", "t.conf:4: duplicate setting name"},
        {"readers 2;", "t.conf:2: syntax error; from here on nothing was read\n"},
        {"readers = 2.5;", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = 1e1;", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = 0x2;", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = \"2\";", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = true;", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = { n = 2; };", "t.conf:2: readers: the value is not a whole decimal number\n"},
        {"readers = -2;", "t.conf:2: readers: '-2' is not a whole number from 1 to 64\n"},
        {"readers = 4294967298;", "t.conf:2: readers: '4294967298' is not"},
        {"readers = 99999999999999999999;", "t.conf:2: readers: '9223372036854775807' is not"},
        {"map_bytes = \"1MB\";", "t.conf:2: map_bytes: '1MB' is not a size from 1MiB to 64TiB"},
        {"map_bytes = \"\";", "t.conf:2: map_bytes: '' is not a size from 1MiB to 64TiB"},
        {"map_bytes = 99999999999999999999;", "t.conf:2: map_bytes: '9223372036854775807' is not"},
        {"socket_mode = 0660;", "t.conf:2: socket_mode: the value is not an octal mode in quotes"},
        {"data_dir = 5;", "t.conf:2: data_dir: the value is not a text in quotes\n"},
        {"data_dir = [\"a\"];", "t.conf:2: data_dir: the value is not a text in quotes\n"},
        {"data_dir = \"\";", "t.conf:2: data_dir: '' is not a text of 1 to 4095 bytes\n"},
        {"require_request_id = \"true\";",
         "t.conf:2: require_request_id: the value is not true or false\n"},
        {"require_request_id = 1;",
         "t.conf:2: require_request_id: the value is not true or false\n"},
        {"listen = [];", "t.conf:2: listen: an empty array: leave the name out\n"},
        {"listen = [1, 2];", "t.conf:2: listen: what is in the array is to be text\n"},
        {"listen = (\"unix:/a\");", "t.conf:2: listen: the value is not a text in quotes, or an "
                                    "array of them in [ ]\n"},
        {"listen = [\"unix:/a\",\n\"\"];", "t.conf:2: listen: '' is not a text of 1 to 4095"},
        {"\ncurrency = \"XYZ\";", "t.conf:3: currency: 'XYZ' is not the code of a currency"},
        {"/* no end\nreaders = 0;",
         "t.conf:2: the comment that begins here has no end; from here on nothing was read\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run =
            RUN("--config", config_file(testkit_format("pipeline_max = 2;\n%s\n", cases[i].text)));
        assert_refused(&run, 1, cases[i].error);
        assert_i64(run.config.pipeline_max, 2);
        config_done(&run.config);
    }
}

/* A text without end leaves libconfig a value that is none: two problems of one cause. */
static void config_load__text_without_end__says_where_it_begins(void **state)
{
    (void)state;
    struct run run = RUN("--config", config_file("\ndata_dir = \"/a;\nreaders = 2;\n"));
    assert_refused(&run, 2, "t.conf:2: the text that begins here has no end");
    config_done(&run.config);
}

static void config_load__nul_in_file__refused(void **state)
{
    (void)state;
    static const char text[] = "readers = 3;\n\0bogus = 1;";
    struct run run = RUN("--config", config_file_of(text, sizeof text - 1));
    assert_refused(&run, 1, "t.conf:2: a NUL stands here; from here on nothing was read\n");
    config_done(&run.config);
}

static void config_load__include__refused_and_not_opened(void **state)
{
    (void)state;
    const char *other = config_file("readers = 5;\n");
    static const char *const forms[] = {"@include \"%s\"\n", " \t@include\t\"%s\"",
                                        "@include_dir \"%s\"\n", "readers = 3; @include \"%s\"\n"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const char *at = strchr(forms[i], '%');
        const char *line =
            testkit_format("%.*s%s%s", (int)(at - forms[i]), forms[i], other, at + 2);
        struct run run =
            RUN("--config", config_file(testkit_format("head_bytes_max=2048\n%s", line)));
        assert_refused(&run, 1, "t.conf:2: '@' stands here, but '@include' is not supported");
        assert_i64(run.config.readers, i == 3 ? 3 : 2);
        assert_i64(run.config.head_bytes_max, 2048);
        config_done(&run.config);
    }
}

static void config_load__file_over_1_mib__refused(void **state)
{
    (void)state;
    size_t bytes = 1 << 20;
    char *text = testkit_alloc(bytes + 1);
    memset(text, '\n', bytes + 1);
    struct run run = RUN("--config", config_file_of(text, bytes));
    assert_loaded(&run);
    config_done(&run.config);
    run = RUN("--config", config_file_of(text, bytes + 1));
    assert_refused(&run, 1, "t.conf': larger than 1MiB\n");
    config_done(&run.config);
}

static void config_load__much_is_wrong__all_of_it_is_said(void **state)
{
    (void)state;
    struct run run = RUN("--readers=0", "--nonsense", "more", "--currency=usd", "--config",
                         config_file("pipeline_max = 0;\nhttp = \"0.0.0.0:1\";\nbogus = 1;\n"
                                     "log_level = \"loud\";\nreaders 5"));
    assert_refused(&run, 9, "billingd: --readers: '0' is not");
    assert_contains(run.errors, "billingd: '--nonsense' is not an option");
    assert_contains(run.errors, "billingd: 'more' is a word too many");
    assert_contains(run.errors, "billingd: --currency: 'usd' is not the code of a currency");
    assert_contains(run.errors, "t.conf:1: pipeline_max: '0' is not");
    assert_contains(run.errors, "t.conf:2: http: '0.0.0.0:1' can be reached from other hosts");
    assert_contains(run.errors, "t.conf:3: 'bogus' is not an option");
    assert_contains(run.errors, "t.conf:4: log_level: 'loud' is none of debug, info, warning");
    assert_contains(run.errors, "t.conf:5: syntax error");
    config_done(&run.config);
}

/* --- bounds ----------------------------------------------------------------------------------- */

/* VALUE for OPTION as a flag and in the file: taken, or refused with the bounds. */
static void check_bound(const struct config_option *option, int64_t value, bool good)
{
    bool octal = option->type == CONFIG_MODE;
    const char *text = octal ? testkit_format("%#llo", (unsigned long long)value)
                             : testkit_format("%lld", (long long)value);
    const char *quote = octal ? "\"" : "";
    const char *line = testkit_format("%s = %s%s%s;", option->name, quote, text, quote);
    struct run runs[] = {
        RUN(testkit_format("--%s=%s", option->name, text)),
        RUN("--config", config_file(line)),
    };
    for (size_t i = 0; i < 2; i++) {
        const char *expected = testkit_format(" from %s", config_option_bounds(option).text);
        if (!good) {
            assert_refused(&runs[i], 1, expected);
        } else if (strstr(runs[i].errors, expected) != NULL) {
            testkit_fail("%s", runs[i].errors);
        } else {
            assert_i64(*(int64_t *)((char *)&runs[i].config + option->offset), value);
        }
        config_done(&runs[i].config);
    }
}

static void config_load__each_number__is_held_to_its_bounds(void **state)
{
    (void)state;
    unsigned n = 0;
    for (size_t i = 0; i < config_options_n; i++) {
        const struct config_option *option = &config_options[i];
        if (config_option_bounds(option).text[0] == '\0') {
            continue;
        }
        n++;
        check_bound(option, option->min, true);
        check_bound(option, option->max, true);
        check_bound(option, option->max + 1, false);
        if (option->min > 0) {
            check_bound(option, option->min - 1, false);
        }
    }
    assert_true(n > 15);
}

static void config_option_set__numbers__with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"map_bytes", "1048576", 1048576},
        {"map_bytes", "1024KiB", 1048576},
        {"map_bytes", "3MiB", INT64_C(3) << 20},
        {"map_bytes", "5GiB", INT64_C(5) << 30},
        {"map_bytes", "64TiB", INT64_C(64) << 40},
        {"map_bytes", "0001MiB", 1048576},
        {"map_bytes", "1.5MiB", -1},
        {"map_bytes", "3 MiB", -1},
        {"map_bytes", " 3MiB", -1},
        {"map_bytes", "3MiB ", -1},
        {"map_bytes", "+3MiB", -1},
        {"map_bytes", "3MB", -1},
        {"map_bytes", "3M", -1},
        {"map_bytes", "3mib", -1},
        {"map_bytes", "3PiB", -1},
        {"map_bytes", "MiB", -1},
        {"map_bytes", "0x100000", -1},
        {"map_bytes", "16777217TiB", -1},          /* 2^64 + 2^40 bytes */
        {"map_bytes", "8388608TiB", -1},           /* 2^63 */
        {"map_bytes", "18446744073710600192", -1}, /* 2^64 + 1 MiB */
        {"map_bytes", "5m", -1},
        {"idle_timeout_ms", "0", 0},
        {"idle_timeout_ms", "0h", 0},
        {"idle_timeout_ms", "250", 250},
        {"idle_timeout_ms", "250ms", 250},
        {"idle_timeout_ms", "30s", 30000},
        {"idle_timeout_ms", "5m", 300000},
        {"idle_timeout_ms", "2h", 7200000},
        {"idle_timeout_ms", "1d", -1},
        {"idle_timeout_ms", "1m30s", -1},
        {"idle_timeout_ms", "5124095576030431h", -1}, /* 2^64 ms and a bit */
        {"readers", "3ms", -1},
        {"readers", "1KiB", -1},
        {"socket_mode", "0", 0},
        {"socket_mode", "777", 0777},
        {"socket_mode", "0o600", -1},
        {"socket_mode", "rw", -1},
        {"socket_mode", "9", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct config_option *option = config_option_by_name(cases[i].name);
        assert_non_null(option);
        struct config config = {0};
        int64_t *field = (int64_t *)((char *)&config + option->offset);
        *field = -1;
        int rc = config_option_set(option, cases[i].text, &config);
        if (*field != cases[i].value || (rc == 0) != (cases[i].value >= 0)) {
            testkit_fail("%s '%s' is %lld", cases[i].name, cases[i].text, (long long)*field);
        }
    }
}

static void config_load__lists__hold_eight(void **state)
{
    (void)state;
    char flags[16][16];
    const char *words[20] = {"billingd"};
    for (unsigned i = 0; i < CONFIG_LISTEN_MAX + 1; i++) {
        assert_true(snprintf(flags[i], sizeof flags[i], "--listen=unix:%u", i) > 0);
        words[1 + i] = flags[i];
    }
    struct run run = run_words(words);
    assert_refused(&run, 1, "billingd: --listen: 'unix:8' is one too many: at most 8\n");
    config_done(&run.config);
    words[CONFIG_LISTEN_MAX + 1] = NULL;
    run = run_words(words);
    assert_loaded(&run);
    assert_i64(run.config.listen.n, CONFIG_LISTEN_MAX);
    config_done(&run.config);
    run = RUN("--config", config_file("http = [\"localhost:1\", \"localhost:2\", \"localhost:3\","
                                      "\"localhost:4\", \"localhost:5\", \"localhost:6\","
                                      "\"localhost:7\", \"localhost:8\", \"localhost:9\"];"));
    assert_refused(&run, 1, "t.conf:1: http: 'localhost:9' is one too many: at most 8\n");
    config_done(&run.config);
}

/* --- anything --------------------------------------------------------------------------------- */

/* Files of pieces that make sense, in an order that mostly does not. */
static void config_load__random_files__never_crash_and_never_fail_silently(void **state)
{
    (void)state;
    static const char *const pieces[] = {"readers",  "listen",
                                         "data_dir", "bogus",
                                         " = ",      ";",
                                         "\n",       "[",
                                         "]",        "(",
                                         ")",        "{",
                                         "}",        ",",
                                         "12",       "-3",
                                         "4.5",      "0x1",
                                         "true",     "#",
                                         "/*",       "*/",
                                         "//",       "\"",
                                         "\"x\"",    "\\\"",
                                         "@",        "\n@include \"/dev/null\"\n",
                                         "\xff\xfe", "99999999999999999999"};
    struct rng rng = rng_make("config files");
    for (unsigned round = 0; round < 500; round++) {
        char text[512];
        size_t bytes = 0;
        for (uint64_t n = rng_below(&rng, 24); n > 0; n--) {
            const char *piece = pieces[rng_below(&rng, sizeof pieces / sizeof pieces[0])];
            size_t length = strlen(piece);
            memcpy(text + bytes, piece, length + 1);
            bytes += length;
        }
        const char *path = config_file_of(text, bytes);
        struct run run = RUN("--config", path); /* which compares status and errors */
        config_done(&run.config);
        assert_i64(unlink(path), 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(config_load__nothing_given__defaults, set_up),
    cmocka_unit_test_setup(config_load__flags__in_all_their_forms, set_up),
    cmocka_unit_test_setup(config_load__file__in_all_its_forms, set_up),
    cmocka_unit_test_setup(config_load__flag_and_file__the_flag_wins, set_up),
    cmocka_unit_test_setup(config_load__flag_wins__the_file_is_checked_all_the_same, set_up),
    cmocka_unit_test_setup(config_load__help_or_version__nothing_else_is_needed, set_up),
    cmocka_unit_test_setup(config_load__bad_command_line__says_which_word, set_up),
    cmocka_unit_test_setup(config_load__doubled_flags__refused_but_for_lists, set_up),
    cmocka_unit_test_setup(config_load__value_like_a_flag__is_missing, set_up),
    cmocka_unit_test_setup(config_load__bad_file__says_file_and_line, set_up),
    cmocka_unit_test_setup(config_load__text_without_end__says_where_it_begins, set_up),
    cmocka_unit_test_setup(config_load__nul_in_file__refused, set_up),
    cmocka_unit_test_setup(config_load__include__refused_and_not_opened, set_up),
    cmocka_unit_test_setup(config_load__file_over_1_mib__refused, set_up),
    cmocka_unit_test_setup(config_load__much_is_wrong__all_of_it_is_said, set_up),
    cmocka_unit_test_setup(config_load__each_number__is_held_to_its_bounds, set_up),
    cmocka_unit_test_setup(config_option_set__numbers__with_their_units, set_up),
    cmocka_unit_test_setup(config_load__lists__hold_eight, set_up),
    cmocka_unit_test_setup(config_load__random_files__never_crash_and_never_fail_silently, set_up),
};

TESTKIT_MAIN(tests)
