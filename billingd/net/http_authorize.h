/* The Authorization header (RFC 9110, section 11.6.2; RFC 6750).  Pure; any thread. */
#pragma once

#include "billingd/base/slice.h"

/* The token of VALUE, of an Authorization header, within it.  Where the header was not sent its
 * data is NULL; where it is malformed, or of another scheme than Bearer, it is empty, which is a
 * token that does not count: who sends credentials is never taken for somebody without. */
struct slice http_authorize_token(struct slice value);
