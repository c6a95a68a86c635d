/* openapi.json of the repository's root, as it was when the daemon was built. */
#pragma once

#include "billingd/base/slice.h"

/* Its bytes, static. */
struct slice openapi_json(void);
