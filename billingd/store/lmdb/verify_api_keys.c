#include "billingd/store/lmdb/verify_api_keys.h"

#include <inttypes.h>
#include <stdlib.h>

#include "billingd/store/lmdb/api_key_row.h"
#include "billingd/store/lmdb/keys_lmdb.h"

enum {
    BITS = 64, /* of a word */
};

struct verify_api_keys {
    uint64_t *revoked; /* owned; a bit a record: the revocation of that key was seen */
    uint64_t *used;    /* likewise: its last use */
};

struct verify_api_keys *verify_api_keys_create(const struct verify *verify)
{
    size_t words = verify->last_seq / BITS + 1;
    struct verify_api_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    keys->revoked = calloc(words, sizeof *keys->revoked);
    keys->used = calloc(words, sizeof *keys->used);
    if (keys->revoked == NULL || keys->used == NULL) {
        verify_api_keys_destroy(keys);
        return NULL;
    }
    return keys;
}

void verify_api_keys_destroy(struct verify_api_keys *keys)
{
    if (keys != NULL) {
        free(keys->revoked);
        free(keys->used);
        free(keys);
    }
}

static bool is_set(const uint64_t *words, uint64_t seq)
{
    return (words[seq / BITS] >> seq % BITS & 1) != 0;
}

/* What RECORD says of KEY is the last word on it: not seen before, in WORDS, which is noted, nor
 * possibly in a record that cannot be read. */
static bool is_last_word(const struct verify *verify, uint64_t *words, uint64_t key)
{
    if (key > verify->last_seq || is_set(words, key)) {
        return false;
    }
    words[key / BITS] |= UINT64_C(1) << key % BITS;
    return verify->n_holes == 0;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* The row of the key SEQ.  *RET_STATUS: 0 where it is there and whole; else its creation tells of
 * it. */
static int get_row(const struct verify *verify, uint64_t seq, struct api_key_row *ret,
                   int *ret_status)
{
    struct key key;
    MDB_val value;
    const struct lmdb_view *view = verify->view;
    int rc = env_get(view->env, view->txn, ENV_API_KEYS, key_seq(&key, seq), &value);
    if (rc == 0) {
        rc = api_key_row_read(seq, value.mv_data, value.mv_size, ret);
    }
    *ret_status = rc;
    return rc == STATUS_NOT_FOUND || rc == STATUS_CORRUPT ? 0 : rc;
}

/* The row of KEY is to say that record REVOKED revokes it; 0: none does. */
static int compare_revoked(struct verify *verify, uint64_t key, uint64_t revoked)
{
    struct api_key_row row = {0};
    int status;
    int rc = get_row(verify, key, &row, &status);
    if (rc < 0 || status < 0 || row.revoked == revoked) {
        return rc;
    }
    return verify_found_row(verify, STORE_WRONG, ENV_API_KEYS, key,
                            "key %" PRIu64 " is to be revoked by record %" PRIu64
                            " (0: by none), and is by record %" PRIu64,
                            key, revoked, row.revoked);
}

static int check_used(struct verify *verify, uint64_t key, int64_t used_us)
{
    struct api_key_row row = {0};
    int status;
    if (!is_last_word(verify, verify->api_keys->used, key)) {
        return 0;
    }
    int rc = get_row(verify, key, &row, &status);
    if (rc < 0 || status < 0 || row.last_used_us == used_us) {
        return rc;
    }
    return verify_found_row(verify, STORE_WRONG, ENV_API_KEYS, key,
                            "the last use of key %" PRIu64 " is to be %" PRId64
                            " microseconds since 1970, and is %" PRId64,
                            key, used_us, row.last_used_us);
}

static int check_uses(struct verify *verify, struct slice uses)
{
    struct key_use use;
    int rc = 0;
    while (rc == 0 && key_uses_next(&uses, &use)) {
        rc = check_used(verify, use.key, use.used_at_us);
    }
    return rc;
}

/* The creation: that there is a row, and what no later record has said of it. */
static int check_created(struct verify *verify, uint64_t seq)
{
    struct api_key_row row = {0};
    int status;
    verify->expected[ENV_API_KEYS]++;
    int rc = get_row(verify, seq, &row, &status);
    if (rc < 0) {
        return rc;
    }
    if (status < 0) {
        bool missing = status == STATUS_NOT_FOUND;
        return verify_found_row(verify, missing ? STORE_MISSING : STORE_DAMAGED, ENV_API_KEYS, seq,
                                missing ? "there is no row of key %" PRIu64
                                        : "the row of key %" PRIu64 " fails its checksum",
                                seq);
    }
    if (!is_set(verify->api_keys->revoked, seq) && verify->n_holes == 0) {
        rc = compare_revoked(verify, seq, 0);
    }
    return rc < 0 ? rc : check_used(verify, seq, 0);
}

int verify_api_keys_add(struct verify *verify, const struct record *record)
{
    if (record->kind == RECORD_KEY_CREATED) {
        return check_created(verify, record->seq);
    }
    if (record->kind == RECORD_KEY_REVOKED) {
        uint64_t key = record->key_revoked.key;
        bool last = is_last_word(verify, verify->api_keys->revoked, key);
        return last ? compare_revoked(verify, key, record->seq) : 0;
    }
    return record->kind == RECORD_KEY_USED ? check_uses(verify, record->key_used.uses) : 0;
}

bool verify_api_keys_counts(const struct verify *verify, uint64_t seq)
{
    return seq <= verify->last_seq && !is_set(verify->api_keys->revoked, seq);
}
