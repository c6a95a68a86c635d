#include "billingd/base/thread.h"

#include <pthread.h>
#include <signal.h>

#include "billingd/base/assert.h"
#include "proto/status.h"

void thread_begin(const char *name)
{
    sigset_t all;
    IGNORE(sigfillset(&all)); /* cannot fail */
    INVARIANT(pthread_sigmask(SIG_BLOCK, &all, NULL) == 0);
    IGNORE(pthread_setname_np(pthread_self(), name)); /* only for people */
}
