#include "billingd/store/lmdb/journal.h"

#include <inttypes.h>

#include "billingd/base/assert.h"
#include "billingd/store/errinfo.h"
#include "billingd/store/lmdb/keys_lmdb.h"

/* --- finding blocks --------------------------------------------------------------------------- */

int journal_find(MDB_cursor *cursor, uint64_t seq, MDB_val *ret_key, MDB_val *ret_value)
{
    struct key buffer;
    MDB_val key = key_seq(&buffer, seq);
    MDB_val wanted = key;
    int rc = mdb_cursor_get(cursor, &key, ret_value, MDB_SET_RANGE);
    if (rc == MDB_NOTFOUND) {
        rc = mdb_cursor_get(cursor, &key, ret_value, MDB_LAST);
    } else if (rc == 0 && (key.mv_size != wanted.mv_size ||
                           memcmp(key.mv_data, wanted.mv_data, wanted.mv_size) != 0)) {
        rc = mdb_cursor_get(cursor, &key, ret_value, MDB_PREV);
    }
    *ret_key = key;
    return env_status(rc);
}

/* Check the block in VALUE, and that it says what KEY says. */
static int open_found(MDB_val key, MDB_val value, struct block *ret, const char **ret_problem)
{
    uint64_t first_seq;
    int rc = block_open(value.mv_data, value.mv_size, ret, ret_problem);
    if (rc < 0) {
        return rc;
    }
    if (key_parse_seq(key, &first_seq) < 0 || first_seq != ret->heading.first_seq) {
        *ret_problem = "it stands in another's place";
        return STATUS_CORRUPT;
    }
    return 0;
}

/* Bring the block with SEQ, or the last before it, into READER. */
static int seek(struct journal_reader *reader, uint64_t seq)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    struct block block;
    const char *problem;
    int rc = mdb_cursor_open(reader->txn, reader->env->tables[ENV_JOURNAL], &cursor);
    if (rc != 0) {
        return env_status(rc);
    }
    rc = journal_find(cursor, seq, &key, &value);
    mdb_cursor_close(cursor);
    if (rc < 0) {
        return rc;
    }
    if (open_found(key, value, &block, &problem) < 0) {
        return STATUS_CORRUPT;
    }
    reader->block = block;
    return 0;
}

/* --- start ------------------------------------------------------------------------------------ */

static int refuse(const struct env *env, int status, MDB_val key, const struct block *block,
                  const char *problem, struct errinfo *reason)
{
    uint64_t seq = 0;
    IGNORE(key_parse_seq(key, &seq) < 0); /* damaged too: then 0 says so */
    if (status == STATUS_NOT_IMPLEMENTED) {
        return errinfo_set(reason, status,
                           "journal block of record %" PRIu64 " in '%.90s/data.mdb' has format "
                           "%u.%u and this program knows %d.%d: start the version that wrote it",
                           seq, env->directory, block->format, block->record_format, BLOCK_FORMAT,
                           RECORD_FORMAT);
    }
    return errinfo_set(reason, status,
                       "journal block of record %" PRIu64 " in '%.90s/data.mdb' is damaged: %s; "
                       "restore a backup",
                       seq, env->directory, problem);
}

/* That LAST follows on the block before it, at CURSOR's place, or on nothing. */
static int check_link(MDB_cursor *cursor, const struct block *last, struct sha256 *sha,
                      uint64_t id_key, const char **ret_problem)
{
    MDB_val key;
    MDB_val value;
    struct block before;
    uint8_t hash[BLOCK_HASH_BYTES];
    uint64_t first_seq = 1;
    int rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_PREV));
    if (rc == STATUS_NOT_FOUND) {
        block_genesis(sha, id_key, hash);
    } else if (rc < 0) {
        *ret_problem = "the block before it cannot be read";
        return rc;
    } else {
        block_hash(sha, value.mv_data, value.mv_size, hash);
        if (open_found(key, value, &before, ret_problem) < 0) {
            *ret_problem = "the block before it is damaged, or of a format that is not known here";
            return STATUS_CORRUPT;
        }
        first_seq = before.heading.first_seq + before.count;
    }
    *ret_problem = "it does not follow on the block before it";
    bool follows = memcmp(hash, last->heading.previous_hash, sizeof hash) == 0 &&
                   last->heading.first_seq == first_seq;
    return follows ? 0 : STATUS_CORRUPT;
}

static int start(const struct env *env, MDB_cursor *cursor, struct sha256 *sha, uint64_t id_key,
                 struct journal_tail *ret, struct errinfo *reason)
{
    MDB_val key = {0};
    MDB_val value;
    struct block last = {0};
    const char *problem = NULL;
    int rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_LAST));
    if (rc == STATUS_NOT_FOUND) {
        ret->next_seq = 1;
        block_genesis(sha, id_key, ret->hash);
        return 0;
    }
    if (rc < 0) {
        return refuse(env, rc, key, &last, "it cannot be read", reason);
    }
    rc = open_found(key, value, &last, &problem);
    if (rc == 0) {
        rc = check_link(cursor, &last, sha, id_key, &problem);
    }
    if (rc < 0) {
        return refuse(env, rc, key, &last, problem, reason);
    }
    ret->next_seq = last.heading.first_seq + last.count;
    block_hash(sha, last.bytes, last.length, ret->hash);
    return 0;
}

int journal_start(const struct env *env, MDB_txn *txn, struct sha256 *sha, uint64_t id_key,
                  struct journal_tail *ret, struct errinfo *reason)
{
    MDB_cursor *cursor;
    int rc = mdb_cursor_open(txn, env->tables[ENV_JOURNAL], &cursor);
    if (rc != 0) {
        return errinfo_set(reason, env_status(rc), "cannot read the journal: %s", mdb_strerror(rc));
    }
    rc = start(env, cursor, sha, id_key, ret, reason);
    mdb_cursor_close(cursor);
    return rc;
}

/* --- writing ---------------------------------------------------------------------------------- */

int journal_append(struct journal_writer *writer, struct record *record)
{
    if (!block_writer_add(writer->pending, record)) {
        int rc = journal_flush(writer);
        if (rc < 0) {
            return rc;
        }
        INVARIANT(block_writer_add(writer->pending, record));
    }
    record->seq = writer->tail.next_seq + block_writer_count(writer->pending) - 1;
    record->created_at_us = writer->created_at_us;
    return 0;
}

int journal_flush(struct journal_writer *writer)
{
    struct key buffer;
    uint8_t *room;
    struct journal_tail *tail = &writer->tail;
    uint32_t count = block_writer_count(writer->pending);
    size_t bytes = block_writer_bytes(writer->pending);
    struct block_heading heading = {
        .first_seq = tail->next_seq,
        .created_at_us = writer->created_at_us,
    };
    if (count == 0) {
        return 0;
    }
    int rc = env_append(writer->env, writer->txn, ENV_JOURNAL, key_seq(&buffer, heading.first_seq),
                        bytes, &room);
    if (rc < 0) {
        return rc;
    }
    memcpy(heading.previous_hash, tail->hash, sizeof tail->hash);
    block_writer_seal(writer->pending, &heading, room);
    block_hash(writer->sha, room, bytes, tail->hash);
    tail->next_seq += count;
    return 0;
}

/* --- reading ---------------------------------------------------------------------------------- */

void journal_forget(struct journal_reader *reader)
{
    reader->block.bytes = NULL;
}

static int pending_record(const struct journal_writer *writer, uint64_t seq, struct record *ret)
{
    uint64_t index = seq - writer->tail.next_seq;
    if (index >= block_writer_count(writer->pending)) {
        return STATUS_NOT_FOUND;
    }
    ret->seq = seq;
    ret->created_at_us = writer->created_at_us;
    return block_writer_record(writer->pending, (uint32_t)index, ret);
}

int journal_last_block(const struct journal_reader *reader, uint64_t *ret_seq)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    int rc = env_status(mdb_cursor_open(reader->txn, reader->env->tables[ENV_JOURNAL], &cursor));
    if (rc < 0) {
        return rc;
    }
    rc = env_status(mdb_cursor_get(cursor, &key, &value, MDB_LAST));
    mdb_cursor_close(cursor);
    if (rc == STATUS_NOT_FOUND) {
        *ret_seq = 0;
        return 0;
    }
    return rc < 0 ? rc : key_parse_seq(key, ret_seq);
}

/* Of SEQ, which no block has: whether the journal ends before it, or lacks a block. */
static int missing(const struct journal_reader *reader, uint64_t seq)
{
    uint64_t last;
    int rc = journal_last_block(reader, &last);
    return rc < 0 ? rc : last > seq ? STATUS_CORRUPT : STATUS_NOT_FOUND;
}

static int find_record(struct journal_reader *reader, uint64_t seq, struct record *ret)
{
    const struct journal_writer *writer = reader->writer;
    if (seq == 0) {
        return STATUS_NOT_FOUND;
    }
    if (writer != NULL && seq >= writer->tail.next_seq) {
        return pending_record(writer, seq, ret);
    }
    int rc = block_has(&reader->block, seq) ? 0 : seek(reader, seq);
    if (rc == STATUS_NOT_FOUND || (rc == 0 && !block_has(&reader->block, seq))) {
        rc = missing(reader, seq);
    }
    return rc < 0 ? rc : block_record(&reader->block, seq, ret);
}

int journal_record(struct journal_reader *reader, uint64_t seq, struct record *ret)
{
    int rc = find_record(reader, seq, ret);
    if (rc == STATUS_CORRUPT) {
        reader->damaged = seq;
    }
    return rc;
}

int journal_scan(struct journal_reader *reader, uint64_t after_seq, store_record_fn row_cb,
                 void *arg)
{
    struct journal_reader own = *reader; /* so that a callback's reads leave the block alone */
    struct record record;
    int rc = 0;
    for (uint64_t seq = after_seq; seq < UINT64_MAX && rc == 0; seq++) {
        rc = journal_record(&own, seq + 1, &record);
        if (rc < 0) {
            reader->damaged = rc == STATUS_CORRUPT ? own.damaged : reader->damaged;
            return rc == STATUS_NOT_FOUND ? 0 : rc;
        }
        rc = row_cb(&record, arg);
    }
    return rc;
}

int journal_last_seq(struct journal_reader *reader, uint64_t *ret_seq)
{
    const struct journal_writer *writer = reader->writer;
    if (writer != NULL) {
        *ret_seq = writer->tail.next_seq + block_writer_count(writer->pending) - 1;
        return 0;
    }
    int rc = seek(reader, UINT64_MAX);
    if (rc == STATUS_NOT_FOUND) {
        *ret_seq = 0;
        return 0;
    }
    if (rc == 0) {
        *ret_seq = reader->block.heading.first_seq + reader->block.count - 1;
    }
    return rc;
}
