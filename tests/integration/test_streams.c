/* The daemon started with some of its standard streams closed, as careless parents do: no file of
 * its own gets their numbers, where the log would be written into it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/door_kit.h"
#include "tests/lib/check_store.h"

static void add_customer(struct raw_client *client)
{
    Billing__V1__Request request = BILLING__V1__REQUEST__INIT;
    Billing__V1__CreateCustomer create = BILLING__V1__CREATE_CUSTOMER__INIT;
    create.has_customer_name = true;
    create.customer_name = raw_bytes("Acme");
    request.call_case = CALL(CREATE_CUSTOMER);
    request.create_customer = &create;
    assert_string_equal(kit_code(raw_client_call(client, &request)), "");
}

static void assert_is_null_device(struct daemon_process *daemon, int fd)
{
    struct stat null_device;
    struct stat held;
    assert_int_equal(stat("/dev/null", &null_device), 0);
    assert_int_equal(stat(testkit_format("/proc/%d/fd/%d", daemon_process_pid(daemon), fd), &held),
                     0);
    assert_true(S_ISCHR(held.st_mode) && held.st_rdev == null_device.st_rdev);
}

/* No file in DIRECTORY has a line of a log. */
static void assert_no_log_in(const char *directory)
{
    static const char part[] = "msg=";
    DIR *files = opendir(directory);
    unsigned n = 0;
    assert_non_null(files);
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        struct stat about;
        const char *path = testkit_format("%s/%s", directory, file->d_name);
        assert_int_equal(stat(path, &about), 0);
        if (S_ISREG(about.st_mode)) {
            size_t bytes;
            char *data = testkit_read_file(path, &bytes);
            if (memmem(data, bytes, part, strlen(part)) != NULL) {
                testkit_fail("the log is in %s", path);
            }
            free(data);
            n++;
        }
    }
    closedir(files);
    assert_true(n > 0);
}

/* With CLOSED: it serves, starts again on what it has, and both times writes to its files alone. */
static void check_closed(unsigned closed)
{
    static const char *const env[] = {"LISTEN_FDNAMES=tcp", NULL};
    static const char *const args[] = {"--log-level", "debug", NULL};
    struct raw_client client;
    const int fd = sock_listen("tcp:127.0.0.1:0"); /* who has no stderr cannot say where it is */
    const char *address = testkit_format("tcp:127.0.0.1:%u", sock_port(fd));
    struct daemon_options options = {.args = args,
                                     .env = env,
                                     .data_dir = testkit_tmpdir(),
                                     .listen_fds = &fd,
                                     .n_listen_fds = 1,
                                     .closed_streams = closed};
    struct daemon_process *daemon = daemon_process_spawn(&options);
    for (int start = 1; start <= 2; start++) {
        assert_true(raw_client_open(&client, address));
        add_customer(&client);
        for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
            if ((closed & 1U << stream) != 0) {
                assert_is_null_device(daemon, stream);
            }
        }
        raw_client_close(&client);
        daemon_process_stop(daemon);
        assert_no_log_in(options.data_dir);
        assert_u64(check_store(options.data_dir), (uint64_t)start);
        if (start == 1) {
            daemon_process_respawn(daemon);
        }
    }
    daemon_process_destroy(daemon);
    close(fd);
}

static void streams__closed_in_any_combination__the_log_is_in_no_file_of_the_store(void **state)
{
    (void)state;
    for (unsigned closed = 0; closed < 8; closed++) {
        check_closed(closed);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(streams__closed_in_any_combination__the_log_is_in_no_file_of_the_store),
};

TESTKIT_MAIN(tests)
