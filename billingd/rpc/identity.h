/* Who is asking, and what that one may do. */
#pragma once

#include <stdint.h>

#include "billingd/base/slice.h"

/* Each may do what those before it may. */
enum role {
    ROLE_NONE, /* health: anybody */
    ROLE_READER,
    ROLE_WRITER,
    ROLE_ADMIN,
};

struct identity {
    struct slice name; /* kept as recorded_by: "uid:1000", "key:NAME", "anonymous" */
    enum role role;
    uint64_t key;          /* sequence number of the API key that says so; 0: the door does */
    struct slice services; /* of a writer: those it may bill, as services_encode() makes them;
                              empty: any */
};

/* What a role is called: "reader".  A static text. */
const char *role_name(enum role role);
