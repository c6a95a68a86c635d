/* How large a group may be while somebody waits for it: so large that it takes an eighth longer, or
 * a half, than a small one, which takes a sync however little is in it.
 *
 * Both are measured as they go, by steps towards the middle of what is seen, so that a sync that
 * takes ten times as long counts as one that is a little too long.  Pure; committer thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum pace_longer {
    PACE_EIGHTH = 8, /* longer by one in so many */
    PACE_HALF = 2,
};

struct pace {
    enum pace_longer longer; /* the caller's to set */
    int64_t small_us;        /* what a group of a turn at most takes; 0: not known */
    size_t bytes_max;        /* of a group that takes as much longer */
    unsigned taken;          /* groups */
};

/* A group of BYTES took US from its beginning to the end of its sync. */
void pace_note(struct pace *pace, size_t bytes, int64_t us);

/* The bytes that the next group may have, a turn at least.  Now and then it is to be a small one,
 * to see what that takes. */
size_t pace_next(struct pace *pace);
