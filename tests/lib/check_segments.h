/* Whether a store that no daemon has any more has been sealed and merged.  Main thread. */
#pragma once

#include <stdbool.h>

/* Whether the store in DATA_DIR has a segment that others were merged into.  Where it cannot be
 * read, the test fails. */
bool check_segments_merged(const char *data_dir);
