/* Who is asking, and what that one may do. */
#pragma once

#include "billingd/base/slice.h"

enum role {
    ROLE_NONE, /* health: anybody */
    ROLE_READER,
    ROLE_WRITER,
    ROLE_ADMIN,
};

struct identity {
    struct slice name; /* kept as recorded_by: "uid:1000" on the Unix socket, else "anonymous" */
    enum role role;
};
