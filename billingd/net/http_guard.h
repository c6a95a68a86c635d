/* What browsers must not be made to do: the daemon answers only for the names that it was given,
 * and pages of other sites only where an operator has named their origin.
 *
 * A page can make its visitor's browser send requests to any address that the browser reaches, this
 * host's included.  It cannot choose Origin, nor Host but by its own name: one that it has let
 * point here is no name of ours.  Pure; any thread. */
#pragma once

#include <stdbool.h>

#include "billingd/base/slice.h"

/* Texts are kept by reference. */
struct http_guard {
    const char *const *hosts; /* "localhost", "[::1]": without a port */
    unsigned n_hosts;
    const char *const *origins; /* "https://console.example.com" */
    unsigned n_origins;
};

/* Whether HOST, of a Host header, is one of the hosts, with any port or none. */
bool http_guard_knows_host(const struct http_guard *guard, struct slice host);

/* The origin that ORIGIN, of an Origin header, is; NULL where it is none of them. */
const char *http_guard_origin(const struct http_guard *guard, struct slice origin);
