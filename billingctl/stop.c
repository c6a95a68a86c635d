#include "billingctl/stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "billingctl/say.h"

static volatile sig_atomic_t asked; /* set by the handler */

/* What is raised here comes when this returns. */
static void note(int number)
{
    if (asked == 0) {
        asked = number;
    } else if (signal(number, SIG_DFL) != SIG_ERR) {
        (void)raise(number);
    }
}

/* Calls that wait are to return: there is no SA_RESTART. */
static void arm(int number)
{
    struct sigaction before;
    const struct sigaction action = {.sa_handler = note};
    if (sigaction(number, NULL, &before) != 0 || before.sa_handler == SIG_IGN) {
        return;
    }
    if (sigaction(number, &action, NULL) != 0) {
        say("cannot catch signals: %s", strerror(errno));
    }
}

void stop_catch(void)
{
    arm(SIGINT);
    arm(SIGTERM);
}

int stop_asked(void)
{
    return (int)asked;
}
