/* What is known of a connection before it has said a word: how the listeners hand it to a door. */
#pragma once

#include <stdbool.h>

struct newcomers;

struct admission {
    bool has_room; /* else it is told that there are too many */
    /* Whether, without a token, nobody knows who asks; else that is "anonymous", a writer.  Kept by
     * reference: it may change while the connection is open.  NULL: it never does. */
    const bool *needs_key;
    struct newcomers *newcomers; /* of whom it is one until it shows a key; not NULL where it may
                                    need one */
};
