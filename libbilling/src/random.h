/* Random bytes of the operating system: no state of our own, so nothing to share or to fork. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/status.h"

/* Fill BYTES, at most 256, at DATA.  False if the system gives none.  Any thread. */
MUSTCHECK bool random_fill(void *data, size_t bytes);

/* A number from 0 to MOST, MOST >= 0; where the system gives no randomness, MOST. */
int64_t random_up_to(int64_t most);
