/* billingctl: the command line of billingd.  It knows the daemon through libbilling alone. */
#include <locale.h>
#include <signal.h>

#include "billingctl/ctl.h"
#include "billingctl/output.h"
#include "billingctl/say.h"

int main(int argc, char **argv)
{
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
