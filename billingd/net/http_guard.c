#include "billingd/net/http_guard.h"

#include "billingd/net/http_text.h"

/* HOST without the port behind it. */
static struct slice without_port(struct slice host)
{
    size_t digits = 0;
    while (digits < host.length && host.data[host.length - 1 - digits] >= '0' &&
           host.data[host.length - 1 - digits] <= '9') {
        digits++;
    }
    if (digits < host.length && host.data[host.length - 1 - digits] == ':') {
        host.length -= digits + 1;
    }
    return host;
}

bool http_guard_knows_host(const struct http_guard *guard, struct slice host)
{
    struct slice name = without_port(host);
    for (unsigned i = 0; i < guard->n_hosts; i++) {
        if (http_is_word(name, guard->hosts[i])) {
            return true;
        }
    }
    return false;
}

const char *http_guard_origin(const struct http_guard *guard, struct slice origin)
{
    for (unsigned i = 0; i < guard->n_origins; i++) {
        if (slice_equal(origin, slice_of(guard->origins[i]))) {
            return guard->origins[i];
        }
    }
    return NULL;
}
