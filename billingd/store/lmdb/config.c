#include "billingd/store/lmdb/config.h"

#include <errno.h>
#include <stdlib.h>

#include "billingd/store/block.h"
#include "billingd/store/engine.h"
#include "billingd/store/errinfo.h"

enum {
    /* A page of the data file begins with 16 bytes of its own, and a value is kept in a run of
     * whole pages: so a full block fills its last page to the end. */
    PAGE_HEADER_BYTES = 16,
    BLOCK_BYTES_DEFAULT = BLOCK_BYTES_MAX - PAGE_HEADER_BYTES,
    BLOCK_BYTES_MIN = 256,
};

static const char block_bytes_option[] = "block_bytes=";

static int parse_options(const char *text, struct lmdb_config *config, struct errinfo *reason)
{
    size_t name_bytes = sizeof block_bytes_option - 1;
    if (strncmp(text, block_bytes_option, name_bytes) != 0) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "store: unknown option '%.100s'; known: block_bytes=N", text);
    }
    const char *digits = text + name_bytes;
    char *end;
    errno = 0;
    unsigned long bytes = strtoul(digits, &end, 10);
    if (*digits < '0' || *digits > '9' || *end != '\0' || errno != 0 || bytes < BLOCK_BYTES_MIN ||
        bytes > BLOCK_BYTES_MAX) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "store: block_bytes is to be from %d to %d, not '%.40s'",
                           BLOCK_BYTES_MIN, BLOCK_BYTES_MAX, digits);
    }
    config->block_bytes = bytes;
    return 0;
}

int lmdb_config_parse(const char *uri, const char *data_dir, struct lmdb_config *ret,
                      struct errinfo *reason)
{
    const char *path = uri + strlen(store_lmdb.scheme);
    size_t length = strcspn(path, "?");
    const char *options = path + length;
    if (length > 0 && *path != '/') {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "store: the directory in '%.100s' is to begin with '/'", uri);
    }
    if (length == 0) {
        path = data_dir;
        length = strlen(data_dir);
    }
    if (length == 0 || length >= sizeof ret->directory) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "store: the name of the data directory is empty or too long");
    }
    memcpy(ret->directory, path, length);
    ret->directory[length] = '\0';
    ret->block_bytes = BLOCK_BYTES_DEFAULT;
    return *options == '\0' ? 0 : parse_options(options + 1, ret, reason);
}
