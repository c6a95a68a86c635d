/* How billingctl ends: scripts go by these, so they are never renumbered. */
#pragma once

#define MUSTCHECK __attribute__((warn_unused_result))

enum ctl_exit {
    CTL_DONE = 0,
    CTL_REFUSED = 1,      /* the daemon says no, or something on this side failed */
    CTL_USAGE = 2,        /* bad command line, or what stands behind it */
    CTL_NOT_RECORDED = 3, /* certainly nothing recorded: try again */
    CTL_UNKNOWN = 4,      /* recorded or not: run again with the same request id */
    CTL_SIGNAL = 128,     /* + the signal that ended it */
};
