#include "billingd/store/lmdb/verify_filter.h"

#include <inttypes.h>

#include "billingd/store/lmdb/filter.h"
#include "billingd/store/lmdb/verify_segments.h"

/* Where two walks through the segment are, one over its request ids, one over its filter. */
struct rebuild {
    const struct segment *segment;
    MDB_cursor *cursor; /* of the filter's chunks */
    struct segment_chunk chunk;
    size_t at;      /* in the chunk */
    uint64_t block; /* the number of the one that is made */
    uint8_t bytes[FILTER_BLOCK_BYTES];
    uint64_t first_wrong;
    uint64_t n_forgets; /* blocks that lack bits, */
    uint64_t n_surplus; /* and those that have some too many */
    bool ended;
};

/* The next stored block; NULL: there are no more, which the chunks' own check tells of. */
static const uint8_t *next_block(struct rebuild *rebuild)
{
    MDB_val key;
    MDB_val value;
    const char *problem;
    if (rebuild->at == rebuild->chunk.n) {
        if (mdb_cursor_get(rebuild->cursor, &key, &value, MDB_NEXT) != 0 ||
            segment_open_chunk(key, value, NULL, &rebuild->chunk, &problem) < 0 ||
            rebuild->chunk.table != SEGMENT_FILTER ||
            rebuild->chunk.segment != rebuild->segment->id) {
            return NULL;
        }
        rebuild->at = 0;
    }
    return (const uint8_t *)rebuild->chunk.rows + rebuild->at++ * FILTER_BLOCK_BYTES;
}

/* Compare the block that was made with the stored one, and begin the next. */
static void end_block(struct rebuild *rebuild)
{
    const uint8_t *stored = next_block(rebuild);
    bool forgets = false;
    bool surplus = false;
    for (size_t i = 0; stored != NULL && i < FILTER_BLOCK_BYTES; i++) {
        forgets |= (rebuild->bytes[i] & ~stored[i]) != 0;
        surplus |= (stored[i] & ~rebuild->bytes[i]) != 0;
    }
    if ((forgets || surplus) && rebuild->n_forgets + rebuild->n_surplus == 0) {
        rebuild->first_wrong = rebuild->block;
    }
    rebuild->n_forgets += forgets;
    rebuild->n_surplus += surplus;
    rebuild->ended |= stored == NULL;
    rebuild->block++;
    memset(rebuild->bytes, 0, sizeof rebuild->bytes);
}

static int add_requests(struct verify *verify, const struct segment_chunk *chunk, void *arg)
{
    struct rebuild *rebuild = arg;
    const struct request_row *rows = chunk->rows;
    for (size_t i = 0; i < chunk->n && chunk->table == SEGMENT_REQUESTS; i++) {
        uint64_t block = filter_block_of(rows[i].high, rebuild->segment->filter_blocks);
        while (rebuild->block < block && !rebuild->ended) {
            end_block(rebuild);
        }
        filter_add(rebuild->bytes, rows[i].low);
    }
    return verify_step(verify, 0);
}

static int tell(struct verify *verify, const struct rebuild *rebuild)
{
    struct verify_place place = {
        .table = verify_table_name(SEGMENT_FILTER),
        .segment = rebuild->segment->id,
        .chunk = -1,
        .rows = rebuild->n_forgets,
    };
    int rc = rebuild->n_forgets == 0
                 ? 0
                 : verify_found(verify, STORE_MISSING, place,
                                "the filter of segment %" PRIu64 " forgets request ids in %" PRIu64
                                " of its blocks, from block %" PRIu64 " on",
                                rebuild->segment->id, rebuild->n_forgets, rebuild->first_wrong);
    if (rc < 0 || rebuild->n_surplus == 0) {
        return rc;
    }
    place.rows = rebuild->n_surplus;
    return verify_found(verify, STORE_SURPLUS, place,
                        "the filter of segment %" PRIu64 " has bits of no request id in %" PRIu64
                        " of its blocks, from block %" PRIu64 " on",
                        rebuild->segment->id, rebuild->n_surplus, rebuild->first_wrong);
}

/* Go to the filter's first chunk. */
static int find_first(struct rebuild *rebuild)
{
    uint8_t bytes[SEGMENT_KEY_BYTES];
    MDB_val value;
    const char *problem;
    MDB_val key = segment_first_key(bytes, rebuild->segment->id);
    int rc = mdb_cursor_get(rebuild->cursor, &key, &value, MDB_SET_RANGE);
    while (rc == 0 && segment_parse_key(key, &rebuild->chunk) == 0 &&
           rebuild->chunk.table != SEGMENT_FILTER) {
        rc = mdb_cursor_get(rebuild->cursor, &key, &value, MDB_NEXT);
    }
    return rc != 0 ? env_status(rc)
                   : segment_open_chunk(key, value, NULL, &rebuild->chunk, &problem);
}

static int compare(struct verify *verify, struct rebuild *rebuild)
{
    struct verify_chunks chunks = {rebuild->segment, false, add_requests, rebuild, {false}};
    int rc = find_first(rebuild);
    if (rc < 0) {
        return rc == STATUS_CORRUPT || rc == STATUS_NOT_FOUND ? 0 : rc;
    }
    rc = verify_chunks(verify, &chunks);
    while (rc == 0 && rebuild->block < rebuild->segment->filter_blocks && !rebuild->ended) {
        end_block(rebuild);
    }
    return rc < 0 ? rc : tell(verify, rebuild);
}

int verify_filter(struct verify *verify, const struct verify_unit *unit)
{
    const struct lmdb_view *view = verify->view;
    struct rebuild rebuild = {.segment = unit->segment};
    if (unit->lost[SEGMENT_REQUESTS] || unit->lost[SEGMENT_FILTER]) {
        return 0; /* which was told of */
    }
    int rc =
        env_status(mdb_cursor_open(view->txn, view->env->tables[ENV_SEGMENTS], &rebuild.cursor));
    if (rc < 0) {
        return rc;
    }
    rc = compare(verify, &rebuild);
    mdb_cursor_close(rebuild.cursor);
    return rc;
}
