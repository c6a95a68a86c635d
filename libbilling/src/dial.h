/* Getting a connected socket.  Any thread. */
#pragma once

#include <stdint.h>

#include "libbilling/src/failure.h"
#include "libbilling/src/place.h"

/* A close-on-exec socket that is connected to PLACE by DEADLINE_US, to be closed by the caller; or
 * -1, and *RETERR says why, with the place's URL. */
int dial(const struct place *place, int64_t deadline_us, struct failure *reterr);
