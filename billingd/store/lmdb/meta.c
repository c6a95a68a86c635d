#include "billingd/store/lmdb/meta.h"

#include <sys/random.h>

#include <xxhash.h>

#include "billingd/base/bytes.h"
#include "billingd/store/errinfo.h"

enum { /* offsets in the row: see meta.h */
       AT_FORMAT = 8,
       AT_ID_KEY = 16,
       AT_CREATED_AT = 24,
       AT_CURRENCY = 32,
       AT_CHECKSUM = 40,
       ROW_BYTES = 48,
};

static const uint8_t magic[] = {'B', 'I', 'L', 'L', 'S', 'T', 'O', 'R'};
static char row_name[] = "store"; /* LMDB's keys are not const */

static MDB_val row_key(void)
{
    return (MDB_val){.mv_size = sizeof row_name - 1, .mv_data = row_name};
}

int meta_put(const struct env *env, MDB_txn *txn, const struct meta *meta)
{
    uint8_t row[ROW_BYTES] = {0};
    memcpy(row, magic, sizeof magic);
    bytes_put_le32(row + AT_FORMAT, META_FORMAT);
    bytes_put_le64(row + AT_ID_KEY, meta->id_key);
    bytes_put_le64(row + AT_CREATED_AT, (uint64_t)meta->created_at_us);
    memcpy(row + AT_CURRENCY, meta->currency, META_CURRENCY_BYTES);
    bytes_put_le64(row + AT_CHECKSUM, XXH3_64bits(row, AT_CHECKSUM));
    return env_put(env, txn, ENV_META, row_key(), row, sizeof row);
}

static int make(const struct env *env, MDB_txn *txn, const struct store_options *options,
                struct meta *ret, struct errinfo *reason)
{
    size_t length = strlen(options->currency);
    if (length == 0 || length > META_CURRENCY_BYTES) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS, "'%.40s' is no currency code",
                           options->currency);
    }
    *ret = (struct meta){.format = META_FORMAT, .created_at_us = options->now_us};
    memcpy(ret->currency, options->currency, length);
    if (getrandom(&ret->id_key, sizeof ret->id_key, 0) != (ssize_t)sizeof ret->id_key) {
        return errinfo_set(reason, STATUS_INTERNAL, "the kernel gives no random numbers");
    }
    int rc = meta_put(env, txn, ret);
    return rc < 0 ? errinfo_set(reason, rc, "cannot write to the new store") : 0;
}

static int parse(const struct env *env, MDB_val value, struct meta *ret, struct errinfo *reason)
{
    const uint8_t *row = value.mv_data;
    if (value.mv_size < AT_FORMAT + sizeof(uint32_t) || memcmp(row, magic, sizeof magic) != 0) {
        return errinfo_set(reason, STATUS_CORRUPT,
                           "'%.120s/data.mdb' is damaged: its meta row "
                           "is none of a store; restore a backup",
                           env->directory);
    }
    uint32_t format = bytes_get_le32(row + AT_FORMAT);
    if (format < META_FORMAT_OLDEST || format > META_FORMAT) {
        return errinfo_set(reason, STATUS_NOT_IMPLEMENTED,
                           "'%.120s/data.mdb' has store format %u and this program knows %d: "
                           "start the version that wrote it",
                           env->directory, format, META_FORMAT);
    }
    if (value.mv_size != ROW_BYTES ||
        bytes_get_le64(row + AT_CHECKSUM) != XXH3_64bits(row, AT_CHECKSUM)) {
        return errinfo_set(reason, STATUS_CORRUPT,
                           "'%.120s/data.mdb' is damaged: the checksum "
                           "of its meta row is wrong; restore a backup",
                           env->directory);
    }
    *ret = (struct meta){
        .format = format,
        .id_key = bytes_get_le64(row + AT_ID_KEY),
        .created_at_us = (int64_t)bytes_get_le64(row + AT_CREATED_AT),
    };
    memcpy(ret->currency, row + AT_CURRENCY, META_CURRENCY_BYTES);
    return 0;
}

int meta_open(const struct env *env, MDB_txn *txn, const struct store_options *options,
              struct meta *ret, struct errinfo *reason)
{
    MDB_val value;
    uint64_t rows;
    int rc = env_get(env, txn, ENV_META, row_key(), &value);
    if (rc == STATUS_NOT_FOUND) {
        rc = env_count(env, txn, ENV_META, &rows);
        if (rc == 0 && rows == 0) {
            return make(env, txn, options, ret, reason);
        }
        return errinfo_set(reason, STATUS_CORRUPT,
                           "'%.120s/data.mdb' is the file of another "
                           "program: choose another data directory",
                           env->directory);
    }
    if (rc < 0) {
        return errinfo_set(reason, rc, "cannot read '%.120s/data.mdb': %s", env->directory,
                           status_info(rc)->title);
    }
    rc = parse(env, value, ret, reason);
    if (rc == 0 && strcmp(ret->currency, options->currency) != 0) {
        return errinfo_set(reason, STATUS_OUT_OF_BOUNDS,
                           "the store in '%.120s' is in %s and cannot go on in %.8s: its currency "
                           "was fixed when it was made",
                           env->directory, ret->currency, options->currency);
    }
    return rc;
}
