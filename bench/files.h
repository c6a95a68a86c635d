/* Where a measurement keeps its files, and what they take.  Main thread only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Make a directory in PARENT, itself made at need, that is removed with all in it when the process
 * ends, in whatever way, unless KEEP, which says on stderr where it is.  The name is the caller's
 * for good. */
const char *files_scratch(const char *parent, bool keep);

/* FORMAT printed into memory that is the caller's for good. */
__attribute__((format(printf, 1, 2))) const char *files_format(const char *format, ...);

/* The directory of this program. */
const char *files_own_directory(void);

/* What all files below DIRECTORY take on disk. */
uint64_t files_bytes(const char *directory);

/* Memory of process PID's own that no file stands behind; 0 where it cannot be seen. */
uint64_t files_rss_anon(int pid);
