#include "billingd/store/lmdb/chunk_builder.h"

#include "billingd/base/assert.h"
#include "billingd/store/lmdb/filter.h"

void chunk_builder_begin(struct chunk_builder *builder, enum segment_table table, uint8_t *bytes)
{
    builder->table = table;
    builder->bytes = bytes;
    builder->length = segment_header_bytes(table);
    builder->n = 0;
    if (table != SEGMENT_FILTER) {
        row_pack_begin(&builder->packing, table);
    }
}

/* A block of a filter lies as it is, so that it is read in place. */
static size_t put(struct chunk_builder *builder, const void *row, uint8_t *bytes)
{
    if (builder->table == SEGMENT_FILTER) {
        memcpy(bytes, row, FILTER_BLOCK_BYTES);
        return FILTER_BLOCK_BYTES;
    }
    if (builder->table == SEGMENT_SUMS) {
        struct sum_row sum = *(const struct sum_row *)row;
        row_pack_share_name(&builder->packing, &sum);
        return row_pack(&builder->packing, &sum, bytes);
    }
    return row_pack(&builder->packing, row, bytes);
}

bool chunk_builder_add(struct chunk_builder *builder, const void *row)
{
    uint8_t bytes[ROW_PACK_BYTES_MAX];
    if (builder->n == segment_chunk_rows(builder->table)) {
        return false;
    }
    size_t length = put(builder, row, bytes);
    if (length > segment_body_end(builder->table) - builder->length) {
        return false; /* and the packing is of no more use */
    }
    memcpy(builder->bytes + builder->length, bytes, length);
    if (builder->n == 0) {
        segment_row_leading(builder->table, row, &builder->a, &builder->b);
    }
    builder->length += length;
    builder->n++;
    return true;
}

size_t chunk_builder_end(struct chunk_builder *builder, uint64_t segment, uint32_t number,
                         uint8_t key[SEGMENT_KEY_BYTES])
{
    REQUIRE(builder->n > 0);
    struct segment_chunk chunk = {
        .segment = segment, .table = builder->table, .number = number, .n = builder->n};
    segment_chunk_key(&chunk, builder->a, builder->b, key);
    return segment_seal_chunk(&chunk, key, builder->bytes, builder->length);
}
