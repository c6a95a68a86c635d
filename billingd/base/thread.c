#include "billingd/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "billingd/base/assert.h"
#include "billingd/base/scheduling.h"
#include "proto/status.h"

enum {
    TURN_NS = 500 * 1000,
};

void thread_begin(const char *name)
{
    sigset_t all;
    IGNORE(sigfillset(&all)); /* cannot fail */
    INVARIANT(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    IGNORE(pthread_setname_np(pthread_self(), name)); /* only for people */
}

void thread_ask_short_turns(void)
{
    struct scheduling own = {.size = sizeof own};
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0U) == 0 && own.policy == SCHED_OTHER) {
        own.runtime_ns = TURN_NS;
        IGNORE(syscall(SYS_sched_setattr, 0, &own, 0U));
    }
}
