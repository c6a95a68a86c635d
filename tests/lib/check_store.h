/* A store that no daemon has any more, verified from end to end.  Main thread; what is found fails
 * the test. */
#pragma once

#include <stdint.h>

/* Open the store in DATA_DIR, whose currency is USD, verify it and close it.  Every finding is
 * printed.  Returns how many records it has. */
uint64_t check_store(const char *data_dir);
