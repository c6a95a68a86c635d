#include "billingd/store/lmdb/verify_journal.h"

#include <inttypes.h>

#include "billingd/store/lmdb/keys_lmdb.h"
#include "billingd/store/lmdb/verify_tables.h"

static const char table[] = "journal";

/* Where the check is, on its way from the last block to the first. */
struct chain {
    struct verify *verify;
    struct sha256 *sha;
    uint64_t next_seq; /* records from here on are done */
    bool linked;       /* the block that begins there is whole, and carries this hash: */
    uint8_t hash[BLOCK_HASH_BYTES];
};

/* The block under KEY cannot be used, nor what it should have up to the one behind it. */
static int lose_block(struct chain *chain, uint64_t key_seq, enum store_fault fault,
                      const char *problem)
{
    struct verify_place place = {.table = table, .seq = key_seq, .chunk = -1};
    chain->linked = false;
    int rc = verify_add_hole(chain->verify, key_seq, chain->next_seq - 1);
    return rc < 0 ? rc
                  : verify_found(chain->verify, fault, place,
                                 "the block with the records %" PRIu64 " to %" PRIu64 ": %s",
                                 key_seq, chain->next_seq - 1, problem);
}

/* No block has the records from FIRST_SEQ to those that are done. */
static int lose_gap(struct chain *chain, uint64_t first_seq)
{
    struct verify_place place = {.table = table, .seq = first_seq, .chunk = -1};
    chain->linked = false;
    int rc = verify_add_hole(chain->verify, first_seq, chain->next_seq - 1);
    return rc < 0 ? rc
                  : verify_found(chain->verify, STORE_MISSING, place,
                                 "no block has the records %" PRIu64 " to %" PRIu64, first_seq,
                                 chain->next_seq - 1);
}

/* --- one block -------------------------------------------------------------------------------- */

/* That the block behind BLOCK carries its hash and its numbers. */
static int check_link(struct chain *chain, const struct block *block)
{
    uint8_t hash[BLOCK_HASH_BYTES];
    uint64_t end = block->heading.first_seq + block->count;
    struct verify_place place = {.table = table, .seq = chain->next_seq, .chunk = -1};
    if (end < chain->next_seq) {
        return lose_gap(chain, end);
    }
    if (end > chain->next_seq) {
        return verify_found(chain->verify, STORE_WRONG, place,
                            "the block with the record %" PRIu64 " begins there, and the one "
                            "before it goes on to %" PRIu64,
                            chain->next_seq, end - 1);
    }
    if (!chain->linked) {
        return 0;
    }
    block_hash(chain->sha, block->bytes, block->length, hash);
    return memcmp(hash, chain->hash, sizeof hash) == 0
               ? 0
               : verify_found(chain->verify, STORE_WRONG, place,
                              "the block with the record %" PRIu64 " carries another hash than "
                              "that of the block before it",
                              chain->next_seq);
}

static int check_record(struct chain *chain, const struct block *block, uint64_t seq)
{
    struct record record;
    struct verify_place place = {.table = table, .seq = seq, .chunk = -1};
    int rc = verify_step(chain->verify, 1);
    if (rc < 0) {
        return rc;
    }
    if (block_record(block, seq, &record) < 0) {
        rc = verify_add_hole(chain->verify, seq, seq);
        return rc < 0 ? rc
                      : verify_found(chain->verify, STORE_DAMAGED, place,
                                     "the record %" PRIu64 " is not in the form of one, in a "
                                     "block whose checksum is right",
                                     seq);
    }
    chain->verify->result.records++;
    return verify_tables_add(chain->verify, &record);
}

static int check_block(struct chain *chain, const struct block *block)
{
    uint64_t first_seq = block->heading.first_seq;
    int rc = check_link(chain, block);
    if (rc < 0) {
        return rc;
    }
    uint64_t end = first_seq + block->count;
    for (uint64_t seq = end < chain->next_seq ? end : chain->next_seq; seq > first_seq && rc == 0;
         seq--) {
        rc = check_record(chain, block, seq - 1);
    }
    chain->linked = true;
    memcpy(chain->hash, block->heading.previous_hash, sizeof chain->hash);
    return rc;
}

static int check_row(struct chain *chain, MDB_val key, MDB_val value)
{
    struct verify_place place = {.table = table, .chunk = -1};
    struct block block;
    const char *problem;
    uint64_t key_seq;
    chain->verify->result.blocks++;
    if (key_parse_seq(key, &key_seq) < 0) {
        chain->linked = false;
        return verify_found(chain->verify, STORE_DAMAGED, place,
                            "a block under a key of %zu bytes, which is no record's number",
                            key.mv_size);
    }
    int rc = block_open(value.mv_data, value.mv_size, &block, &problem);
    if (rc == STATUS_NOT_IMPLEMENTED) {
        rc = lose_block(chain, key_seq, STORE_UNKNOWN, "its format is not known here");
    } else if (rc < 0) {
        rc = lose_block(chain, key_seq, STORE_DAMAGED, problem);
    } else if (block.heading.first_seq != key_seq) {
        rc = lose_block(chain, key_seq, STORE_WRONG, "another stands in its place");
    } else {
        rc = check_block(chain, &block);
    }
    chain->next_seq = key_seq;
    return rc;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* That the journal begins with what was read last. */
static int check_start(struct chain *chain)
{
    uint8_t hash[BLOCK_HASH_BYTES];
    struct verify_place place = {.table = table, .seq = 1, .chunk = -1};
    if (chain->next_seq > 1) {
        return lose_gap(chain, 1);
    }
    block_genesis(chain->sha, chain->verify->view->id_key, hash);
    return !chain->linked || memcmp(hash, chain->hash, sizeof hash) == 0
               ? 0
               : verify_found(chain->verify, STORE_WRONG, place,
                              "the first block is not that of this store");
}

static int check_blocks(struct chain *chain, MDB_cursor *cursor)
{
    MDB_val key;
    MDB_val value;
    int rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_LAST));
    while (rc == 0) {
        rc = check_row(chain, key, value);
        if (rc == 0) {
            rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_PREV));
        }
    }
    return rc == STATUS_NOT_FOUND ? check_start(chain) : rc;
}

int verify_journal(struct verify *verify)
{
    struct chain chain = {.verify = verify, .next_seq = verify->last_seq + 1};
    chain.sha = sha256_create();
    int rc = chain.sha == NULL ? STATUS_NO_MEMORY : check_blocks(&chain, verify->journal);
    sha256_destroy(chain.sha);
    return rc;
}

/* --- its end ---------------------------------------------------------------------------------- */

/* The last record that segments and head have rows of. */
static uint64_t last_of_rows(const struct view_rows *rows)
{
    uint64_t last = rows->sealed_seq;
    for (size_t i = 0; i < rows->list->n; i++) {
        const struct run *run = rows->list->runs[i];
        last = view_rows_has(rows, run) && run->last_seq > last ? run->last_seq : last;
    }
    return last;
}

int verify_journal_end(struct verify *verify)
{
    uint64_t last_seq = 0;
    uint64_t block_seq = 0;
    uint64_t rows_seq = last_of_rows(&verify->view->rows);
    int rc = journal_last_seq(&verify->view->journal, &last_seq);
    if (rc == STATUS_CORRUPT) {
        rc = journal_last_block(&verify->view->journal, &block_seq);
        last_seq = rc == 0 ? block_seq : 0;
        rc = rc == STATUS_CORRUPT ? 0 : rc; /* nothing is known of it */
    }
    verify->last_seq = last_seq > rows_seq ? last_seq : rows_seq;
    return rc;
}

/* --- again ------------------------------------------------------------------------------------ */

int verify_records(struct verify *verify, uint64_t first_seq, uint64_t last_seq,
                   store_record_fn record_cb, void *arg)
{
    struct journal_reader reader = {.env = verify->view->env, .txn = verify->view->txn};
    int rc = 0;
    for (uint64_t seq = first_seq; seq <= last_seq && rc == 0; seq++) {
        struct record record;
        if (verify_is_hole(verify, seq)) {
            continue;
        }
        rc = journal_record(&reader, seq, &record);
        if (rc == 0) {
            rc = record_cb(&record, arg);
        }
    }
    return rc;
}

int verify_record(struct verify *verify, uint64_t seq, struct record *ret)
{
    MDB_val key;
    MDB_val value;
    if (seq == 0 || verify_is_hole(verify, seq)) {
        return seq == 0 ? STATUS_NOT_FOUND : STATUS_CORRUPT;
    }
    int rc = journal_find(verify->journal, seq, &key, &value);
    return rc < 0 ? rc : block_record_again(value.mv_data, value.mv_size, seq, ret);
}
