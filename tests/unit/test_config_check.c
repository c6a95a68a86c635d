/* Options that have to make sense beyond their own bounds, and the places that are found where
 * none is given. */
#include <unistd.h>

#include "billingd/base/log.h"
#include "tests/lib/testkit.h"
#include "tests/unit/config_run.h"

/* --- what goes together ----------------------------------------------------------------------- */

static const char insecure[] = "can be reached from other hosts, and nothing here is encrypted: "
                               "whoever is on the way could read everything, API keys too; refused "
                               "unless allow_insecure is true (--allow-insecure)\n";

static void config_check__addresses(void **state)
{
    (void)state;
    static const char bad_host[] = "the host is to be an IPv4 address, an IPv6 address in [ ], or "
                                   "localhost\n";
    static const char bad_port[] = "the port is to be a number from 0 to 65535\n";
    static const char no_port[] = "it is to end in ':' and a port\n";
    static const struct {
        const char *address;
        const char *error; /* NULL: good */
    } cases[] = {
        {"127.0.0.1:3001", NULL},
        {"127.255.255.255:65535", NULL},
        {"127.0.0.1:0", NULL},
        {"[::1]:3001", NULL},
        {"localhost:3001", NULL},
        {"0.0.0.0:3001", insecure},
        {"126.255.255.255:1", insecure},
        {"128.0.0.1:1", insecure},
        {"192.0.2.1:1", insecure},
        {"[::]:3001", insecure},
        {"[2001:db8::1]:1", insecure},
        {"[::2]:1", insecure},
        {"127.0.0.1", no_port},
        {"[::1]", no_port},
        {"[::1", no_port},
        {"[::1]x:1", no_port},
        {"localhost", no_port},
        {":3001", bad_host},
        {"[]:3001", bad_host},
        {"::1:3001", bad_host},
        {"[127.0.0.1]:1", bad_host},
        {"[localhost]:1", bad_host},
        {"127.1:1", bad_host},
        {"127.0.0.01:1", bad_host},
        {"256.0.0.1:1", bad_host},
        {"*:1", bad_host},
        {"example.org:1", bad_host},
        {"LOCALHOST:1", bad_host},
        {"unix:/a", bad_host},
        {"a-host-name-that-is-longer-than-any-address-that-there-is:1", bad_host},
        {"127.0.0.1:", bad_port},
        {"127.0.0.1:65536", bad_port},
        {"127.0.0.1:123456", bad_port},
        {"127.0.0.1:-1", bad_port},
        {"127.0.0.1:+1", bad_port},
        {"127.0.0.1: 1", bad_port},
        {"127.0.0.1:1x", bad_port},
        {"127.0.0.1:1:2", bad_port},
        {"[::1]:", bad_port},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *address = cases[i].address;
        struct run runs[] = {RUN("--http", address),
                             RUN("--listen", testkit_format("tcp:%s", address)),
                             RUN("--allow-insecure", "--http", address)};
        const char *expected[] = {cases[i].error, cases[i].error,
                                  cases[i].error == insecure ? NULL : cases[i].error};
        for (size_t j = 0; j < 3; j++) {
            if (expected[j] == NULL) {
                assert_loaded(&runs[j]);
            } else {
                assert_refused(&runs[j], 1, expected[j]);
                assert_contains(runs[j].errors, address);
            }
            config_done(&runs[j].config);
        }
    }
}

static void config_check__socket_paths(void **state)
{
    (void)state;
    char path[128];
    memset(path, 'x', sizeof path);
    path[107] = '\0';
    struct run run = RUN("--listen", testkit_format("unix:%s", path));
    assert_loaded(&run);
    config_done(&run.config);
    path[107] = 'x';
    path[108] = '\0';
    run = RUN("--listen", testkit_format("unix:%s", path));
    assert_refused(&run, 1, "the path has 108 bytes, and is to have 1 to 107\n");
    config_done(&run.config);
    run = RUN("--listen", "unix:");
    assert_refused(&run, 1, "--listen: 'unix:': the path has 0 bytes, and is to have 1 to 107\n");
    config_done(&run.config);
    run = RUN("--listen", "/run/billingd.sock");
    assert_refused(&run, 1, "'/run/billingd.sock' is neither unix:PATH nor tcp:HOST:PORT\n");
    config_done(&run.config);
    assert_i64(setenv("RUNTIME_DIRECTORY", testkit_format("/%s", path), 1), 0);
    run = RUN();
    assert_refused(&run, 1, "billingd: listen: 'unix:/xxx");
    config_done(&run.config);
}

static void config_check__the_same_address_twice__refused(void **state)
{
    (void)state;
    struct run run = RUN("--listen=unix:/a", "--listen=unix:/b", "--listen=unix:/a",
                         "--http=[::1]:8", "--http=[::1]:8");
    assert_refused(&run, 2, "billingd: --listen: 'unix:/a' stands there twice\n");
    assert_contains(run.errors, "billingd: --http: '[::1]:8' stands there twice\n");
    config_done(&run.config);
    run = RUN("--http=[::1]:0", "--http=[::1]:0"); /* two ports of the kernel's choosing */
    assert_loaded(&run);
    config_done(&run.config);
}

static void config_check__hosts__are_names_without_a_port(void **state)
{
    (void)state;
    static const char *const good[] = {"localhost", "Billing.example", "127.0.0.1",
                                       "[::1]",     "[2001:db8::1]",   "a_b-c.d~"};
    static const char *const bad[] = {"a:80", "a b",      "::1", "[::1]:80",  "[::1",     "[]",
                                      "[a]",  "http://a", "a/",  "*.example", "a\xC3\xA9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct run run = RUN("--http-hosts", good[i]);
        assert_loaded(&run);
        config_done(&run.config);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct run run = RUN("--http-hosts", bad[i]);
        assert_refused(&run, 1,
                       testkit_format("--http-hosts: '%s' is to be a name or an address", bad[i]));
        config_done(&run.config);
    }
}

/* What no browser ever sends would let nobody in, and nobody would know why. */
static void config_check__origins__are_as_browsers_write_them(void **state)
{
    (void)state;
    static const char form[] = "is to be scheme://host or scheme://host:port in lower case";
    static const char usual[] = "browsers never say the usual port of a scheme";
    static const struct {
        const char *origin;
        const char *error; /* NULL: good */
    } cases[] = {
        {"https://console.example.com", NULL},
        {"http://localhost:8080", NULL},
        {"http://localhost:443", NULL},
        {"https://localhost:80", NULL},
        {"https://[2001:db8::1]", NULL},
        {"http://[::1]:65535", NULL},
        {"moz-extension://0e4b5f6a-0000-4000-8000-000000000000", NULL},
        {"https://console.example.com:443", usual},
        {"http://[::1]:80", usual},
        {"null", form},
        {"*", form},
        {"console.example.com", form},
        {"://a", form},
        {"https://", form},
        {"https://:8080", form},
        {"https://Console.example.com", form},
        {"HTTPS://console.example.com", form},
        {"https://console.example.com/", form},
        {"https://user@console.example.com", form},
        {"https://a:", form},
        {"https://a:0", form},
        {"https://a:080", form},
        {"https://a:65536", form},
        {"https://a:8:8", form},
        {"https://[::1", form},
        {"https://[a]", form},
        {"https://[::1]a", form},
        {"https://a b", form},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = RUN("--http-origins", cases[i].origin);
        if (cases[i].error == NULL) {
            assert_loaded(&run);
        } else {
            assert_refused(&run, 1, cases[i].error);
            assert_contains(run.errors, testkit_format("--http-origins: '%s'", cases[i].origin));
        }
        config_done(&run.config);
    }
}

static void config_check__currencies(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        bool good;
    } cases[] = {{"EUR", true},  {"JPY", true},  {"BHD", true},  {"usd", false},
                 {"Usd", false}, {"XYZ", false}, {"U D", false}, {"D E", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = RUN("--currency", cases[i].code);
        if (cases[i].good) {
            assert_loaded(&run);
            assert_string_equal(run.config.currency, cases[i].code);
        } else {
            assert_refused(
                &run, 1,
                testkit_format("--currency: '%s' is not the code of a currency", cases[i].code));
        }
        config_done(&run.config);
    }
}

static void config_check__stores(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        const char *error; /* NULL: good */
    } cases[] = {
        {"lmdb:", NULL},
        {"lmdb:/data?head_records=4096", NULL},
        {"lmdb", "--store: 'lmdb' names no engine; known: lmdb:"},
        {"postgresql://h/b", "--store: 'postgresql://h/b' names no engine; known: lmdb:"},
        {"lmdb:?head_records=x", "--store: head_records is to be from "},
        {"lmdb:?nosuch=1", "--store: unknown option 'nosuch=1'"},
        {"lmdb:data", "--store: the directory in 'lmdb:data' is to begin with '/'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = RUN("--store", cases[i].uri);
        if (cases[i].error == NULL) {
            assert_loaded(&run);
        } else {
            assert_refused(&run, 1, cases[i].error);
        }
        config_done(&run.config);
    }
}

static void config_check__catalogues(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int listed;
    } cases[] = {{"open", 0},
                 {"listed", 1},
                 {"Open", STATUS_OUT_OF_BOUNDS},
                 {"closed", STATUS_OUT_OF_BOUNDS},
                 {"listed ", STATUS_OUT_OF_BOUNDS}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run run = RUN("--catalogue", cases[i].name);
        assert_i64(config_catalogue_listed(cases[i].name), cases[i].listed);
        if (cases[i].listed >= 0) {
            assert_loaded(&run);
            assert_string_equal(run.config.catalogue, cases[i].name);
        } else {
            assert_refused(
                &run, 1,
                testkit_format("--catalogue: '%s' is none of open, listed", cases[i].name));
        }
        config_done(&run.config);
    }
}

static void config_log_level__names(void **state)
{
    (void)state;
    assert_i64(config_log_level("debug"), LOG_LEVEL_DEBUG);
    assert_i64(config_log_level("info"), LOG_LEVEL_INFO);
    assert_i64(config_log_level("warning"), LOG_LEVEL_WARNING);
    assert_i64(config_log_level("error"), LOG_LEVEL_ERROR);
    assert_status(config_log_level("warn"), STATUS_OUT_OF_BOUNDS);
    struct run run = RUN("--log-level=warn");
    assert_refused(&run, 1, "--log-level: 'warn' is none of debug, info, warning, error\n");
    config_done(&run.config);
}

static void config_check__queue_smaller_than_a_request__refused(void **state)
{
    (void)state;
    struct run run = RUN("--queue-bytes-max=1MiB");
    assert_refused(&run, 2,
                   "--queue-bytes-max: 1048576 bytes are less than one request may have: "
                   "frame_bytes_max is 16777216\n");
    assert_contains(run.errors, "body_bytes_max is 16777216\n");
    config_done(&run.config);
    run = RUN("--queue-bytes-max=64KiB", "--frame-bytes-max=64KiB", "--body-bytes-max=1KiB",
              "--queue-ops-max=1");
    assert_loaded(&run);
    config_done(&run.config);
    run =
        RUN("--config", config_file("frame_bytes_max = \"64MiB\";\nqueue_bytes_max = \"32MiB\";"));
    assert_refused(&run, 1, "t.conf:2: queue_bytes_max: 33554432 bytes are less");
    config_done(&run.config);
}

/* --- places ----------------------------------------------------------------------------------- */

struct place {
    const char *set[3][2]; /* variables */
    const char *user;      /* what another user than root gets; NULL: nothing */
    const char *root;
};

static void check_place(const struct place *place, int (*find)(char *buffer, size_t bytes),
                        const char *expected)
{
    char path[64] = "";
    forget_environment();
    for (size_t i = 0; i < 3 && place->set[i][0] != NULL; i++) {
        assert_i64(setenv(place->set[i][0], place->set[i][1], 1), 0);
    }
    if (expected == NULL) {
        assert_status(find(path, sizeof path), STATUS_OUT_OF_BOUNDS);
        return;
    }
    assert_ok(find(path, sizeof path));
    assert_string_equal(path, expected);
    assert_status(find(path, strlen(expected)), STATUS_OUT_OF_BOUNDS);
    assert_ok(find(path, strlen(expected) + 1));
}

static void check_places(const struct place *places, size_t n,
                         int (*find)(char *buffer, size_t bytes))
{
    bool root = geteuid() == 0;
    for (size_t i = 0; i < n; i++) {
        check_place(&places[i], find, root ? places[i].root : places[i].user);
    }
    if (!root) {
        return; /* root's places are root's to see */
    }
    assert_i64(seteuid(65534), 0);
    for (size_t i = 0; i < n; i++) {
        check_place(&places[i], find, places[i].user);
    }
    assert_i64(seteuid(0), 0);
}

static void config_data_dir__places_in_their_order(void **state)
{
    (void)state;
    static const struct place places[] = {
        {{{"STATE_DIRECTORY", "/s"}, {"XDG_STATE_HOME", "/x"}, {"HOME", "/h"}}, "/s", "/s"},
        {{{"STATE_DIRECTORY", "/s:/t"}}, "/s", "/s"},
        {{{"STATE_DIRECTORY", ""}, {"XDG_STATE_HOME", "/x"}}, "/x/billingd", "/x/billingd"},
        {{{"XDG_STATE_HOME", "/x:y"}}, "/x:y/billingd", "/x:y/billingd"},
        {{{"XDG_STATE_HOME", "x"}, {"HOME", "/h"}},
         "/h/.local/state/billingd",
         "/var/lib/billingd"},
        {{{"XDG_STATE_HOME", ""}, {"HOME", "/h"}}, "/h/.local/state/billingd", "/var/lib/billingd"},
        {{{"HOME", "h"}}, NULL, "/var/lib/billingd"},
        {{{NULL}}, NULL, "/var/lib/billingd"},
    };
    check_places(places, sizeof places / sizeof places[0], config_data_dir);
}

static void config_socket_path__places_in_their_order(void **state)
{
    (void)state;
    static const struct place places[] = {
        {{{"RUNTIME_DIRECTORY", "/r"}, {"XDG_RUNTIME_DIR", "/x"}},
         "/r/billingd.sock",
         "/r/billingd.sock"},
        {{{"RUNTIME_DIRECTORY", "/r:/t"}}, "/r/billingd.sock", "/r/billingd.sock"},
        {{{"RUNTIME_DIRECTORY", ""}, {"XDG_RUNTIME_DIR", "/x"}},
         "/x/billingd.sock",
         "/x/billingd.sock"},
        {{{"XDG_RUNTIME_DIR", "x"}}, NULL, "/run/billingd/billingd.sock"},
        {{{"HOME", "/h"}}, NULL, "/run/billingd/billingd.sock"},
    };
    check_places(places, sizeof places / sizeof places[0], config_socket_path);
}

static void config_load__no_place_known__says_what_to_set(void **state)
{
    (void)state;
    if (geteuid() == 0) {
        assert_i64(seteuid(65534), 0);
    }
    forget_environment();
    struct run run = RUN();
    struct run given = RUN("--data-dir=/d", "--listen=unix:/s");
    if (getuid() == 0) {
        assert_i64(seteuid(0), 0);
    }
    assert_refused(&run, 2,
                   "billingd: data_dir: not given, and STATE_DIRECTORY, XDG_STATE_HOME and "
                   "HOME give no place for it\n");
    assert_contains(run.errors, "billingd: listen: not given, and RUNTIME_DIRECTORY and "
                                "XDG_RUNTIME_DIR give no place for it\n");
    assert_loaded(&given);
    config_done(&run.config);
    config_done(&given.config);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(config_check__addresses, set_up),
    cmocka_unit_test_setup(config_check__socket_paths, set_up),
    cmocka_unit_test_setup(config_check__the_same_address_twice__refused, set_up),
    cmocka_unit_test_setup(config_check__hosts__are_names_without_a_port, set_up),
    cmocka_unit_test_setup(config_check__origins__are_as_browsers_write_them, set_up),
    cmocka_unit_test_setup(config_check__currencies, set_up),
    cmocka_unit_test_setup(config_check__stores, set_up),
    cmocka_unit_test_setup(config_check__catalogues, set_up),
    cmocka_unit_test_setup(config_log_level__names, set_up),
    cmocka_unit_test_setup(config_check__queue_smaller_than_a_request__refused, set_up),
    cmocka_unit_test_setup(config_data_dir__places_in_their_order, set_up),
    cmocka_unit_test_setup(config_socket_path__places_in_their_order, set_up),
    cmocka_unit_test_setup(config_load__no_place_known__says_what_to_set, set_up),
};

TESTKIT_MAIN(tests)
