/* The log: one event a line, whatever the values hold.  Linked with -Wl,--wrap=write. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "billingd/base/log.h"
#include "billingd/base/log_sink.h"
#include "proto/utf8.h"
#include "tests/lib/testkit.h"

/* --- writes that would wait ------------------------------------------------------------------- */

static unsigned waits; /* that there would have been */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker names them so */
ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
/* NOLINTEND(bugprone-reserved-identifier) */

/* The log's, one at a time: what would wait for a reader fails instead. */
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    if (poll(&writable, 1, 0) == 1) {
        return __real_write(fd, bytes, length);
    }
    waits++;
    errno = EAGAIN;
    return -1;
}

/* --- stderr, caught --------------------------------------------------------------------------- */

struct catch
{
    int pipe[2];
    int stderr_fd;
};

static void begin_catch(struct catch *c)
{
    assert_int_equal(pipe2(c->pipe, O_CLOEXEC), 0);
    c->stderr_fd = dup(STDERR_FILENO);
    assert_true(c->stderr_fd >= 0 && dup2(c->pipe[1], STDERR_FILENO) >= 0);
}

/* What was written, which is less than a pipe holds. */
static const char *end_catch(struct catch *c)
{
    char *text = testkit_alloc(65536);
    assert_true(dup2(c->stderr_fd, STDERR_FILENO) >= 0);
    close(c->stderr_fd);
    close(c->pipe[1]);
    ssize_t n;
    size_t length = 0;
    while ((n = read(c->pipe[0], text + length, 65535 - length)) > 0) {
        length += (size_t)n;
    }
    close(c->pipe[0]);
    return text;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += *text == c;
    }
    return n;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void log_write__fields__are_one_line_of_logfmt(void **state)
{
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_info(LOG_NET, "listening here", LOG_TEXT("door", "http"), LOG_INT("port", -80),
             LOG_INT("low", INT64_MIN));
    const char *text = end_catch(&c);
    assert_contains(text, " level=info area=net msg=\"listening here\" door=http port=-80"
                          " low=-9223372036854775808\n");
    assert_memory_equal(text, "time=20", 7);
    assert_u64(count(text, '\n'), 1);
}

static void log_write__hostile_values__cannot_end_the_line_or_forge_a_field(void **state)
{
    static const char bytes[] = "a\n level=error\x1B[2J \"x\" \\ \0 \x7F \xC2\x85 \xE2\x80\xAE end";
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_warning(LOG_RPC, "m", LOG_SLICE("v", ((struct slice){bytes, sizeof bytes - 1})),
                LOG_TEXT("empty", ""));
    const char *text = end_catch(&c);
    assert_contains(text, " v=\"a\\n level=error\\u001b[2J \\\"x\\\" \\\\ \\u0000 \\u007f \\u0085 "
                          "\\u202e end\" empty=\"\"\n");
    assert_u64(count(text, '\n'), 1);
}

static void log_write__bytes_that_are_no_utf_8__are_shown_as_such(void **state)
{
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_info(LOG_RPC, "m", LOG_TEXT("v", "Z\xC3\xBCrich \xFF \xC3 \xED\xA0\x80"));
    const char *text = end_catch(&c);
    assert_contains(text, " v=\"Z\xC3\xBCrich \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD"
                          "\xEF\xBF\xBD\"\n");
}

static void log_write__a_line_too_long__is_cut_and_still_a_line(void **state)
{
    struct catch c;
    char *value = testkit_alloc(10001);
    (void)state;
    memset(value, 'y', 10000);
    begin_catch(&c);
    log_error(LOG_STORE, "first", LOG_TEXT("v", value), LOG_INT("behind", 1));
    log_error(LOG_STORE, "second");
    const char *text = end_catch(&c);
    assert_u64(count(text, '\n'), 2);
    assert_true(strchr(text, '\n') + 1 - text <= LOG_LINE_BYTES);
    assert_contains(text, "yyy\" cut=true\ntime=");
    assert_null(strstr(text, "behind"));
    assert_contains(text, "msg=second\n");
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* The member NAME of the object that LINE is. */
static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, name, &value)) {
        testkit_fail("there is no %s", name);
    }
    return value;
}

/* LINE, of LENGTH bytes with its newline, as an object. */
static struct json_object *parse_line(const char *line, size_t length)
{
    struct json_tokener *tokener = json_tokener_new_ex(4);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *object = json_tokener_parse_ex(tokener, line, (int)length);
    if (json_tokener_get_error(tokener) != json_tokener_success) {
        testkit_fail("not JSON: %.*s", (int)length, line);
    }
    assert_true(json_tokener_get_parse_end(tokener) >= length - 1);
    json_tokener_free(tokener);
    return object;
}

static void log_line__json__has_each_field_with_its_value(void **state)
{
    static const char bytes[] = "\"x\"\n\0 \x1B Z\xC3\xBCrich";
    struct slice value = {bytes, sizeof bytes - 1};
    struct log_line line;
    (void)state;
    log_line_begin(&line, LOG_JSON, -1);
    log_line_text(&line, "v", value);
    log_line_text(&line, "empty", SLICE(""));
    log_line_int(&line, "n", INT64_MIN);
    log_line_end(&line);
    struct json_object *object = parse_line(line.text, line.length);
    struct json_object *v = member(object, "v");
    assert_u64((size_t)json_object_get_string_len(v), value.length);
    assert_memory_equal(json_object_get_string(v), value.data, value.length);
    assert_string_equal(json_object_get_string(member(object, "empty")), "");
    assert_i64(json_object_get_int64(member(object, "n")), INT64_MIN);
    json_object_put(object);
}

/* Random bytes, many of them from around the bounds of UTF-8. */
static void fill_random(struct rng *rng, char *bytes, size_t length)
{
    static const unsigned char edges[] = {0xC2, 0x80, 0xE2, 0x80, 0xA8, 0xED,
                                          0xA0, 0xF4, 0x90, 0xEF, 0xBB, 0xBF};
    for (size_t i = 0; i < length; i++) {
        bool edge = rng_below(rng, 3) == 0;
        bytes[i] = (char)(edge ? edges[rng_below(rng, sizeof edges)] : rng_below(rng, 256));
    }
}

static void log_line__whatever_the_values_hold__is_one_valid_line(void **state)
{
    struct rng rng = rng_make("log lines");
    char *bytes = testkit_alloc(6000);
    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        enum log_format format = round % 2 == 0 ? LOG_JSON : LOG_LOGFMT;
        size_t length = (size_t)rng_below(&rng, round % 10 == 0 ? 6000 : 60);
        struct log_line line;
        fill_random(&rng, bytes, length);
        log_line_begin(&line, format, -1);
        log_line_text(&line, "a", (struct slice){bytes, length});
        log_line_int(&line, "b", (int64_t)round);
        log_line_text(&line, "c", (struct slice){bytes, length / 2});
        log_line_end(&line);
        assert_true(line.length <= LOG_LINE_BYTES);
        assert_true(memchr(line.text, '\n', line.length) == line.text + line.length - 1);
        assert_true(utf8_printable(line.text, line.length - 1));
        if (format == LOG_JSON) {
            json_object_put(parse_line(line.text, line.length));
        }
    }
}

static void log_configure__journal__priority_before_and_no_time(void **state)
{
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_configure(
        &(struct log_options){.level = LOG_LEVEL_DEBUG, .format = LOG_LOGFMT, .journal = true});
    log_debug(LOG_DAEMON, "a");
    log_info(LOG_DAEMON, "b");
    log_warning(LOG_DAEMON, "c");
    log_configure(
        &(struct log_options){.level = LOG_LEVEL_INFO, .format = LOG_JSON, .journal = true});
    log_error(LOG_DAEMON, "d");
    log_configure(&(struct log_options){.level = LOG_LEVEL_INFO});
    assert_string_equal(end_catch(&c),
                        "<7>level=debug area=daemon msg=a\n<6>level=info area=daemon msg=b\n"
                        "<4>level=warning area=daemon msg=c\n"
                        "<3>{\"level\":\"error\",\"area\":\"daemon\",\"msg\":\"d\"}\n");
}

static void log_sink_is_journal__compares_device_and_inode(void **state)
{
    struct stat file;
    (void)state;
    assert_i64(fstat(STDERR_FILENO, &file), 0);
    unsigned long long device = file.st_dev;
    unsigned long long inode = file.st_ino;
    assert_true(log_sink_is_journal(testkit_format("%llu:%llu", device, inode)));
    assert_false(log_sink_is_journal(testkit_format("%llu:%llu", device, inode + 1)));
    assert_false(log_sink_is_journal(testkit_format("%llu:%llu", device + 1, inode)));
    assert_false(log_sink_is_journal(testkit_format("%llu", device)));
    assert_false(log_sink_is_journal(""));
    assert_false(log_sink_is_journal(NULL));
}

/* --- a reader that does not read -------------------------------------------------------------- */

/* Log until lines are dropped; none is waited for. */
static uint64_t log_until_dropped(void)
{
    uint64_t before = log_dropped();
    char *value = testkit_alloc(1001);
    memset(value, 'x', 1000);
    for (unsigned i = 0; i < 2000; i++) {
        log_info(LOG_NET, "filling", LOG_TEXT("v", value), LOG_INT("i", i));
    }
    assert_true(log_dropped() > before);
    return log_dropped() - before;
}

/* All that can be read from FD now. */
static const char *read_all(int fd)
{
    size_t room = 4 * 1024 * 1024;
    char *text = testkit_alloc(room);
    size_t length = 0;
    ssize_t n;
    assert_true(fcntl(fd, F_SETFL, O_NONBLOCK) >= 0);
    while ((n = read(fd, text + length, room - 1 - length)) > 0) {
        length += (size_t)n;
    }
    return text;
}

/* Every line of TEXT is whole. */
static void check_whole_lines(const char *text)
{
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_memory_equal(at, "time=", 5);
        assert_true(at[strcspn(at, "\n")] == '\n');
    }
}

static void check_reader_that_stops(int read_fd, int write_fd)
{
    int stderr_fd = dup(STDERR_FILENO);
    assert_true(stderr_fd >= 0 && dup2(write_fd, STDERR_FILENO) >= 0);
    uint64_t dropped = log_until_dropped();
    const char *filled = read_all(read_fd);
    log_info(LOG_NET, "again");
    const char *behind = read_all(read_fd);
    uint64_t more = log_until_dropped();
    check_whole_lines(read_all(read_fd));
    log_catch_up();
    log_catch_up();
    const char *caught_up = read_all(read_fd);
    assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
    close(stderr_fd);
    assert_u64(waits, 0);
    check_whole_lines(filled);
    assert_u64(count(filled, '\n') + dropped, 2000);
    assert_contains(behind, testkit_format(" level=warning area=daemon msg=\"log lines were "
                                           "dropped: stderr had no room\" count=%llu\ntime=",
                                           (unsigned long long)dropped));
    assert_contains(behind, "msg=again\n");
    assert_contains(caught_up, testkit_format(" count=%llu\n", (unsigned long long)more));
    assert_u64(count(caught_up, '\n'), 1);
}

static void log_write__full_pipe__drops_counts_and_says_so(void **state)
{
    int fds[2];
    (void)state;
    assert_i64(pipe2(fds, O_CLOEXEC), 0);
    check_reader_that_stops(fds[0], fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void log_write__full_socket__likewise(void **state)
{
    int fds[2];
    (void)state;
    assert_i64(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    check_reader_that_stops(fds[0], fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void *log_much(void *arg)
{
    for (unsigned i = 0; i < 500; i++) {
        log_info(LOG_NET, "from a thread", LOG_TEXT("v", arg), LOG_INT("i", i));
    }
    return NULL;
}

static void log_write__many_threads_and_a_small_pipe__none_waits(void **state)
{
    enum {
        THREADS = 8,
    };
    pthread_t threads[THREADS];
    int fds[2];
    char *value = testkit_alloc(3001);
    (void)state;
    memset(value, 'x', 3000);
    assert_i64(pipe2(fds, O_CLOEXEC), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 8192) >= 0);
    int stderr_fd = dup(STDERR_FILENO);
    assert_true(stderr_fd >= 0 && dup2(fds[1], STDERR_FILENO) >= 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_i64(pthread_create(&threads[i], NULL, log_much, value), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_i64(pthread_join(threads[i], NULL), 0);
    }
    assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
    close(stderr_fd);
    assert_u64(waits, 0);
    check_whole_lines(read_all(fds[0]));
    close(fds[0]);
    close(fds[1]);
    log_catch_up();
}

/* --- levels and the hook ---------------------------------------------------------------------- */

static void log_set_level__below_it__nothing_is_written(void **state)
{
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_debug(LOG_DAEMON, "hidden");
    log_set_level(LOG_LEVEL_ERROR);
    log_warning(LOG_DAEMON, "hidden");
    log_error(LOG_DAEMON, "seen");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug(LOG_DAEMON, "seen");
    log_set_level(LOG_LEVEL_INFO);
    const char *text = end_catch(&c);
    assert_null(strstr(text, "hidden"));
    assert_u64(count(text, '\n'), 2);
}

struct hooked {
    unsigned n;
    const char *message;
    const char *field;
};

static void note_error(enum log_area area, const char *message, const struct log_field *fields,
                       void *arg)
{
    struct hooked *hooked = arg;
    assert_i64(area, LOG_STORE);
    hooked->n++;
    hooked->message = message;
    hooked->field = fields[0].name;
}

static void log_set_error_hook__errors_alone__and_until_it_is_taken_away(void **state)
{
    struct catch c;
    struct hooked hooked = {0};
    (void)state;
    begin_catch(&c);
    log_set_error_hook(note_error, &hooked);
    log_warning(LOG_STORE, "a warning");
    log_error(LOG_STORE, "an error", LOG_INT("n", 1));
    log_set_error_hook(NULL, NULL);
    log_error(LOG_STORE, "another");
    IGNORE(end_catch(&c) == NULL);
    assert_u64(hooked.n, 1);
    assert_string_equal(hooked.message, "an error");
    assert_string_equal(hooked.field, "n");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(log_write__fields__are_one_line_of_logfmt),
    cmocka_unit_test(log_write__hostile_values__cannot_end_the_line_or_forge_a_field),
    cmocka_unit_test(log_write__bytes_that_are_no_utf_8__are_shown_as_such),
    cmocka_unit_test(log_write__a_line_too_long__is_cut_and_still_a_line),
    cmocka_unit_test(log_line__json__has_each_field_with_its_value),
    cmocka_unit_test(log_line__whatever_the_values_hold__is_one_valid_line),
    cmocka_unit_test(log_configure__journal__priority_before_and_no_time),
    cmocka_unit_test(log_sink_is_journal__compares_device_and_inode),
    cmocka_unit_test(log_write__full_pipe__drops_counts_and_says_so),
    cmocka_unit_test(log_write__full_socket__likewise),
    cmocka_unit_test(log_write__many_threads_and_a_small_pipe__none_waits),
    cmocka_unit_test(log_set_level__below_it__nothing_is_written),
    cmocka_unit_test(log_set_error_hook__errors_alone__and_until_it_is_taken_away),
};

TESTKIT_MAIN(tests)
