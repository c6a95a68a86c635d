/* A chunk of a segment that fills row by row, and then is whole: key and bytes as they are stored.
 * Pure; one thread at a time. */
#pragma once

#include "billingd/store/lmdb/row_pack.h"

struct chunk_builder {
    struct row_packing packing;
    enum segment_table table;
    uint8_t *bytes; /* not owned: room for SEGMENT_CHUNK_BYTES */
    size_t length;
    size_t n;
    uint64_t a; /* the first row's leading members */
    uint64_t b;
};

/* Begin a chunk of TABLE at BYTES. */
void chunk_builder_begin(struct chunk_builder *builder, enum segment_table table, uint8_t *bytes);

/* Add ROW.  Returns whether it fits. */
MUSTCHECK bool chunk_builder_add(struct chunk_builder *builder, const void *row);

/* End the chunk, which has rows, as NUMBER of SEGMENT.  Fills KEY.  Returns its length. */
size_t chunk_builder_end(struct chunk_builder *builder, uint64_t segment, uint32_t number,
                         uint8_t key[SEGMENT_KEY_BYTES]);
