/* Other users, played by root, at a Unix socket in a directory that all may enter.  Main thread. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "tests/lib/raw_client.h"

/* Whether this is root, and UID is a user of its name space whom it may play. */
bool other_users_are_here(uid_t uid);

/* Where to listen, unix:PATH, in a directory made for it: the kit's own are nobody else's to
 * enter. */
const char *other_users_make_door(void);

/* The socket at ADDRESS goes with its directory, while the daemon that listens there ends. */
void other_users_remove_door(const char *address);

/* Connect CLIENT to ADDRESS as UID, in GID beside a group of its own that no rule names; 0: in that
 * alone. */
void other_users_open(struct raw_client *client, const char *address, uid_t uid, gid_t gid);
