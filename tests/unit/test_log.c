/* The log: one event a line, whatever the values hold. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "billingd/base/log.h"
#include "tests/lib/testkit.h"

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
    static const char bytes[] = "a\n level=error\x1B[2J \"x\" \\ \0 \x7F end";
    struct catch c;
    (void)state;
    begin_catch(&c);
    log_warning(LOG_RPC, "m", LOG_SLICE("v", ((struct slice){bytes, sizeof bytes - 1})),
                LOG_TEXT("empty", ""));
    const char *text = end_catch(&c);
    assert_contains(text, " v=\"a? level=error?[2J \\\"x\\\" \\\\ ? ? end\" empty=\"\"\n");
    assert_u64(count(text, '\n'), 1);
}

static void log_write__a_line_too_long__is_cut_and_still_a_line(void **state)
{
    struct catch c;
    char *value = testkit_alloc(10001);
    (void)state;
    memset(value, 'y', 10000);
    begin_catch(&c);
    log_error(LOG_STORE, "first", LOG_TEXT("v", value));
    log_error(LOG_STORE, "second");
    const char *text = end_catch(&c);
    assert_u64(count(text, '\n'), 2);
    assert_true(strlen(text) < 4096);
    assert_contains(text, "yyy\ntime=");
    assert_contains(text, "msg=second\n");
}

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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(log_write__fields__are_one_line_of_logfmt),
    cmocka_unit_test(log_write__hostile_values__cannot_end_the_line_or_forge_a_field),
    cmocka_unit_test(log_write__a_line_too_long__is_cut_and_still_a_line),
    cmocka_unit_test(log_set_level__below_it__nothing_is_written),
};

TESTKIT_MAIN(tests)
