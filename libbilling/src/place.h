/* Where a daemon may be: URLs, and the default places.  Pure but for places_default(). */
#pragma once

#include <stdbool.h>

#include "proto/status.h"

enum {
    PLACES_MAX = 3,
    PLACE_PATH_BYTES_MAX = 107, /* what a socket address holds */
    PLACE_HOST_BYTES_MAX = 253, /* what a domain name holds */
    PLACE_URL_MAX = 280,        /* of a URL, NUL included */
};

struct place {
    char url[PLACE_URL_MAX]; /* as it was written, for messages */
    bool is_tcp;
    char path[PLACE_PATH_BYTES_MAX + 1]; /* unix: of the socket */
    char host[PLACE_HOST_BYTES_MAX + 1]; /* tcp: name or address, without brackets */
    char port[6];                        /* tcp: 1 to 65535 */
};

struct places {
    struct place list[PLACES_MAX];
    int count;
};

/* Parse URL: unix:///path, tcp://host:port or tcp://[ip6]:port.
 * Returns 0, or BILLING_E_ARGUMENT. */
MUSTCHECK int place_parse(const char *url, struct place *ret);

/* The daemon's default sockets, in the daemon's order; at least one.  Reads $RUNTIME_DIRECTORY and
 * $XDG_RUNTIME_DIR.  Not while another thread changes the environment. */
void places_default(struct places *ret);
