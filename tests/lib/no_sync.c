/* For programs to which a disk that outlives the machine is nothing: a sync of a busy one takes so
 * long that thousands of them take minutes.  These stand before the C library's for liblmdb too. */
#include <unistd.h>

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): theirs are reserved names */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    (void)fd;
    return 0;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
