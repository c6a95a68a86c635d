#include "billingd/rpc/identity.h"

const char *role_name(enum role role)
{
    static const char *const names[] = {
        [ROLE_NONE] = "none",
        [ROLE_READER] = "reader",
        [ROLE_WRITER] = "writer",
        [ROLE_ADMIN] = "admin",
    };
    return names[role];
}
