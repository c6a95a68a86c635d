/* What threads are: quiet to signals, and with short turns where they ask for them. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "billingd/base/scheduling.h"
#include "billingd/base/thread.h"
#include "tests/lib/testkit.h"

enum {
    NICE = 3,
};

static void thread_begin__names_it_and_leaves_signals_to_others(void **state)
{
    char name[16];
    sigset_t blocked;
    (void)state;
    thread_begin("worker");
    assert_int_equal(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    assert_string_equal(name, "worker");
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_true(sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGXFSZ));
}

static struct scheduling of_caller(void)
{
    struct scheduling own;
    memset(&own, 0, sizeof own);
    assert_int_equal(syscall(SYS_sched_getattr, 0, &own, sizeof own, 0U), 0);
    return own;
}

/* All else, its weight above all, stays what whoever started the daemon has chosen. */
static void thread_ask_short_turns__changes_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(setpriority(PRIO_PROCESS, 0, NICE), 0);
    struct scheduling before = of_caller();
    thread_ask_short_turns();
    struct scheduling after = of_caller();
    assert_i64(after.nice, NICE);
    after.runtime_ns = before.runtime_ns;
    assert_memory_equal(&after, &before, sizeof before);
}

static bool kernel_has_turns(void)
{
    struct utsname name;
    char *end;
    assert_int_equal(uname(&name), 0);
    unsigned long major = strtoul(name.release, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return major * 1000 + minor >= 6012;
}

static void thread_ask_short_turns__since_linux_6_12__they_are_below_a_millisecond(void **state)
{
    (void)state;
    if (!kernel_has_turns()) {
        print_message("a kernel before 6.12 has no such turns\n");
        skip();
    }
    thread_ask_short_turns();
    assert_in_range(of_caller().runtime_ns, 100 * 1000, 1000 * 1000 - 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(thread_begin__names_it_and_leaves_signals_to_others),
    cmocka_unit_test(thread_ask_short_turns__changes_nothing_else),
    cmocka_unit_test(thread_ask_short_turns__since_linux_6_12__they_are_below_a_millisecond),
};

TESTKIT_MAIN(tests)
