#include "billingd/store/lmdb/config.h"

#include <errno.h>
#include <stdlib.h>

#include "billingd/store/block.h"
#include "billingd/store/engine.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/segment.h"

enum {
    /* A page of the data file begins with 16 bytes of its own, and a value is kept in a run of
     * whole pages: so a full block fills its last page to the end. */
    PAGE_HEADER_BYTES = 16,
    BLOCK_BYTES_DEFAULT = BLOCK_BYTES_MAX - PAGE_HEADER_BYTES,
    BLOCK_BYTES_MIN = 256,
};

static const struct option {
    const char *name;
    size_t at; /* in struct lmdb_config */
    unsigned long min;
    unsigned long max;
    unsigned long fallback;
} known[] = {
    {"block_bytes", offsetof(struct lmdb_config, block_bytes), BLOCK_BYTES_MIN, BLOCK_BYTES_MAX,
     BLOCK_BYTES_DEFAULT},
    {"head_records", offsetof(struct lmdb_config, head_records), 1, 1 << 24, 1 << 18},
    {"slice_bytes", offsetof(struct lmdb_config, slice_bytes), SEGMENT_CHUNK_BYTES, 1 << 26,
     1 << 18},
    {"merge_width", offsetof(struct lmdb_config, merge_width), 2, 64, 8},
};

enum {
    N_KNOWN = sizeof known / sizeof known[0],
};

static unsigned long *value_of(struct lmdb_config *config, const struct option *option)
{
    return (unsigned long *)(void *)((char *)config + option->at);
}

/* Parse "name=digits", of LENGTH bytes. */
static int parse_option(const char *text, size_t length, struct lmdb_config *config,
                        struct errinfo *reason)
{
    for (size_t i = 0; i < N_KNOWN; i++) {
        size_t name_bytes = strlen(known[i].name);
        if (length <= name_bytes || strncmp(text, known[i].name, name_bytes) != 0 ||
            text[name_bytes] != '=') {
            continue;
        }
        const char *digits = text + name_bytes + 1;
        char *end;
        errno = 0;
        unsigned long value = strtoul(digits, &end, 10);
        if (*digits < '0' || *digits > '9' || end != text + length || errno != 0 ||
            value < known[i].min || value > known[i].max) {
            return errinfo_set(
                reason, STATUS_OUT_OF_BOUNDS, "%s is to be from %lu to %lu, not '%.*s'",
                known[i].name, known[i].min, known[i].max,
                (int)(length - name_bytes - 1 < 40 ? length - name_bytes - 1 : 40), digits);
        }
        *value_of(config, &known[i]) = value;
        return 0;
    }
    return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                       "unknown option '%.*s'; known: block_bytes=N, head_records=N, "
                       "slice_bytes=N, merge_width=N",
                       length < 100 ? (int)length : 100, text);
}

static int parse_options(const char *text, struct lmdb_config *config, struct errinfo *reason)
{
    for (;;) {
        size_t length = strcspn(text, "&");
        int rc = parse_option(text, length, config, reason);
        if (rc < 0 || text[length] == '\0') {
            return rc;
        }
        text += length + 1;
    }
}

int lmdb_config_parse(const char *uri, const char *data_dir, struct lmdb_config *ret,
                      struct errinfo *reason)
{
    const char *path = uri + strlen(store_lmdb.scheme);
    size_t length = strcspn(path, "?");
    const char *options = path + length;
    if (length > 0 && *path != '/') {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "the directory in '%.100s' is to begin with '/'", uri);
    }
    if (length == 0) {
        path = data_dir;
        length = strlen(data_dir);
    }
    if (length == 0 || length >= sizeof ret->directory) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "the name of the data directory is empty or too long");
    }
    memcpy(ret->directory, path, length);
    ret->directory[length] = '\0';
    for (size_t i = 0; i < N_KNOWN; i++) {
        *value_of(ret, &known[i]) = known[i].fallback;
    }
    return *options == '\0' ? 0 : parse_options(options + 1, ret, reason);
}
