#include "billingd/store/block.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "billingd/base/assert.h"
#include "billingd/base/bytes.h"
#include "proto/timestamp.h"

enum { /* offsets in the header: see block.h */
       AT_MAGIC = 0,
       AT_FORMAT = 4,
       AT_RECORD_FORMAT = 6,
       AT_FIRST_SEQ = 8,
       AT_COUNT = 16,
       AT_BODY_BYTES = 20,
       AT_CREATED_AT = 24,
       AT_PREVIOUS_HASH = 32,
       FRAME_BYTES = BLOCK_HEADER_BYTES + BLOCK_CHECKSUM_BYTES,
};

static const uint8_t magic[] = {'B', 'L', 'K', 'J'};

/* --- the chain -------------------------------------------------------------------------------- */

void block_hash(struct sha256 *sha, const uint8_t *bytes, size_t length,
                uint8_t ret_hash[BLOCK_HASH_BYTES])
{
    sha256_begin(sha);
    sha256_add(sha, bytes, length);
    sha256_end(sha, ret_hash);
}

void block_genesis(struct sha256 *sha, uint64_t id_key, uint8_t ret_hash[BLOCK_HASH_BYTES])
{
    char text[64];
    int length = snprintf(text, sizeof text, "billing journal of store %016" PRIx64, id_key);
    INVARIANT(length > 0 && (size_t)length < sizeof text);
    block_hash(sha, (const uint8_t *)text, (size_t)length, ret_hash);
}

/* --- writing ---------------------------------------------------------------------------------- */

struct block_writer {
    size_t bytes_max;
    uint32_t count;
    uint32_t body_bytes;
    uint32_t offsets[BLOCK_RECORDS_MAX];              /* the first count */
    uint8_t body[BLOCK_BYTES_MAX + RECORD_BYTES_MAX]; /* the first body_bytes; then one to try */
};

int block_writer_create(size_t bytes_max, struct block_writer **ret)
{
    REQUIRE(bytes_max <= BLOCK_BYTES_MAX);
    struct block_writer *writer = malloc(sizeof *writer);
    if (writer == NULL) {
        return STATUS_NO_MEMORY;
    }
    writer->bytes_max = bytes_max;
    block_writer_reset(writer);
    *ret = writer;
    return 0;
}

void block_writer_destroy(struct block_writer *writer)
{
    free(writer);
}

void block_writer_reset(struct block_writer *writer)
{
    writer->count = 0;
    writer->body_bytes = 0;
}

static size_t block_bytes(uint64_t count, uint64_t body_bytes)
{
    return (size_t)(FRAME_BYTES + body_bytes + count * BLOCK_OFFSET_BYTES);
}

bool block_writer_add(struct block_writer *writer, const struct record *record)
{
    size_t bytes = record_encode(record, writer->body + writer->body_bytes);
    INVARIANT(bytes <= RECORD_BYTES_MAX);
    if (writer->count > 0 &&
        block_bytes(writer->count + 1, writer->body_bytes + bytes) > writer->bytes_max) {
        return false;
    }
    writer->offsets[writer->count++] = writer->body_bytes;
    writer->body_bytes += (uint32_t)bytes;
    return true;
}

uint32_t block_writer_count(const struct block_writer *writer)
{
    return writer->count;
}

size_t block_writer_bytes(const struct block_writer *writer)
{
    return block_bytes(writer->count, writer->body_bytes);
}

int block_writer_record(const struct block_writer *writer, uint32_t index, struct record *ret)
{
    REQUIRE(index < writer->count);
    uint32_t start = writer->offsets[index];
    uint32_t end = index + 1 < writer->count ? writer->offsets[index + 1] : writer->body_bytes;
    return record_decode(writer->body + start, end - start, ret);
}

void block_writer_seal(struct block_writer *writer, const struct block_heading *heading,
                       uint8_t *ret_bytes)
{
    REQUIRE(writer->count > 0 && heading->first_seq > 0);
    REQUIRE(heading->created_at_us >= 0 && heading->created_at_us <= TIMESTAMP_MAX);
    memcpy(ret_bytes + AT_MAGIC, magic, sizeof magic);
    bytes_put_le16(ret_bytes + AT_FORMAT, BLOCK_FORMAT);
    bytes_put_le16(ret_bytes + AT_RECORD_FORMAT, RECORD_FORMAT);
    bytes_put_le64(ret_bytes + AT_FIRST_SEQ, heading->first_seq);
    bytes_put_le32(ret_bytes + AT_COUNT, writer->count);
    bytes_put_le32(ret_bytes + AT_BODY_BYTES, writer->body_bytes);
    bytes_put_le64(ret_bytes + AT_CREATED_AT, (uint64_t)heading->created_at_us);
    memcpy(ret_bytes + AT_PREVIOUS_HASH, heading->previous_hash, BLOCK_HASH_BYTES);
    uint8_t *at = ret_bytes + BLOCK_HEADER_BYTES;
    memcpy(at, writer->body, writer->body_bytes);
    at += writer->body_bytes;
    for (uint32_t i = 0; i < writer->count; i++, at += BLOCK_OFFSET_BYTES) {
        bytes_put_le32(at, writer->offsets[i]);
    }
    bytes_put_le64(at, XXH3_64bits(ret_bytes, (size_t)(at - ret_bytes)));
    block_writer_reset(writer);
}

/* --- reading ---------------------------------------------------------------------------------- */

static const uint8_t *body_of(const struct block *block)
{
    return block->bytes + BLOCK_HEADER_BYTES;
}

/* Where record INDEX starts; where INDEX is the count, the end of the last. */
static uint32_t offset_of(const struct block *block, uint32_t index)
{
    const uint8_t *table = body_of(block) + block->body_bytes;
    return index == block->count ? block->body_bytes
                                 : bytes_get_le32(table + (size_t)index * BLOCK_OFFSET_BYTES);
}

static int corrupt(const char *problem, const char **ret_problem)
{
    *ret_problem = problem;
    return STATUS_CORRUPT;
}

/* What every format has: magic, format numbers, checksum. */
static int check_frame(struct block *block, const char **ret_problem)
{
    if (block->length < FRAME_BYTES || block->length > BLOCK_BYTES_MAX) {
        return corrupt("its length is out of bounds", ret_problem);
    }
    if (memcmp(block->bytes + AT_MAGIC, magic, sizeof magic) != 0) {
        return corrupt("it does not begin as a block", ret_problem);
    }
    size_t checked = block->length - BLOCK_CHECKSUM_BYTES;
    if (bytes_get_le64(block->bytes + checked) != XXH3_64bits(block->bytes, checked)) {
        return corrupt("its checksum is wrong", ret_problem);
    }
    block->format = bytes_get_le16(block->bytes + AT_FORMAT);
    block->record_format = bytes_get_le16(block->bytes + AT_RECORD_FORMAT);
    if (block->format != BLOCK_FORMAT || block->record_format < RECORD_FORMAT_MIN ||
        block->record_format > RECORD_FORMAT) {
        *ret_problem = "its format is not known";
        return STATUS_NOT_IMPLEMENTED;
    }
    return 0;
}

static int check_heading(struct block *block, const char **ret_problem)
{
    uint64_t created_at_us = bytes_get_le64(block->bytes + AT_CREATED_AT);
    struct block_heading *heading = &block->heading;
    block->count = bytes_get_le32(block->bytes + AT_COUNT);
    block->body_bytes = bytes_get_le32(block->bytes + AT_BODY_BYTES);
    heading->first_seq = bytes_get_le64(block->bytes + AT_FIRST_SEQ);
    heading->created_at_us = (int64_t)created_at_us;
    memcpy(heading->previous_hash, block->bytes + AT_PREVIOUS_HASH, BLOCK_HASH_BYTES);
    if (block->count == 0 || block_bytes(block->count, block->body_bytes) != block->length) {
        return corrupt("its parts do not make up its length", ret_problem);
    }
    if (heading->first_seq == 0 || heading->first_seq > UINT64_MAX - block->count) {
        return corrupt("its sequence numbers are out of bounds", ret_problem);
    }
    if (created_at_us > (uint64_t)TIMESTAMP_MAX) {
        return corrupt("its time is out of bounds", ret_problem);
    }
    return 0;
}

int block_open(const uint8_t *bytes, size_t length, struct block *ret, const char **ret_problem)
{
    *ret = (struct block){.bytes = bytes, .length = length};
    int rc = check_frame(ret, ret_problem);
    if (rc < 0) {
        return rc;
    }
    rc = check_heading(ret, ret_problem);
    if (rc < 0) {
        return rc;
    }
    uint32_t start = offset_of(ret, 0);
    if (start != 0) {
        return corrupt("its records do not begin behind its header", ret_problem);
    }
    for (uint32_t i = 1; i <= ret->count; i++) {
        uint32_t end = offset_of(ret, i);
        if (end <= start || end > ret->body_bytes) {
            return corrupt("the offsets of its records are out of order", ret_problem);
        }
        start = end;
    }
    return 0;
}

bool block_has(const struct block *block, uint64_t seq)
{
    return block->bytes != NULL && seq >= block->heading.first_seq &&
           seq - block->heading.first_seq < block->count;
}

int block_record(const struct block *block, uint64_t seq, struct record *ret)
{
    REQUIRE(block_has(block, seq));
    uint32_t index = (uint32_t)(seq - block->heading.first_seq);
    uint32_t start = offset_of(block, index);
    uint32_t bytes = offset_of(block, index + 1) - start;
    ret->seq = seq;
    ret->created_at_us = block->heading.created_at_us;
    int rc = record_decode(body_of(block) + start, bytes, ret);
    return rc == 0 && ret->kind > record_last_kind(block->record_format) ? STATUS_CORRUPT : rc;
}

int block_record_again(const uint8_t *bytes, size_t length, uint64_t seq, struct record *ret)
{
    struct block block = {.bytes = bytes, .length = length};
    const char *problem;
    if (length < FRAME_BYTES || length > BLOCK_BYTES_MAX || check_heading(&block, &problem) < 0) {
        return STATUS_CORRUPT;
    }
    if (!block_has(&block, seq)) {
        return STATUS_NOT_FOUND;
    }
    block.record_format = bytes_get_le16(bytes + AT_RECORD_FORMAT);
    uint32_t index = (uint32_t)(seq - block.heading.first_seq);
    uint32_t start = offset_of(&block, index);
    uint32_t end = offset_of(&block, index + 1);
    return end > start && end <= block.body_bytes ? block_record(&block, seq, ret) : STATUS_CORRUPT;
}
