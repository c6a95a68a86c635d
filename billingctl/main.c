/* billingctl: the command line of billingd.  It knows the daemon through libbilling alone. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <unistd.h>

#include "billingctl/ctl.h"
#include "billingctl/output.h"
#include "billingctl/say.h"

/* Where one of the three standard streams is closed, the next thing that is opened takes its place:
 * the connection, and what is said would go to the daemon.  What takes it here can be used the
 * wrong way round only, so that using the stream fails as one that is closed does. */
static bool hold_streams(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd] | O_CLOEXEC) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_streams()) {
        return CTL_REFUSED; /* without a word: nobody knows where it would go */
    }
    /* Names are UTF-8 whatever the user's language; only widths in tables go by this. */
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "") == NULL) {
        say("no locale: tables may be out of line");
    }
    /* A reader that has gone ends us quietly, also where our parent ignores the signal. */
    if (signal(SIGPIPE, SIG_DFL) == SIG_ERR) {
        say("cannot reset SIGPIPE");
    }
    return output_finish(ctl_run(argc, argv));
}
