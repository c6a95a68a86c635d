/* What is known of a connection before it has said a word: how the listeners hand it to a door. */
#pragma once

#include <stdbool.h>

struct admission {
    bool has_room;  /* else it is told that there are too many */
    bool needs_key; /* without a token nobody knows who asks; else that is "anonymous", a writer */
};
